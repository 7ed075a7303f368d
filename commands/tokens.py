"""Signed tokens for scripts, tests and the demo."""

import time
from collections.abc import Sequence

import jwt

from domain.viewer import Scope
from settings import Settings, SettingsError

DAY_SECONDS = 86_400


def token_for(
    settings: Settings,
    subject: str,
    *,
    scopes: Sequence[str] = (Scope.BUY,),
    email: str | None = None,
    name: str | None = None,
    ttl_seconds: int = DAY_SECONDS,
) -> str:
    """Return a token signed with the installation's secret (HS256), valid for `ttl_seconds`.

    Raises:
        SettingsError: when tokens come from an identity provider, or no secret is configured.
    """
    if settings.jwks_url:
        raise SettingsError("Tokens come from the provider behind BOXOFFICE_JWKS_URL, not from here.")
    settings.require("jwt_secret")
    now = int(time.time())
    claims = {
        "sub": subject,
        "email": email,
        "name": name,
        "scope": " ".join(dict.fromkeys(scopes)),
    }
    said = {claim: value for claim, value in claims.items() if value}
    lifetime = {"iat": now, "exp": now + ttl_seconds}
    return jwt.encode({**said, **lifetime}, settings.jwt_secret, algorithm="HS256")


def print_token(
    data_dir: str | None, user: str, email: str | None, scopes: Sequence[str], ttl_seconds: int
) -> None:
    """Print the token and nothing else."""
    from commands.configuration import settings_of_running
    from commands.output import line

    settings = with_own_secret(settings_of_running(data_dir))
    line(token_for(settings, user, email=email, scopes=scopes, ttl_seconds=ttl_seconds))


def with_own_secret(settings: Settings) -> Settings:
    """Return the settings, in development with the secret of the data dir, as `up` uses it."""
    if settings.environment == "production" or settings.jwt_secret or settings.jwks_url:
        return settings
    from dataclasses import replace

    from devservices.credentials import credentials_of

    return replace(settings, jwt_secret=credentials_of(settings.data_dir).jwt_secret)

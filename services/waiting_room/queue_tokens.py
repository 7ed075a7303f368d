"""Admission tokens: a JWT bound to an account, an event and one admission."""

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt

from domain.errors import QueueTokenInvalid

_ALGORITHM = "HS256"
_AUDIENCE = "boxoffice:admission"
_LONGEST = 1024
_CLAIMS = ["sub", "event", "jti", "exp", "aud"]


class QueueTokens:
    """Mints and reads admission tokens.

    The key is derived from the installation's secret for this purpose alone, so neither a viewer's token
    passes for an admission nor an admission for a viewer. Tokens of the previous secret are read, not minted.
    """

    def __init__(self, secret: str, previous: str = "") -> None:
        self._key = _derived(secret)
        self._keys = [self._key, *([_derived(previous)] if previous else [])]

    def mint(self, event_id: UUID, user_id: UUID, admission_id: str, expires_at: datetime) -> str:
        """Return an admission's token; every process makes the same one."""
        claims = {
            "sub": str(user_id),
            "event": str(event_id),
            "jti": admission_id,
            "exp": int(expires_at.timestamp()) + 1,
            "aud": _AUDIENCE,
        }
        return jwt.encode(claims, self._key, _ALGORITHM)

    def admission_id(self, token: str, event_id: UUID, user_id: UUID, now: datetime) -> str:
        """Return the admission id of a token; only Redis knows whether the admission is live.

        Raises:
            QueueTokenInvalid: It is malformed, badly signed, unsigned, expired, or another account's.
        """
        if len(token) > _LONGEST:
            raise QueueTokenInvalid
        claims = self._claims(token)
        expires_at = claims["exp"]
        alive = isinstance(expires_at, int) and expires_at > now.timestamp()
        if not alive or (claims["sub"], claims["event"]) != (str(user_id), str(event_id)):
            raise QueueTokenInvalid
        return str(claims["jti"])

    def _claims(self, token: str) -> dict[str, Any]:
        refusal: Exception | None = None
        for key in self._keys:
            try:
                return jwt.decode(
                    token,
                    key,
                    algorithms=[_ALGORITHM],
                    audience=_AUDIENCE,
                    options={"require": _CLAIMS, "verify_exp": False},
                )
            except (jwt.InvalidTokenError, ValueError) as error:
                refusal = error
        raise QueueTokenInvalid from refusal


def _derived(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"boxoffice admission token", "sha256")


def admission_id_of(user_id: UUID, nonce: str) -> str:
    """Return an admission id, which contains its holder so that it suffices to end the admission."""
    return f"{user_id.hex}{nonce}"


def holder_of(admission_id: str) -> tuple[UUID, str]:
    """Return the holder and the nonce of an admission id.

    Raises:
        QueueTokenInvalid: It is not an admission id.
    """
    try:
        return UUID(hex=admission_id[:32]), admission_id[32:]
    except ValueError as error:
        raise QueueTokenInvalid from error

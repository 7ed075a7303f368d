"""The settings of a command: of the environment, of .env, and of a running `up`."""

import os
from pathlib import Path

from settings import PREFIX, Environment, Settings, SettingsError, read_dotenv


def load_settings(
    data_dir: str | None = None, *, port: int | None = None, host: str | None = None
) -> Settings:
    """Return the settings of the environment and .env; the command line overrides them.

    Raises:
        SettingsError: when one does not fit.
    """
    return Settings.load(variables(data_dir, port, host), dotenv=None)


def settings_of_running(
    data_dir: str | None = None,
    *,
    port: int | None = None,
    host: str | None = None,
    environment: Environment = "development",
) -> Settings:
    """Return the same settings, completed by those of the `up` that runs on the data dir, if any.

    `environment` is the one where none is set.

    Raises:
        SettingsError: when a setting does not fit, or production would use development's.
    """
    said = variables(data_dir, port, host)
    own = Settings.load({PREFIX + "ENVIRONMENT": environment, **said}, dotenv=None)
    if own.environment == "production":
        return refusing_development(own)
    from devservices.data_dir import published_settings

    return Settings.load({**published_settings(own.data_dir), **said}, dotenv=None)


def variables(data_dir: str | None, port: int | None, host: str | None) -> dict[str, str]:
    """Return the settings of .env, the environment and the command line; the later override the earlier."""
    given = {"DATA_DIR": data_dir, "PORT": port, "HOST": host}
    said = {PREFIX + name: str(value) for name, value in given.items() if value is not None}
    merged = {**read_dotenv(Path(".env")), **os.environ, **said}
    return {name: value for name, value in merged.items() if value.strip()}


def refusing_development(settings: Settings) -> Settings:
    """Return the settings, if none of their secrets comes from the data dir of a development `up`.

    Raises:
        SettingsError: naming the one that does.
    """
    from devservices.credentials import read_saved

    drawn = set(read_saved(settings.data_dir / "secrets.json").values())
    for name in (
        "jwt_secret",
        "stripe_api_key",
        "stripe_webhook_secret",
        "meilisearch_key",
        "jwt_secret_previous",
        "ticket_key",
        "ticket_key_previous",
    ):
        if getattr(settings, name) in drawn - {""}:
            raise SettingsError(f"{PREFIX}{name.upper()} is a development secret, which production refuses.")
    return settings

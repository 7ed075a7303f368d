"""Settings: what is read, what is refused, and in which words."""

from pathlib import Path

import pytest

from settings import Settings, SettingsError

SECRET = "0123456789abcdef" * 2 + "end"
PRODUCTION = {
    "BOXOFFICE_ENVIRONMENT": "production",
    "BOXOFFICE_DATABASE_URL": "postgresql://boxoffice:x@db/boxoffice",
    "BOXOFFICE_REDIS_URL": "redis://cache:6379/0",
    "BOXOFFICE_STRIPE_API_KEY": "sk_live_1",
    "BOXOFFICE_STRIPE_WEBHOOK_SECRET": "whsec_1",
    "BOXOFFICE_JWT_SECRET": SECRET,
}


def load(**variables: str) -> Settings:
    return Settings.load({f"BOXOFFICE_{name}": value for name, value in variables.items()}, None)


def test_defaults_hold_when_nothing_is_set() -> None:
    settings = load()

    assert (settings.environment, settings.host, settings.port) == ("development", "127.0.0.1", 8000)
    assert (settings.hold_seconds, settings.payment_seconds) == (480, 600)
    assert (settings.data_dir, settings.database_url) == (Path(".boxoffice"), "")
    assert settings.graphiql and settings.introspection


def test_value_is_unset_when_empty() -> None:
    assert load(PORT=" ", DATABASE_URL="").port == 8000


def test_environment_wins_when_dotenv_says_otherwise(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("BOXOFFICE_PORT=9001\nBOXOFFICE_HOLD_SECONDS=60\n")

    settings = Settings.load({"BOXOFFICE_PORT": "9002"}, dotenv)

    assert (settings.port, settings.hold_seconds) == (9002, 60)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "BOXOFFICE_PORT must be a whole number from 1 to 65535."),
        ("PORT", "0", "BOXOFFICE_PORT must be a whole number from 1 to 65535."),
        ("PORT", "-1", "BOXOFFICE_PORT must be a whole number from 1 to 65535."),
        ("PORT", "8_000", "BOXOFFICE_PORT must be a whole number from 1 to 65535."),
        ("PORT", "65536", "BOXOFFICE_PORT must be a whole number from 1 to 65535."),
        ("HOLD_SECONDS", "0", "BOXOFFICE_HOLD_SECONDS must be a whole number from 1 to 86400."),
        ("HOLD_SECONDS", "1.5", "BOXOFFICE_HOLD_SECONDS must be a whole number from 1 to 86400."),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8, *",
            "BOXOFFICE_TRUSTED_PROXIES must be addresses or networks like 10.0.0.0/8, separated by commas.",
        ),
        (
            "ENVIRONMENT",
            "staging",
            "BOXOFFICE_ENVIRONMENT must be one of development, production.",
        ),
        (
            "LOG_LEVEL",
            "loud",
            "BOXOFFICE_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR.",
        ),
        ("GRAPHIQL", "maybe", "BOXOFFICE_GRAPHIQL must be yes or no."),
        (
            "DATABASE_URL",
            "mysql://x/y",
            "BOXOFFICE_DATABASE_URL must be an address that begins with postgresql://.",
        ),
        (
            "REDIS_URL",
            "localhost:6379",
            "BOXOFFICE_REDIS_URL must be an address that begins with redis://.",
        ),
        (
            "REDIS_URL",
            "redis://host:99999999",
            "BOXOFFICE_REDIS_URL must be an address that begins with redis://.",
        ),
        (
            "MEILISEARCH_URL",
            "http://",
            "BOXOFFICE_MEILISEARCH_URL must be an address that begins with http://.",
        ),
        (
            "JWKS_URL",
            "https://id.example/keys",
            "BOXOFFICE_JWKS_URL needs BOXOFFICE_JWT_ISSUER and BOXOFFICE_JWT_AUDIENCE too.",
        ),
    ],
)
def test_sentence_names_the_setting_when_it_does_not_fit(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(**{name: value})

    assert str(refusal.value) == sentence


def test_production_loads_when_it_has_secrets_of_its_own() -> None:
    settings = Settings.load(PRODUCTION, None).require_serving()

    assert not settings.graphiql and not settings.introspection


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_KEY", "sk_test_1"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_local_1"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111"),
        ("JWT_SECRET", "a" * 40),
        ("JWT_SECRET", "short"),
    ],
)
def test_production_is_refused_when_a_secret_is_developments(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"BOXOFFICE_{name}"):
        Settings.load({**PRODUCTION, f"BOXOFFICE_{name}": value}, None)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "JWT_SECRET"])
def test_serving_is_refused_when_a_part_is_missing(name: str) -> None:
    settings = Settings.load({**PRODUCTION, f"BOXOFFICE_{name}": ""}, None)

    with pytest.raises(SettingsError, match=f"^BOXOFFICE_{name} is not set: "):
        settings.require_serving()


def test_no_secret_shows_when_settings_are_printed() -> None:
    shown = repr(Settings.load(PRODUCTION, None))

    for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "JWT_SECRET"):
        assert PRODUCTION[f"BOXOFFICE_{name}"] not in shown


def test_settings_read_back_when_handed_to_a_child() -> None:
    settings = load(JWT_SECRET=SECRET, ORPHAN_RULE="no", HOLD_SECONDS="7", DATA_DIR="/srv/x")

    assert Settings.load(settings.environment_variables(), None) == settings

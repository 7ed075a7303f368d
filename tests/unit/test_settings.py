"""Settings: what is read, what is refused, and in which words."""

import re
import secrets
from base64 import b64encode
from pathlib import Path

import pytest

from kit.seeds import new_seed
from settings import Settings, SettingsError

ROOT = Path(__file__).resolve().parents[2]
SECRET = secrets.token_hex(32)
PRODUCTION = {
    "BOXOFFICE_ENVIRONMENT": "production",
    "BOXOFFICE_PUBLIC_URL": "https://tickets.example.com",
    "BOXOFFICE_DATABASE_URL": f"postgresql://boxoffice:{SECRET}@db/boxoffice?sslmode=verify-full",
    "BOXOFFICE_REDIS_URL": f"rediss://:{SECRET}@cache:6379/0",
    "BOXOFFICE_STRIPE_API_KEY": "sk_live_1",
    "BOXOFFICE_STRIPE_WEBHOOK_SECRET": "whsec_1",
    "BOXOFFICE_JWT_SECRET": SECRET,
    "BOXOFFICE_TICKET_KEY": new_seed(),
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
            (
                "BOXOFFICE_REDIS_URL must begin with redis://, redis+cluster:// or redis+sentinel://, "
                "with rediss instead of redis for TLS."
            ),
        ),
        (
            "REDIS_URL",
            "redis://host:99999999",
            (
                "BOXOFFICE_REDIS_URL must name HOST:PORT, or several separated by commas; "
                "special characters of a password are written as %XX."
            ),
        ),
        (
            "REDIS_URL",
            "rediss://host?ssl_ca_certs=/nowhere/ca.pem",
            (
                "BOXOFFICE_REDIS_URL names certificates or keys that cannot be read (/nowhere/ca.pem): "
                "[Errno 2] No such file or directory."
            ),
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
        ("JWT_SECRET_PREVIOUS", "short"),
        ("STRIPE_WEBHOOK_SECRET_PREVIOUS", "whsec_local_1"),
        ("TICKET_KEY", b64encode(bytes(range(32))).decode()),
        ("TICKET_KEY", b64encode(bytes(32)).decode()),
        ("TICKET_KEY", b64encode(b"the key of our tickets, 32 bytes").decode()),
        ("TICKET_KEY_PREVIOUS", b64encode(bytes(range(32, 64))).decode()),
        ("MEILISEARCH_KEY", "a-master-key-for-tests-only"),
    ],
)
def test_production_is_refused_when_a_secret_is_developments(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"BOXOFFICE_{name}"):
        Settings.load({**PRODUCTION, f"BOXOFFICE_{name}": value}, None)


def example_secrets() -> list[str]:
    """The secrets that stand in tests, benchmarks, documentation, compose and .env.example."""
    pages = [
        ROOT / ".env.example",
        ROOT / "docker-compose.yml",
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
    ]
    pages += [*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/*.py"), *ROOT.glob("faults/*.py")]
    named = re.compile(r"""(?:JWT_SECRET|_?SECRET|master_key|jwt_secret)"?\s*[=:]\s*"?([^\s"$][^"\n]{11,})""")
    return [found for page in pages for found in named.findall(page.read_text(encoding="utf-8"))]


def test_production_refuses_every_secret_that_stands_in_our_pages_and_tests() -> None:
    found = {each for each in example_secrets() if not re.search(r"[(.\[{]", each)}

    assert len(found) >= 3, "the pattern finds no secrets any more"
    for secret in found:
        with pytest.raises(SettingsError, match="BOXOFFICE_JWT_SECRET"):
            Settings.load({**PRODUCTION, "BOXOFFICE_JWT_SECRET": secret}, None)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "postgresql://u:{s}@db/b", "reaches another machine without TLS: use sslmode"),
        ("DATABASE_URL", "postgresql://u:{s}@db/b?sslmode=prefer", "reaches another machine without TLS"),
        ("DATABASE_URL", "postgresql://u@db/b?sslmode=require", "reaches another machine without a password"),
        ("DATABASE_URL", "postgresql://u:boxoffice@db/b?sslmode=require", "has the password of an example"),
        ("REDIS_URL", "redis://:{s}@cache", "reaches another machine without TLS: use rediss://"),
        ("REDIS_URL", "redis+cluster://:{s}@cache", "reaches another machine without TLS"),
        ("REDIS_URL", "rediss://cache", "reaches another machine without a password"),
        ("REDIS_URL", "redis+sentinel://:{s}@a,b/tickets", "reaches another machine without TLS"),
        ("REDIS_URL", "rediss://:{s}@a,b?ssl_cert_reqs=none", "whose certificate is not verified"),
        ("REDIS_URL", "rediss://:{s}@127.0.0.1,b?ssl_check_hostname=no", "whose certificate is not verified"),
        ("MEILISEARCH_URL", "http://search:7700", "reaches another machine without TLS: use https://"),
        ("MEILISEARCH_URL", "https://search", "without a password: give BOXOFFICE_MEILISEARCH_KEY"),
        ("ALLOWED_ORIGINS", "https://shop.example *", "must name origins in production"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0", "has 0.0.0.0/0, which trusts strangers' addresses"),
        ("TRUSTED_PROXIES", "::/0", "has ::/0, which trusts"),
        ("TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1", "has 0.0.0.0/1, which trusts"),
        ("PUBLIC_URL", "http://tickets.example.com", "must be https in production"),
    ],
)
def test_production_is_refused_when_a_door_is_open(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.load({**PRODUCTION, f"BOXOFFICE_{name}": value.format(s=SECRET)}, None)

    assert str(refusal.value).startswith(f"BOXOFFICE_{name} ")
    assert sentence in str(refusal.value)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://u@127.0.0.1/b"),
        ("REDIS_URL", "redis://localhost:6379"),
        ("REDIS_URL", "redis://[::1]:6379"),
        ("REDIS_URL", "rediss+cluster://:{s}@cache"),
        ("REDIS_URL", "rediss+sentinel://:{s}@a,b/tickets"),
        ("REDIS_URL", "rediss://127.0.0.1?ssl_cert_reqs=none"),
        ("MEILISEARCH_URL", "http://127.0.0.1:7700"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, fc00::/7, 192.0.2.1"),
        ("ALLOWED_ORIGINS", "https://shop.example"),
    ],
)
def test_production_loads_when_a_store_is_here_or_a_door_is_closed(name: str, value: str) -> None:
    Settings.load({**PRODUCTION, f"BOXOFFICE_{name}": value.format(s=SECRET)}, None).require_serving()


def test_production_takes_stores_in_the_clear_when_a_setting_allows_it() -> None:
    clear = {
        "BOXOFFICE_DATABASE_URL": f"postgresql://boxoffice:{SECRET}@postgres/boxoffice",
        "BOXOFFICE_REDIS_URL": "redis://valkey:6379",
        "BOXOFFICE_MEILISEARCH_URL": "http://meilisearch:7700",
    }

    Settings.load({**PRODUCTION, **clear, "BOXOFFICE_ALLOW_PLAINTEXT_STORES": "yes"}, None)
    with pytest.raises(SettingsError):
        Settings.load({**PRODUCTION, **clear}, None)


def test_metrics_leave_the_public_port_in_production() -> None:
    assert load().has_public_operations
    assert not Settings.load(PRODUCTION, None).has_public_operations
    with pytest.raises(SettingsError, match=r"^BOXOFFICE_METRICS_PORT must be another port"):
        load(METRICS_PORT="8000")


def test_public_address_is_this_machines_when_none_is_set() -> None:
    assert load(HOST="0.0.0.0", PORT="9000").base_url == "http://127.0.0.1:9000"
    assert load(HOST="::1").base_url == "http://[::1]:8000"
    assert load(PUBLIC_URL="https://tickets.example.com/").base_url == "https://tickets.example.com"
    with pytest.raises(SettingsError, match=r"^BOXOFFICE_PUBLIC_URL must not have a query"):
        load(PUBLIC_URL="https://tickets.example.com/?a=b")


def test_previous_secret_is_refused_when_there_is_no_present_one() -> None:
    with pytest.raises(SettingsError, match=r"^BOXOFFICE_JWT_SECRET_PREVIOUS needs BOXOFFICE_JWT_SECRET"):
        load(JWT_SECRET_PREVIOUS=SECRET)


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "JWT_SECRET", "PUBLIC_URL", "TICKET_KEY"]
)
def test_serving_is_refused_when_a_part_is_missing(name: str) -> None:
    settings = Settings.load({**PRODUCTION, f"BOXOFFICE_{name}": ""}, None)

    with pytest.raises(SettingsError, match=f"^BOXOFFICE_{name} is not set: "):
        settings.require_serving()


def test_no_secret_shows_when_settings_are_printed() -> None:
    shown = repr(Settings.load(PRODUCTION, None))

    for name in ("DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "JWT_SECRET", "TICKET_KEY"):
        assert PRODUCTION[f"BOXOFFICE_{name}"] not in shown


def test_settings_read_back_when_handed_to_a_child() -> None:
    settings = load(JWT_SECRET=SECRET, ORPHAN_RULE="no", HOLD_SECONDS="7", DATA_DIR="/srv/x")

    assert Settings.load(settings.environment_variables(), None) == settings

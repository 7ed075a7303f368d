"""The settings: read once from the environment and a .env file, frozen, and passed down.

Every name carries the prefix BOXOFFICE_; the environment wins over .env; an empty value is an
unset one. "" stands for an address or a secret that is not configured.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values

from kit.redis_address import RedisAddress
from kit.seeds import seed_of
from production import production_faults

PREFIX = "BOXOFFICE_"


Environment = Literal["development", "production"]
ChallengeKind = Literal["off", "pow"]
LogFormat = Literal["auto", "json", "text"]


class SettingsError(Exception):
    """A setting is missing or does not fit; the message is one sentence that says what to do."""


def text(value: str) -> str:
    return value


def flag(value: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True}
    known |= {"0": False, "false": False, "no": False, "off": False}
    if value.lower() not in known:
        raise ValueError("must be yes or no")
    return known[value.lower()]


def label(value: str) -> str:
    if len(value) > 64 or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be at most 64 ASCII characters without a space")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers between two bounds, both allowed."""

    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words, in any case."""

    def read(value: str) -> str:
        chosen = {word.lower(): word for word in words}.get(value.lower())
        if chosen is None:
            raise ValueError(f"must be one of {', '.join(words)}")
        return chosen

    return read


def networks(value: str) -> str:
    """A reader of addresses and networks in CIDR notation, separated by commas."""
    for item in filter(None, (item.strip() for item in value.split(","))):
        try:
            ip_network(item)
        except ValueError:
            raise ValueError("must be addresses or networks like 10.0.0.0/8, separated by commas") from None
    return value


def address(*schemes: str) -> Callable[[str], str]:
    """A reader of URLs with one of these schemes and a host."""

    def read(value: str) -> str:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"must be an address that begins with {schemes[0]}://")
        return value

    return read


def database_address(value: str) -> str:
    """A reader of PostgreSQL's address, which may name several hosts, separated by commas."""
    scheme, _, rest = value.partition("://")
    hosts, slash, path = rest.partition("/")
    user, at, hosts = hosts.rpartition("@")
    read = address("postgresql", "postgres")
    for host in hosts.split(","):
        read(f"{scheme}://{user}{at}{host}{slash}{path}")
    return value


def redis_address(value: str) -> str:
    """A reader of Redis's address."""
    address = RedisAddress.parse(value)
    if address.tls is not None:
        address.tls.check_files()
    return value


def origins(value: str) -> str:
    """A reader of origins as browsers send them, or `*`, separated by spaces or commas."""
    named = value.replace(",", " ").split()
    for each in named:
        parts = urlsplit(address("https", "http")(each)) if each != "*" else None
        if parts is not None and each != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(f"must name origins without a path, such as https://shop.example, not {each}")
    return " ".join(named)


def base(value: str) -> str:
    """A reader of the address that paths are appended to: http or https, without a query."""
    read = address("https", "http")(value).rstrip("/")
    if urlsplit(read).query or urlsplit(read).fragment:
        raise ValueError("must not have a query or a fragment")
    return read


def seed(value: str) -> str:
    """A reader of 32 bytes in base64."""
    seed_of(value)
    return value


def setting(read: Callable[[str], Any], default: Any, *, secret: bool = False) -> Any:
    """A field: how its text is read, and what it is when unset. A secret never shows in a repr."""
    return field(default=default, repr=not secret, metadata={"read": read})


WEB = ("http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that may differ between two installations."""

    environment: Environment = setting(one_of("development", "production"), "development")
    host: str = setting(text, "127.0.0.1")
    port: int = setting(whole(1, 65535), 8000)
    public_url: str = setting(base, "")
    metrics_port: int = setting(whole(0, 65535), 0)
    trusted_proxies: str = setting(networks, "")
    data_dir: Path = setting(Path, Path(".boxoffice"))
    log_level: str = setting(one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
    log_format: LogFormat = setting(one_of("auto", "json", "text"), "auto")
    process_name: str = setting(label, "")

    database_url: str = setting(database_address, "", secret=True)
    database_direct_url: str = setting(database_address, "", secret=True)
    database_pool_size: int = setting(whole(2, 200), 10)
    redis_url: str = setting(redis_address, "", secret=True)
    redis_pool_size: int = setting(whole(2, 500), 20)
    meilisearch_url: str = setting(address(*WEB), "")
    meilisearch_key: str = setting(text, "", secret=True)
    allow_plaintext_stores: bool = setting(flag, False)

    stripe_api_key: str = setting(text, "", secret=True)
    stripe_publishable_key: str = setting(text, "")
    stripe_api_base: str = setting(address(*WEB), "")
    stripe_webhook_secret: str = setting(text, "", secret=True)
    stripe_webhook_secret_previous: str = setting(text, "", secret=True)
    stripe_refunds_per_second: int = setting(whole(1, 1_000), 20)

    jwt_secret: str = setting(text, "", secret=True)
    jwt_secret_previous: str = setting(text, "", secret=True)
    jwks_url: str = setting(address(*WEB), "")
    jwt_issuer: str = setting(text, "")
    jwt_audience: str = setting(text, "")

    ticket_key: str = setting(seed, "", secret=True)
    ticket_key_previous: str = setting(seed, "", secret=True)

    hold_seconds: int = setting(whole(1, 86_400), 480)
    payment_seconds: int = setting(whole(1, 86_400), 600)
    challenge: ChallengeKind = setting(one_of("off", "pow"), "off")
    retain_guest_days: int = setting(whole(0, 36_500), 730)
    retain_queue_days: int = setting(whole(0, 36_500), 30)
    retain_network_days: int = setting(whole(0, 36_500), 30)
    retain_webhook_days: int = setting(whole(0, 36_500), 90)
    retain_claim_days: int = setting(whole(0, 36_500), 90)
    orphan_rule: bool = setting(flag, True)
    claim_seconds: int = setting(whole(1, 3600), 30)
    max_held_per_network: int | Literal[""] = setting(whole(0, 1_000_000), "")
    rate_limit_per_minute: int = setting(whole(0, 10_000_000), 0)
    rate_limit_cost_per_minute: int = setting(whole(0, 1_000_000_000), 0)
    rate_limit_guest_sessions_per_minute: int = setting(whole(0, 1_000_000), 0)
    rate_limit_key_cost_per_minute: int = setting(whole(0, 1_000_000_000), 0)
    rate_limit_network_per_minute: int = setting(whole(0, 1_000_000_000), 0)
    rate_limit_address_cost_per_minute: int = setting(whole(0, 1_000_000_000), 0)
    limit_private_networks: bool = setting(flag, True)
    max_connections_per_network: int = setting(whole(0, 1_000_000), 0)
    max_in_flight: int = setting(whole(8, 10_000), 64)
    max_connections: int = setting(whole(0, 1_000_000), 0)
    request_seconds: int = setting(whole(1, 600), 15)
    drain_seconds: int = setting(whole(0, 60), 0)

    graphiql: bool = setting(flag, True)
    introspection: bool = setting(flag, True)
    trusted_documents: str = setting(text, "")
    allowed_origins: str = setting(origins, "*")

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Self:
        """Reads and checks everything.

        Raises:
            SettingsError: naming the first setting that does not fit.
        """
        found = {**read_dotenv(dotenv), **(os.environ if env is None else env)}
        values = {
            each.name: read_one(PREFIX + each.name.upper(), raw.strip(), each.metadata["read"])
            for each in fields(cls)
            if (raw := found.get(PREFIX + each.name.upper(), "")).strip()
        }
        return cls(**with_production_defaults(values)).checked()

    def checked(self) -> Self:
        """Itself, when the settings fit one another.

        Raises:
            SettingsError: when they do not.
        """
        if self.jwt_secret and self.jwks_url:
            raise SettingsError("Set BOXOFFICE_JWT_SECRET or BOXOFFICE_JWKS_URL, not both.")
        if self.jwks_url and not (self.jwt_issuer and self.jwt_audience):
            raise SettingsError(
                "BOXOFFICE_JWKS_URL needs BOXOFFICE_JWT_ISSUER and BOXOFFICE_JWT_AUDIENCE too."
            )
        if self.jwt_secret_previous and not self.jwt_secret:
            raise SettingsError("BOXOFFICE_JWT_SECRET_PREVIOUS needs BOXOFFICE_JWT_SECRET, which signs now.")
        if self.ticket_key_previous and not self.ticket_key:
            raise SettingsError("BOXOFFICE_TICKET_KEY_PREVIOUS needs BOXOFFICE_TICKET_KEY, which signs now.")
        if self.metrics_port == self.port:
            raise SettingsError("BOXOFFICE_METRICS_PORT must be another port than BOXOFFICE_PORT.")
        if self.environment == "production":
            self.check_production()
        return self

    @property
    def has_public_operations(self) -> bool:
        """Whether metrics and readiness are served on the public port."""
        return self.environment == "development"

    @property
    def webhook_secrets(self) -> list[str]:
        """The signing secrets of Stripe's webhooks: the present one, and the previous while it is rolled."""
        return [each for each in (self.stripe_webhook_secret, self.stripe_webhook_secret_previous) if each]

    @property
    def base_url(self) -> str:
        """What people's browsers reach us by, without a slash at its end."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - compared
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def stop_seconds(self) -> int:
        """The longest that a stop may take, from the signal to the end of the process."""
        return self.drain_seconds + 15

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose pages may read answers and open sockets; `*` is any."""
        return frozenset(self.allowed_origins.split())

    def check_production(self) -> None:
        """Refuses what only a development machine may use.

        Raises:
            SettingsError: with the first fault.
        """
        for fault in production_faults(self):
            raise SettingsError(fault)

    def require(self, *names: str) -> Self:
        """Itself, when each of these fields is configured.

        Raises:
            SettingsError: naming the first that is not.
        """
        for name in names:
            if not getattr(self, name):
                raise SettingsError(f"{PREFIX}{name.upper()} is not set: {HINTS[name]}.")
        return self

    @property
    def session_url(self) -> str:
        """The address of the database without a pooler, for what needs a session: LISTEN and migrations."""
        return self.database_direct_url or self.database_url

    def require_serving(self) -> Self:
        """Itself, when an API or a worker process can run on it.

        Raises:
            SettingsError: naming what is missing.
        """
        self.require("database_url", "redis_url", "stripe_api_key", "stripe_webhook_secret", "ticket_key")
        if self.environment == "production":
            self.require("public_url")
        return self if self.jwks_url else self.require("jwt_secret")

    def environment_variables(self) -> dict[str, str]:
        """The same settings as BOXOFFICE_ variables, for a child process."""
        return {PREFIX + each.name.upper(): written(getattr(self, each.name)) for each in fields(self)}


HINTS = {
    "public_url": "give the https:// address that people's browsers reach this installation by",
    "database_url": "give a postgresql:// address, or start everything with `boxoffice up`",
    "redis_url": "give a redis:// address, or start everything with `boxoffice up`",
    "meilisearch_url": "give Meilisearch's address; without one, search answers from PostgreSQL",
    "stripe_api_key": "give the secret key of your Stripe account",
    "stripe_webhook_secret": "give the signing secret of your Stripe webhook endpoint",
    "ticket_key": "give 32 random bytes in base64, e.g. of `openssl rand -base64 32`",
    "jwt_secret": "give a random secret of 32 bytes or more, or BOXOFFICE_JWKS_URL",
}


def read_dotenv(path: Path | None) -> dict[str, str]:
    """The variables of a .env file; none when there is no such file."""
    if path is None or not path.is_file():
        return {}
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def read_one(name: str, raw: str, read: Callable[[str], object]) -> object:
    """One setting's value.

    Raises:
        SettingsError: when the text does not fit. A secret's text is never repeated.
    """
    try:
        return read(raw)
    except ValueError as fault:
        raise SettingsError(f"{name} {fault}.") from None


LIMITS_IN_PRODUCTION = {
    # One person: ten requests a second for a whole minute, and ten of the most expensive operations.
    "rate_limit_per_minute": 600,
    "rate_limit_cost_per_minute": 200_000,
    # One network: a hall of 5,000 people behind one address. In the busiest minute of a sale each makes 30
    # requests, opens 4 connections of cost 100 and spends 1,200 on operations.
    "rate_limit_network_per_minute": 150_000,
    "rate_limit_address_cost_per_minute": 8_000_000,
    # The same hall, if all of it becomes guests within the five minutes after a sale opens.
    "rate_limit_guest_sessions_per_minute": 1_000,
    # At one process: a socket each, and a fifth of them a second one.
    "max_connections_per_network": 6_000,
}
"""docs/operating.md shows how they were chosen."""


def with_production_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """In production the IDE and introspection are off, limits hold and a challenge is asked, unless given."""
    if values.get("environment") != "production":
        return values
    stricter = {"graphiql": False, "introspection": False, "drain_seconds": 5, "allowed_origins": ""}
    stricter |= {"challenge": "pow"}
    # Behind proxies that are not declared, a private address is a proxy's: everyone's.
    private = {"limit_private_networks": bool(values.get("trusted_proxies"))}
    return {**stricter, **LIMITS_IN_PRODUCTION, **private, **values}


def written(value: object) -> str:
    """A setting's value as text that reads back to it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

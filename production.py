"""What production refuses: secrets of examples and development, unencrypted stores, open doors."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from kit.redis_address import RedisAddress
from kit.seeds import seed_of

if TYPE_CHECKING:
    from settings import Settings

SHORTEST_SECRET = 32
_FEWEST_CHARACTERS = 8
_DEVELOPMENT_PREFIXES = ("sk_test_", "pk_test_", "whsec_local_")
_STRIPE = (
    "stripe_api_key",
    "stripe_publishable_key",
    "stripe_webhook_secret",
    "stripe_webhook_secret_previous",
)
_JWT = ("jwt_secret", "jwt_secret_previous")
_TICKET_KEYS = ("ticket_key", "ticket_key_previous")
# The seeds of docs/entry-codes.md, and of the test vectors of RFC 8032, section 7.1.
_EXAMPLE_SEEDS = frozenset(
    {
        bytes(range(32)),
        bytes(range(32, 64)),
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
        bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
    }
)
_SECRETS = (
    *_JWT,
    "meilisearch_key",
    "stripe_api_key",
    "stripe_webhook_secret",
    "stripe_webhook_secret_previous",
)
# Words of the secrets that stand in documentation and tests; a drawn secret has none of them.
_EXAMPLE_WORDS = (
    "example",
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "0123456789abcdef0123456789abcdef",
    "secret of the tests",
    "of-this-test",
    "for-tests-only",
    "test-master-key",
    "another installation's",
)
_EXAMPLE_PASSWORDS = frozenset(
    {"admin", "bench", "boxoffice", "changeme", "example", "password", "postgres", "redis", "secret", "test"}
)
_ENCRYPTED_MODES = frozenset({"require", "verify-ca", "verify-full"})
# Wider networks than these are no proxies of anybody: fc00::/7 holds the private addresses of IPv6.
_WIDEST_IPV4, _WIDEST_IPV6 = 8, 7

Rule = Callable[["Settings"], Iterator[str]]


def production_faults(settings: "Settings") -> Iterator[str]:
    """Yield a sentence for each setting that production refuses."""
    for rule in _RULES:
        yield from rule(settings)


def _development_secrets(settings: "Settings") -> Iterator[str]:
    for name in _STRIPE:
        if getattr(settings, name).startswith(_DEVELOPMENT_PREFIXES):
            yield f"{_variable(name)} is a development secret, which production refuses."


def _example_secrets(settings: "Settings") -> Iterator[str]:
    advice = "which production refuses: draw a random one, e.g. with `openssl rand -hex 32`."
    for name in _SECRETS:
        if any(word in getattr(settings, name).lower() for word in _EXAMPLE_WORDS):
            yield f"{_variable(name)} is the secret of an example, {advice}"
    for name, url in _stores(settings, "database_url", "database_direct_url", "redis_url"):
        is_remote = bool(url.hostname) and not _is_this_machine(url.hostname or "")
        if is_remote and (url.password or "").lower() in _EXAMPLE_PASSWORDS:
            yield f"{_variable(name)} has the password of an example, {advice}"


def _stores(settings: "Settings", *names: str) -> Iterator[tuple[str, SplitResult]]:
    """Settings with the addresses that they name, one for each of the hosts between commas."""
    for name in names:
        scheme, _, rest = getattr(settings, name).partition("://")
        hosts, slash, path = rest.partition("/")
        user, at, hosts = hosts.rpartition("@")
        for host in hosts.split(","):
            yield name, urlsplit(f"{scheme}://{user}{at}{host}{slash}{path}")


def _weak_secrets(settings: "Settings") -> Iterator[str]:
    for name in _JWT:
        secret = getattr(settings, name)
        if secret and len(secret.encode()) < SHORTEST_SECRET:
            yield f"{_variable(name)} needs at least {SHORTEST_SECRET} bytes."
        if secret and len(set(secret)) < _FEWEST_CHARACTERS:
            yield f"{_variable(name)} is guessable: draw a random one."


def _example_ticket_keys(settings: "Settings") -> Iterator[str]:
    advice = "draw a random one, e.g. with `openssl rand -base64 32`."
    for name in _TICKET_KEYS:
        value = getattr(settings, name)
        if not value:
            continue
        seed = seed_of(value)
        if seed in _EXAMPLE_SEEDS:
            yield f"{_variable(name)} is the key of an example, which production refuses: {advice}"
        elif len(set(seed)) < _FEWEST_CHARACTERS or seed.isascii():
            # 32 random bytes are all below 128 once in four billion draws: it is a text somebody made up.
            yield f"{_variable(name)} is guessable: {advice}"


def _plain_addresses(settings: "Settings") -> Iterator[str]:
    for name in ("public_url", "stripe_api_base", "jwks_url"):
        value = getattr(settings, name)
        if value and urlsplit(value).scheme != "https":
            yield f"{_variable(name)} must be https in production."


def _open_stores(settings: "Settings") -> Iterator[str]:
    if settings.allow_plaintext_stores:
        return
    encrypted: dict[str, tuple[str, Callable[[SplitResult], bool]]] = {
        "database_url": ("sslmode=verify-full", _has_encrypted_mode),
        "database_direct_url": ("sslmode=verify-full", _has_encrypted_mode),
        "redis_url": ("rediss://", lambda url: url.scheme.startswith("rediss")),
        "meilisearch_url": ("https://", lambda url: url.scheme == "https"),
    }
    or_allow = "or say that its network is private with BOXOFFICE_ALLOW_PLAINTEXT_STORES=yes."
    for name, url in _stores(settings, *encrypted):
        remedy, is_encrypted = encrypted[name]
        if not url.hostname or _is_this_machine(url.hostname):
            continue
        if not is_encrypted(url):
            yield f"{_variable(name)} reaches another machine without TLS: use {remedy}, {or_allow}"
        has_password = bool(settings.meilisearch_key) if name == "meilisearch_url" else bool(url.password)
        if not has_password:
            missing = "BOXOFFICE_MEILISEARCH_KEY" if name == "meilisearch_url" else "a password"
            yield f"{_variable(name)} reaches another machine without a password: give {missing}, {or_allow}"


def _unverified_redis(settings: "Settings") -> Iterator[str]:
    if not settings.redis_url or settings.allow_plaintext_stores:
        return
    address = RedisAddress.parse(settings.redis_url)
    is_remote = not all(_is_this_machine(host) for host, _ in address.hosts)
    if is_remote and address.tls is not None and not (address.tls.verifies and address.tls.checks_host_name):
        yield (
            "BOXOFFICE_REDIS_URL reaches another machine whose certificate is not verified: remove "
            "ssl_cert_reqs and ssl_check_hostname, and give the authority with ssl_ca_certs."
        )


def _has_encrypted_mode(url: SplitResult) -> bool:
    return parse_qs(url.query).get("sslmode", [""])[-1] in _ENCRYPTED_MODES


def _is_this_machine(host: str) -> bool:
    name = unquote(host)
    if name == "localhost" or name.startswith("/"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _open_origins(settings: "Settings") -> Iterator[str]:
    if "*" in settings.allowed_origins.split():
        yield "BOXOFFICE_ALLOWED_ORIGINS must name origins in production, not *."


def _every_proxy(settings: "Settings") -> Iterator[str]:
    for text in filter(None, (item.strip() for item in settings.trusted_proxies.split(","))):
        if _is_too_wide(ip_network(text)):
            yield (
                f"BOXOFFICE_TRUSTED_PROXIES has {text}, which trusts strangers' addresses: "
                "name the networks of your own proxies."
            )


def _is_too_wide(network: IPv4Network | IPv6Network) -> bool:
    return network.prefixlen < (_WIDEST_IPV4 if network.version == 4 else _WIDEST_IPV6)


def _variable(name: str) -> str:
    return f"BOXOFFICE_{name.upper()}"


_RULES: tuple[Rule, ...] = (
    _development_secrets,
    _example_secrets,
    _weak_secrets,
    _example_ticket_keys,
    _plain_addresses,
    _open_stores,
    _unverified_redis,
    _open_origins,
    _every_proxy,
)

"""The address of Redis: one server, the seeds of a cluster, or Sentinels; plain or by TLS.

    redis://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?OPTION=VALUE
    redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT
    redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE/DATABASE

`rediss` instead of `redis` is TLS. The certificate and the host's name are verified, unless an option says
otherwise.
"""

import ssl
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

Host = tuple[str, int]


class RedisKind(StrEnum):
    """What the hosts of an address are."""

    SERVER = "redis"
    """One server; where it is a node of a cluster, that cluster's seeds"""
    CLUSTER = "redis+cluster"
    SENTINEL = "redis+sentinel"


_DEFAULT_PORTS = {RedisKind.SENTINEL: 26_379}
_DEFAULT_PORT = 6379
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_FORM = (
    "must name HOST:PORT, or several separated by commas; special characters of a password are written as %XX"
)
_SCHEMES = "redis://, redis+cluster:// or redis+sentinel://, with rediss instead of redis for TLS"
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


@dataclass(frozen=True, slots=True)
class Tls:
    """How connections are encrypted; the files are read for each one, so new certificates need no restart."""

    ca_file: str = ""
    """Certificates of authorities, instead of the system's"""
    certificate_file: str = ""
    """Our own certificate, with which we authenticate; its key may be in the same file"""
    key_file: str = ""
    verifies: bool = True
    checks_host_name: bool = True

    def context(self) -> ssl.SSLContext:
        """What a connection is made with.

        Raises:
            OSError: A file cannot be read, or holds no certificate or key.
        """
        context = ssl.create_default_context(cafile=self.ca_file or None)
        context.check_hostname = self.verifies and self.checks_host_name
        context.verify_mode = ssl.CERT_REQUIRED if self.verifies else ssl.CERT_NONE
        if self.certificate_file:
            context.load_cert_chain(self.certificate_file, self.key_file or None)
        return context

    def check_files(self) -> None:
        """Read every file.

        Raises:
            ValueError: One does not fit; the message continues a sentence about the address.
        """
        try:
            self.context()
        except OSError as fault:
            named = " and ".join(filter(None, (self.ca_file, self.certificate_file, self.key_file)))
            raise ValueError(f"names certificates or keys that cannot be read ({named}): {fault}") from None


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is, and how we authenticate there."""

    kind: RedisKind
    hosts: tuple[Host, ...]
    username: str = ""
    password: str = ""
    database: int = 0
    service: str = ""
    """The name by which Sentinels know the primary"""
    sentinel_username: str = ""
    sentinel_password: str = ""
    tls: Tls | None = None
    protocol: int | None = None
    """The version of the wire protocol, 2 or 3"""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an address.

        Raises:
            ValueError: It does not fit; the message continues a sentence about it, and repeats no secret.
        """
        scheme, separator, rest = url.partition("://")
        plain = "redis" + scheme.removeprefix("rediss") if scheme.startswith("rediss") else scheme
        if plain not in {kind.value for kind in RedisKind} or not separator:
            raise ValueError(f"must begin with {_SCHEMES}")
        kind = RedisKind(plain)
        if "#" in rest:
            raise ValueError(_FORM)
        rest, _, query = rest.partition("?")
        authority, _, path = rest.partition("/")
        user, _, hosts = authority.rpartition("@")
        username, _, password = user.partition(":")
        named = tuple(_host(each, _DEFAULT_PORTS.get(kind, _DEFAULT_PORT)) for each in hosts.split(","))
        options = _options(kind, query, encrypted=scheme != plain)
        service, database = _service_and_database(kind, path)
        return cls(
            kind=kind,
            hosts=named,
            username=unquote(username),
            password=unquote(password),
            database=database,
            service=service,
            sentinel_username=options.get("sentinel_username", ""),
            sentinel_password=options.get("sentinel_password", ""),
            tls=_tls(options) if scheme != plain else None,
            protocol=_protocol(options),
        )


def _host(text: str, default_port: int) -> Host:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or parts.path or parts.fragment or text.endswith(":"):
        raise ValueError(_FORM)
    return host, port or default_port


def _service_and_database(kind: RedisKind, path: str) -> tuple[str, int]:
    service, number = "", path.rstrip("/")
    if kind is RedisKind.SENTINEL:
        service, _, number = number.partition("/")
        if not service:
            raise ValueError(
                "must name what the Sentinels watch after the hosts: redis+sentinel://HOST:26379,HOST:26379/mymaster"
            )
    if number and not (number.isascii() and number.isdigit() and len(number) < 6):
        raise ValueError("must end with the number of a database, such as /0")
    if kind is RedisKind.CLUSTER and int(number or 0):
        raise ValueError(f"names database {number}, but a cluster has database 0 alone")
    return unquote(service), int(number or 0)


def _options(kind: RedisKind, query: str, *, encrypted: bool) -> dict[str, str]:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError:
        raise ValueError("must have options as NAME=VALUE, separated by &") from None
    known = ["protocol", *_TLS_OPTIONS, *_SENTINEL_OPTIONS]
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"has the option {name!r}, which is not one of {', '.join(known)}")
        if not value:
            raise ValueError(f"has the option {name} without a value")
        if name in _TLS_OPTIONS and not encrypted:
            raise ValueError(f"has the option {name}, which needs rediss instead of redis")
        if name in _SENTINEL_OPTIONS and kind is not RedisKind.SENTINEL:
            raise ValueError(f"has the option {name}, which needs redis+sentinel://")
    return options


def _tls(options: dict[str, str]) -> Tls:
    requirement = options.get("ssl_cert_reqs", "required")
    if requirement not in ("required", "none"):
        raise ValueError("has an ssl_cert_reqs other than required and none")
    checks_name = options.get("ssl_check_hostname", "yes").lower()
    if checks_name not in _YES + _NO:
        raise ValueError("has an ssl_check_hostname other than yes and no")
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise ValueError("has the option ssl_keyfile, which needs ssl_certfile")
    return Tls(
        ca_file=options.get("ssl_ca_certs", ""),
        certificate_file=options.get("ssl_certfile", ""),
        key_file=options.get("ssl_keyfile", ""),
        verifies=requirement == "required",
        checks_host_name=checks_name in _YES,
    )


def _protocol(options: dict[str, str]) -> int | None:
    version = options.get("protocol")
    if version not in (None, "2", "3"):
        raise ValueError("has a protocol other than 2 and 3")
    return int(version) if version else None

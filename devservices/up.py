"""`boxoffice up`: embeds every part that is not configured, and supervises the API and the worker."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from devservices.credentials import Credentials, credentials_of
from devservices.data_dir import end_leftovers, exclusive, publish_settings
from devservices.local_stripe import LocalStripe
from devservices.meilisearch import Meilisearch, find_binary
from devservices.part import Part, PartError
from devservices.ports import is_free
from devservices.postgres import Postgres
from devservices.process import Api, Command
from devservices.supervisor import Say, Supervisor
from devservices.valkey import Valkey
from settings import Settings, SettingsError

EMBEDDED_NEEDS = {
    "database_url": "PostgreSQL",
    "redis_url": "Redis",
    "stripe_api_key": "Stripe",
    "stripe_webhook_secret": "Stripe's webhooks",
}


class StopRequestedError(Exception):
    """A signal asks `up` to stop: Ctrl-C, SIGTERM or SIGHUP."""


def up(
    settings: Settings,
    *,
    workers: int,
    demo: bool,
    say: Say,
    announce: Callable[[Settings], None],
) -> None:
    """Runs the whole installation until a stop signal, then stops it in order.

    Raises:
        SettingsError: a part is not configured in production.
        PartError: the data dir or the port is in use, or a part does not start.
    """
    if settings.environment == "production":
        refuse_embedding(settings)
    home = settings.data_dir.resolve()
    with exclusive(home):
        raise_on_signals()
        supervisor = Supervisor(say)
        try:
            end_leftovers(home)
            with reserved_port(settings.host, settings.port):
                complete = start_everything(settings, supervisor, workers=workers, demo=demo)
                announce(complete)
                with in_background(Command(home, "demo", ["demo"], complete)) if demo else nullcontext():
                    supervisor.watch()
        except StopRequestedError:
            say("stopping")
        finally:
            ignore_signals()
            supervisor.stop()
            (home / "run" / "settings.json").unlink(missing_ok=True)


def start_everything(settings: Settings, supervisor: Supervisor, *, workers: int, demo: bool) -> Settings:
    """Starts the parts, migrates the database, starts Boxoffice's processes; returns their settings."""
    home = settings.data_dir.resolve()
    credentials = credentials_of(home)
    parts = embedded_parts(settings, credentials, home)
    supervisor.start(parts)
    complete = completed(settings, credentials, parts)
    publish_settings(home, complete)
    Command(home, "migrate", ["migrate"], complete).run_to_end()
    if demo:
        Command(home, "demo", ["demo", "--invented-only"], complete).run_to_end()
    searching = with_search_key(complete, parts)
    apis = [Api(home, number, searching) for number in range(workers)]
    supervisor.start([*apis, Command(home, "worker", ["worker"], complete)])
    return complete


@contextmanager
def in_background(command: Command) -> Iterator[None]:
    """Runs a command during the body, such as loading the 16,000 real concerts."""
    command.begin()
    try:
        yield
    finally:
        command.stop()


def embedded_parts(settings: Settings, credentials: Credentials, home: Path) -> list[Part]:
    """The parts without a configured address."""
    parts: list[Part] = []
    if not settings.database_url:
        parts.append(Postgres(home, credentials.postgres_password))
    if not settings.redis_url:
        parts.append(Valkey(home, credentials.redis_password))
    binary = None if settings.meilisearch_url else find_binary()
    if binary is not None and settings.environment == "development":
        parts.append(Meilisearch(home, credentials.meilisearch_key, binary))
    if not (settings.stripe_api_key or settings.stripe_api_base):
        webhook_url = f"http://{reachable(settings.host)}:{settings.port}/webhooks/stripe"
        secret = settings.stripe_webhook_secret or credentials.stripe_webhook_secret
        parts.append(LocalStripe(home, webhook_url, secret))
    return parts


def completed(settings: Settings, credentials: Credentials, parts: list[Part]) -> Settings:
    """The settings completed with the addresses of embedded parts and development secrets."""
    found: dict[str, str] = {}
    for part in parts:
        found |= addresses(part, credentials)
    if not (settings.jwt_secret or settings.jwks_url):
        found["jwt_secret"] = credentials.jwt_secret
    found["ticket_key"] = credentials.ticket_key
    unset = {name: value for name, value in found.items() if not getattr(settings, name)}
    whole = replace(settings, data_dir=settings.data_dir.resolve(), **unset)  # type: ignore[arg-type]  # names are of text fields
    return whole.checked().require_serving()


def with_search_key(settings: Settings, parts: list[Part]) -> Settings:
    """The settings of an API process: the embedded Meilisearch's key that only searches."""
    engine = next((part for part in parts if isinstance(part, Meilisearch)), None)
    return settings if engine is None else replace(settings, meilisearch_key=engine.search_key())


def addresses(part: Part, credentials: Credentials) -> dict[str, str]:
    """The settings with the address of an embedded part."""
    match part:
        case Postgres():
            return {"database_url": part.url()}
        case Valkey():
            return {"redis_url": part.url()}
        case Meilisearch():
            return {"meilisearch_url": part.url(), "meilisearch_key": part.index_key()}
        case LocalStripe():
            return {
                "stripe_api_base": part.url(),
                "stripe_api_key": credentials.stripe_api_key,
                "stripe_publishable_key": "pk_test_local",
                "stripe_webhook_secret": part.webhook_secret,
            }
    raise AssertionError(part.name)


def refuse_embedding(settings: Settings) -> None:
    """Refuses to embed parts in production.

    Raises:
        SettingsError: a part is not configured; the message names it.
    """
    for name, part in EMBEDDED_NEEDS.items():
        if not getattr(settings, name):
            raise SettingsError(f"Production does not run an embedded {part}: set BOXOFFICE_{name.upper()}.")
    settings.require_serving()


class reserved_port:  # noqa: N801 - used as a context manager
    """Reserves the API's port while API processes restart.

    The socket is bound but does not listen, so it gets no connections; the API processes bind to the
    same port with SO_REUSEPORT.

    Raises:
        PartError: another process listens on the port.
    """

    def __init__(self, host: str, port: int) -> None:
        if not is_free(port, host):
            raise PartError(
                f"Port {port} is in use: stop the process that listens on it, or choose another with --port."
            )
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.socket.bind((host, port))

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def reachable(host: str) -> str:
    """The address of a server bound to `host`, from this machine."""
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound


def raise_on_signals() -> None:
    """Turns the stop signals into an exception in the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, raise_stop)


def raise_stop(number: int, frame: FrameType | None) -> NoReturn:
    ignore_signals()
    raise StopRequestedError(signal.Signals(number).name)


def ignore_signals() -> None:
    """Ignores further stop signals during the shutdown."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def default_workers() -> int:
    """The default number of API processes: one a core, at most two."""
    return min(os.cpu_count() or 1, 2)

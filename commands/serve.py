"""One API process: uvicorn on uvloop and httptools, on a port it may share."""

import asyncio
import contextlib
import gc
import logging
import resource
import socket
from collections.abc import Iterator, Sequence
from types import FrameType

import uvicorn
import uvloop
from starlette.applications import Starlette

from commands.logs import log_as
from endpoints.trust import client_behind, in_both_forms
from kit.exit_deadline import ExitDeadline
from settings import Settings
from transport import WebSocketProtocol, bounded_http_protocol, peer_address

log = logging.getLogger("boxoffice.serving")

BACKLOG = 2048
GRACEFUL_SECONDS = 8
BODY_LIMIT_BYTES = 1_000_000
KEPT_FILES = 512  # for pools, logs and other files than clients' connections


class PortTakenError(Exception):
    """Another process listens on the port; the message says what to do."""


class Server(uvicorn.Server):
    """Uvicorn that ends subscriptions before it stops accepting connections."""

    beside: "OperationsServer | None" = None

    def __init__(self, config: uvicorn.Config, deadline: ExitDeadline) -> None:
        super().__init__(config)
        self._deadline = deadline

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; the process ends before its deadline, whatever hangs."""
        self._deadline.arm(asyncio.get_running_loop())
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and beside it for metrics and readiness where they have a port of their own."""
        await super().startup(sockets)
        if self.beside is not None:
            self.beside.start()

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Stop being ready, end subscriptions, accept no more connections, and finish running requests."""
        app: Starlette = self.config.app  # type: ignore[assignment]  # set by `serve`
        await app.state.drain()
        await super().shutdown(list(sockets or ()))
        if self.beside is not None:
            await self.beside.stop()


class OperationsServer(uvicorn.Server):
    """A second server in the same process, for metrics and readiness."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, server_header=False)
        )
        self._listener = listener
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the first server."""
        yield

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self.serve([self._listener]))

    async def stop(self) -> None:
        """End, and wait for the end."""
        self.should_exit = True
        if self._task is not None:
            await self._task


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish running requests for at most 8 s.

    Raises:
        PortTakenError: when somebody else listens on the port.
        SettingsError: Redis refuses its address.
    """
    from app import create_app
    from parts import check_redis

    log_as(settings)
    uvloop.run(check_redis(settings))
    app = create_app(settings)
    server = Server(configured(app, settings), ExitDeadline(settings.stop_seconds))
    if settings.metrics_port:
        listener = listening_socket(settings.host, settings.metrics_port, "METRICS_PORT")
        server.beside = OperationsServer(app.state.operations, listener)
    elif not settings.has_public_operations:
        log.warning("metrics and readiness are off: set BOXOFFICE_METRICS_PORT to serve them")
    # Objects made until now stay: collecting garbage among them would stop the loop for tens of milliseconds.
    gc.collect()
    gc.freeze()
    # The objects of running requests are no garbage; a collection every 700 objects took a tenth of the CPU.
    gc.set_threshold(5_000, 10, 10)
    server.run(sockets=[listening_socket(settings.host, settings.port)])


def configured(app: Starlette, settings: Settings) -> uvicorn.Config:
    """Return the configuration of uvicorn."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=bounded_http_protocol(
            app.state.pipeline,
            most_connections(settings),
            settings.request_seconds,
            app.state.fast_path,
            client_behind(settings.trusted_proxies) if settings.trusted_proxies else peer_address,
        ),
        ws=WebSocketProtocol,
        ws_max_size=BODY_LIMIT_BYTES,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        log_config=None,
        access_log=False,
        server_header=False,
        # X-Forwarded-For of any other client is ignored: limits count by address.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=in_both_forms(settings.trusted_proxies),
    )


def most_connections(settings: Settings) -> int:
    """Return the limit of connections: the setting, within the process's limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 1_048_576)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = max(hard - KEPT_FILES, 64)
    return min(settings.max_connections or possible, possible)


def listening_socket(host: str, port: int, setting: str = "PORT") -> socket.socket:
    """Return a socket that shares its port with the other API processes.

    It does not listen yet: uvicorn does that once the application has started, and until then
    the kernel hands this process no connection.

    Raises:
        PortTakenError: when one that does not share has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise PortTakenError(
            f"Cannot listen on {host}:{port} ({fault.strerror}): choose another BOXOFFICE_{setting}."
        ) from None
    return listener

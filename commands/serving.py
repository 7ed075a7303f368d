"""One API process: uvicorn on uvloop and httptools, on a port it may share."""

import gc
import resource
import socket
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette

from commands.logs import log_as
from endpoints.trust import client_behind
from settings import Settings
from transport import WebSocketProtocol, bounded_http_protocol, peer_address

BACKLOG = 2048
GRACEFUL_SECONDS = 8
BODY_LIMIT_BYTES = 1_000_000
KEPT_FILES = 512  # for pools, logs and whatever else is no client


class PortTakenError(Exception):
    """Somebody else listens on the port; the message says what to do."""


class Server(uvicorn.Server):
    """Uvicorn that says goodbye before it closes its doors."""

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Not ready any more; subscribers sent elsewhere; then no new connection, and what runs ends."""
        app: Starlette = self.config.app  # type: ignore[assignment]  # what `serve` gave it
        await app.state.drain()
        await super().shutdown(list(sockets or ()))


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it began, 8 s at most.

    Raises:
        PortTakenError: when somebody else listens on the port.
    """
    from app import create_app

    log_as(settings)
    server = Server(configured(create_app(settings), settings))
    # What is here by now stays: looking for garbage among it would stop the loop for tens of milliseconds.
    gc.collect()
    gc.freeze()
    # What requests in hand hold is no garbage. A look at it with every 700 objects took a tenth of the CPU.
    gc.set_threshold(5_000, 10, 10)
    server.run(sockets=[listening_socket(settings.host, settings.port)])


def configured(app: Starlette, settings: Settings) -> uvicorn.Config:
    """Uvicorn as it serves the application."""
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
        forwarded_allow_ips=settings.trusted_proxies,
    )


def most_connections(settings: Settings) -> int:
    """So many at once as are wanted and as the process may have files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 1_048_576)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = max(hard - KEPT_FILES, 64)
    return min(settings.max_connections or possible, possible)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that shares its port with the siblings of this process.

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
            f"Cannot listen on {host}:{port} ({fault.strerror}): choose another BOXOFFICE_PORT."
        ) from None
    return listener

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
KEPT_FILES = 512  # for pools, logs and other files than clients' connections


class PortTakenError(Exception):
    """Another process listens on the port; the message says what to do."""


class Server(uvicorn.Server):
    """Uvicorn that ends subscriptions before it stops accepting connections."""

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Stop being ready, end subscriptions, accept no more connections, and finish running requests."""
        app: Starlette = self.config.app  # type: ignore[assignment]  # set by `serve`
        await app.state.drain()
        await super().shutdown(list(sockets or ()))


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish running requests for at most 8 s.

    Raises:
        PortTakenError: when somebody else listens on the port.
    """
    from app import create_app

    log_as(settings)
    server = Server(configured(create_app(settings), settings))
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
        forwarded_allow_ips=settings.trusted_proxies,
    )


def most_connections(settings: Settings) -> int:
    """Return the limit of connections: the setting, within the process's limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 1_048_576)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = max(hard - KEPT_FILES, 64)
    return min(settings.max_connections or possible, possible)


def listening_socket(host: str, port: int) -> socket.socket:
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
            f"Cannot listen on {host}:{port} ({fault.strerror}): choose another BOXOFFICE_PORT."
        ) from None
    return listener

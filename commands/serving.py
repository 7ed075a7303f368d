"""One API process: uvicorn on uvloop and httptools, on a port it may share."""

import socket

import uvicorn

from commands.logs import log_as
from settings import Settings

BACKLOG = 2048
GRACEFUL_SECONDS = 8
PING_SECONDS = 12  # clients and proxies hear from us every 15 s at least
BODY_LIMIT_BYTES = 1_000_000


class PortTakenError(Exception):
    """Somebody else listens on the port; the message says what to do."""


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it began, 8 s at most.

    Raises:
        PortTakenError: when somebody else listens on the port.
    """
    from app import create_app

    log_as(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            loop="uvloop",
            http="httptools",
            ws="websockets-sansio",  # waits while a slow client's buffer is full
            ws_per_message_deflate=False,  # 300 kB a connection, for messages of a few hundred bytes
            ws_ping_interval=PING_SECONDS,
            ws_max_size=BODY_LIMIT_BYTES,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    )
    server.run(sockets=[listening_socket(settings.host, settings.port)])


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

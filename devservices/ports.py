"""Loopback ports: a free one, kept after a restart."""

import socket
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there, without SO_REUSEPORT, so that shared ports count as used."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def is_listening(port: int, host: str = HOST) -> bool:
    """Whether a connection is accepted there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def remembered_port(path: Path) -> int:
    """The port in this file if it is free, else a new one, which is written to the file.

    Clients know addresses with the port, so a restarted part keeps its port.
    """
    try:
        port = int(path.read_text())
    except (OSError, ValueError):
        port = 0
    if not (0 < port < 65536 and is_free(port)):
        port = free_port()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{port}\n")
    return port

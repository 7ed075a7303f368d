"""Connections that can be cut without an answer, as a network does it."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

OPEN: dict[tuple[str, int], asyncio.Transport] = {}


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, its transports known by the peer's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        OPEN[_peer(transport)] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        OPEN.pop(_peer(self.transport), None)
        super().connection_lost(exc)


async def cut(peer: tuple[str, int]) -> None:
    """Resets the peer's connection: it reads ECONNRESET."""
    transport = OPEN.get(peer)
    if transport is None:
        return
    at_once = struct.pack("ii", 1, 0)  # SO_LINGER for zero seconds turns close into a reset
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()
    await asyncio.sleep(0)  # one turn of the loop, in which uvicorn learns that the peer is gone


def _peer(transport: Any) -> tuple[str, int]:
    host, port = transport.get_extra_info("peername")[:2]
    return host, port

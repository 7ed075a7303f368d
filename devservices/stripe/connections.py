"""HTTP connections that can be reset without a response, as by a failing network."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORTS: dict[tuple[str, int], asyncio.Transport] = {}


class ResettableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with its transports by the peer's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        TRANSPORTS[_peer(transport)] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        TRANSPORTS.pop(_peer(self.transport), None)
        super().connection_lost(exc)


async def reset(peer: tuple[str, int]) -> None:
    """Resets the peer's connection: it reads ECONNRESET."""
    transport = TRANSPORTS.get(peer)
    if transport is None:
        return
    linger = struct.pack("ii", 1, 0)  # SO_LINGER for zero seconds turns close into a reset
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await asyncio.sleep(0)  # lets uvicorn notice the lost connection


def _peer(transport: Any) -> tuple[str, int]:
    host, port = transport.get_extra_info("peername")[:2]
    return host, port

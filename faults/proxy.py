"""A TCP proxy that injects network faults: resets, stalls, delays and lost responses."""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field

_CHUNK = 65_536


@dataclass(slots=True, eq=False)
class Link:
    """One client's connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    drop_next: bool = False
    """The server's next response is dropped and the connection reset."""

    def reset(self) -> None:
        """Resets both connections."""
        for writer in (self.client, self.server):
            _reset(writer)


@dataclass(slots=True)
class Proxy:
    """The proxy of one part; without faults it only forwards bytes."""

    upstream: int
    rng: random.Random
    port: int = 0
    refusing: bool = False
    """New connections are reset."""
    stalled: bool = False
    """Responses are dropped and the connections stay open, as behind a broken switch."""
    drop_marker: bytes | None = None
    """Responses to requests that contain these bytes are dropped, after the effect."""
    drop_share: float = 1.0
    """The share of these responses that is dropped."""
    delay_marker: bytes | None = None
    """Requests that contain these bytes are forwarded late."""
    delay_seconds: float = 1.0
    """The maximum delay."""
    links: set[Link] = field(default_factory=set)
    dropped: int = 0
    """The number of dropped responses."""
    server: asyncio.Server | None = None
    host: str = "127.0.0.1"
    """The address that it listens at."""

    async def open(self) -> None:
        """Starts to listen on a free port."""
        self.server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stops listening and resets all connections."""
        if self.server is not None:
            self.server.close()
        self.reset()

    def reset(self) -> None:
        """Resets all connections."""
        for link in list(self.links):
            link.reset()

    def heal(self) -> None:
        """Ends all faults; resets stalled connections, whose responses are lost."""
        if self.stalled:
            self.reset()
        self.refusing, self.stalled, self.delay_marker = False, False, None
        self.drop_marker, self.drop_share = None, 1.0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            _reset(writer)
            return
        try:
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            _reset(writer)
            return
        link = Link(writer, server)
        self.links.add(link)
        try:
            await asyncio.gather(
                self._forward_requests(link, reader), self._forward_responses(link, server_reader)
            )
        except asyncio.CancelledError:
            return  # the campaign was stopped; asyncio would log it as an error
        finally:
            link.reset()
            self.links.discard(link)

    async def _forward_requests(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.drop_marker is not None and self.drop_marker in data:
                    link.drop_next = link.drop_next or self.rng.random() < self.drop_share
                if self.delay_marker is not None and self.delay_marker in data:
                    await asyncio.sleep(self.rng.uniform(0, self.delay_seconds))
                link.server.write(data)
                await link.server.drain()
        _half_close(link.server)

    async def _forward_responses(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if link.drop_next:
                    self.dropped += 1
                    link.reset()
                    return
                if self.stalled:
                    continue
                link.client.write(data)
                await link.client.drain()
        _half_close(link.client)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST instead of FIN, like a firewall or a dead peer."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _half_close(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()

"""A TCP proxy that can fail in the ways that a network does, at the moment that hurts."""

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
    doomed: bool = False
    """The server's next answer is swallowed and the connection cut."""

    def cut(self) -> None:
        """Reset both ends."""
        for writer in (self.client, self.server):
            _reset(writer)


@dataclass(slots=True)
class Proxy:
    """Stands before one part; while nothing is set it only passes bytes on."""

    upstream: int
    dice: random.Random
    port: int = 0
    refusing: bool = False
    """New connections are reset."""
    stalled: bool = False
    """Answers are swallowed and the connections stay open, as behind a dead switch."""
    lost_mark: bytes | None = None
    """The answer to a request that has these bytes in it is lost: it happened, and nobody hears of it."""
    lost_share: float = 1.0
    """How many of those."""
    slow_mark: bytes | None = None
    """A request that has these bytes in it is passed on late."""
    slow_seconds: float = 1.0
    """By as much at most."""
    links: set[Link] = field(default_factory=set)
    lost: int = 0
    """How many answers were lost so far."""
    server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen on a free port."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut what is left."""
        if self.server is not None:
            self.server.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection there is now."""
        for link in list(self.links):
            link.cut()

    def heal(self) -> None:
        """Behave from now on; what was stalled is cut, so that nobody waits for what is gone."""
        if self.stalled:
            self.cut()
        self.refusing, self.stalled, self.slow_mark = False, False, None
        self.lost_mark, self.lost_share = None, 1.0

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
            await asyncio.gather(self._ask(link, reader), self._answer(link, server_reader))
        except asyncio.CancelledError:
            return  # the campaign was stopped; asyncio's streams log it as a fault otherwise
        finally:
            link.cut()
            self.links.discard(link)

    async def _ask(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.lost_mark is not None and self.lost_mark in data:
                    link.doomed = link.doomed or self.dice.random() < self.lost_share
                if self.slow_mark is not None and self.slow_mark in data:
                    await asyncio.sleep(self.dice.uniform(0, self.slow_seconds))
                link.server.write(data)
                await link.server.drain()
        _finish(link.server)

    async def _answer(self, link: Link, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if link.doomed:
                    self.lost += 1
                    link.cut()
                    return
                if self.stalled:
                    continue
                link.client.write(data)
                await link.client.drain()
        _finish(link.client)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a firewall or a dead peer does, not with a polite end."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _finish(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()

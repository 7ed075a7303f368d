"""Load for HTTP servers: prepared bytes over keep-alive connections, and the CPU time that answering took."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_GRACE_SECONDS = 10.0


class LoadError(Exception):
    """A server answered something else than the benchmark is about."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one case."""

    cpu_us: float
    """CPU time of the server, user and system, microseconds a request"""
    requests_a_second: float


class _Asker(asyncio.Protocol):
    """One connection: the next request leaves when the last is answered."""

    def __init__(self, request: bytes, marker: bytes, until: float, done: asyncio.Future[int]) -> None:
        self._request, self._marker, self._until, self._done = request, marker, until, done
        self._received = b""
        self._answered = 0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own is of no such class
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0 or len(self._received) < head_end + 4 + _length(self._received[:head_end]):
            return
        if not self._received.startswith(b"HTTP/1.1 200") or self._marker not in self._received:
            self._fail(self._received[:600].decode(errors="replace"))
            return
        self._received = b""
        self._answered += 1
        if time.monotonic() < self._until:
            self._transport.write(self._request)
        elif not self._done.done():
            self._done.set_result(self._answered)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection was closed")

    def _fail(self, reason: str) -> None:
        if not self._done.done():
            self._done.set_exception(LoadError(reason))

    def close(self) -> None:
        self._transport.close()


def _length(head: bytes) -> int:
    after = head.lower().partition(b"content-length:")[2]
    return int(after.partition(b"\r\n")[0])


async def measure(
    port: int, pid: int, request: bytes, marker: bytes, *, seconds: float, connections: int
) -> Measured:
    """Ask for so long on so many connections; every answer is a 200 that holds the marker.

    Raises:
        LoadError: an answer was another.
        TimeoutError: a connection was not answered.
    """
    loop = asyncio.get_running_loop()
    before, started = cpu_seconds(pid), time.monotonic()
    askers: list[_Asker] = []
    answered: list[asyncio.Future[int]] = []
    for _ in range(connections):
        done: asyncio.Future[int] = loop.create_future()
        asker = _Asker(request, marker, started + seconds, done)
        await loop.create_connection(lambda asker=asker: asker, "127.0.0.1", port)  # type: ignore[misc]
        askers.append(asker)
        answered.append(done)
    async with asyncio.timeout(seconds + _GRACE_SECONDS):
        requests = sum(await asyncio.gather(*answered))
    wall, cpu = time.monotonic() - started, cpu_seconds(pid) - before
    for asker in askers:
        asker.close()
    return Measured(cpu / requests * 1e6, requests / wall)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far, all threads (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def http_request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as a keep-alive client sends it; header names with underscores for their dashes."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body

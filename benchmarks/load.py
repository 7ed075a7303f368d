"""Load for HTTP servers in a closed loop over keep-alive connections, and the CPU time that answering took.

The loop is plain epoll without a framework: a request costs it a third or less of what the fastest server
takes for one, so that the server is the bottleneck. `Measured.busy` shows whether it was.
"""

import gc
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.installation import Server

CONNECTIONS = 32
_GRACE_SECONDS = 10.0
_LARGEST_READ = 262_144
_LENGTH = b"content-length: "


class LoadError(Exception):
    """A server gave another answer than the benchmark is about."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one case."""

    cpu_us: float
    """CPU time of the server, user and system, microseconds a request"""
    requests_a_second: float
    busy: float
    """CPU time of the server over the time that passed: near 1 where the load keeps it busy"""


class _Connection:
    """One connection: the next request leaves when the last is answered."""

    __slots__ = ("_received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def answer(self) -> bytes | None:
        """The whole answer, once it has arrived.

        Raises:
            LoadError: the server closed the connection.
        """
        data = self.socket.recv(_LARGEST_READ)
        if not data:
            raise LoadError("The server closed the connection.")
        data = self._received + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _content_length(data):
            self._received = data
            return None
        self._received = b""
        return data


def _content_length(data: bytes) -> int:
    start = data.index(_LENGTH) + len(_LENGTH)
    return int(data[start : data.index(b"\r", start)])


def measure(server: Server, requests: Iterator[bytes], marker: bytes, *, seconds: float) -> Measured:
    """Send requests for so long on many connections; every answer is a 200 that holds the marker.

    Raises:
        LoadError: an answer was another, or none came.
    """
    poll, connections = select.epoll(), {}
    for _ in range(CONNECTIONS):
        one = _Connection(server.port)
        connections[one.socket.fileno()] = one
        poll.register(one.socket, select.EPOLLIN)
    gc.collect()
    gc.disable()
    try:
        _run(poll, connections, requests, marker, 0.0)  # connecting is not measured
        cpu, began = cpu_seconds(server.pid), time.monotonic()
        answered = _run(poll, connections, requests, marker, seconds)
        used, passed = cpu_seconds(server.pid) - cpu, time.monotonic() - began
    finally:
        gc.enable()
        poll.close()
        for one in connections.values():
            one.socket.close()
    return Measured(used / answered * 1e6, answered / passed, used / passed)


def _run(
    poll: select.epoll,
    connections: dict[int, _Connection],
    requests: Iterator[bytes],
    marker: bytes,
    seconds: float,
) -> int:
    """One request on each connection, and further ones for so long; how many were answered."""
    until = time.monotonic() + seconds
    for one in connections.values():
        one.socket.sendall(next(requests))
    answered, pending = 0, len(connections)
    while pending:
        ready = poll.poll(_GRACE_SECONDS)
        if not ready:
            raise LoadError(f"No answer within {_GRACE_SECONDS:.0f} s.")
        has_ended = time.monotonic() >= until
        for descriptor, _ in ready:
            one = connections[descriptor]
            answer = one.answer()
            if answer is None:
                continue
            if not answer.startswith(b"HTTP/1.1 200") or marker not in answer:
                raise LoadError(answer[:600].decode(errors="replace"))
            answered += 1
            if has_ended:
                pending -= 1
            else:
                one.socket.sendall(next(requests))
    return answered


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far, all threads (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)

"""Serves one API process of a checkout under a profiler: python trace_probe.py TREE PLAN RESULT

PLAN is JSON: for each trace, a list of steps; RESULT becomes JSON: for each trace and step, the calls of the
checkout's own functions, in order, from the bytes' arrival to the last write of the answer. The script
imports nothing but the standard library and, by running `boxoffice serve`, the checkout.

The server runs on asyncio's own event loop, whose reads and writes are Python and so show in the profile.
"""

import asyncio
import base64
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
from asyncio import selector_events
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
START_SECONDS = 60.0
QUIET_SECONDS = 0.03
SETTLE_SECONDS = 0.5
_WRITE: CodeType = selector_events._SelectorSocketTransport.write.__code__  # type: ignore[attr-defined]
_START_OF_FUNCTION = 0


class Recorder:
    """Notes calls of functions below a folder between a read that holds `begins` and the last write."""

    def __init__(self, tree: str) -> None:
        self._prefix = tree.rstrip("/") + "/"
        self._outside = (self._prefix + ".venv/", self._prefix + "node_modules/")
        self._own: dict[CodeType, str | None] = {}
        self._begins = self._answers = b""
        self._calls: list[tuple[str, str]] = []
        self._has_begun = False
        self._transport: object = None
        self._ended_at = 0

    def start(self, begins: bytes, answers: bytes) -> None:
        """Wait for a read that contains `begins`; the answer's first write contains `answers`."""
        self._calls, self._transport, self._ended_at, self._has_begun = [], None, 0, False
        self._answers, self._begins = answers, begins

    def stop(self) -> list[tuple[str, str]]:
        """File and function of each call until the last write to the connection of the answer."""
        self._begins = b""
        return self._calls[: self._ended_at]

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Called by the interpreter for every call and return."""
        if event != "call" or not self._begins:
            return
        code = frame.f_code
        if not self._has_begun:
            if code.co_name != "data_received" or self._begins not in _argument(frame, 1):
                return
            self._has_begun = True
        if code is _WRITE:
            self._note_write(frame)
        elif (path := self._path(code)) is not None and _is_first_entry(frame):
            self._calls.append((path, code.co_qualname))

    def _note_write(self, frame: FrameType) -> None:
        transport = _argument(frame, 0)
        if transport is self._transport or self._answers in bytes(_argument(frame, 1)):
            self._transport = transport
            self._ended_at = len(self._calls)

    def _path(self, code: CodeType) -> str | None:
        """A function's file, relative to the folder; None for comprehensions and for code of others."""
        if code not in self._own:
            name = code.co_filename
            is_own = name.startswith(self._prefix) and not name.startswith(self._outside)
            is_own = is_own and code.co_name not in COMPREHENSIONS
            self._own[code] = name.removeprefix(self._prefix) if is_own else None
        return self._own[code]


def _argument(frame: FrameType, number: int) -> Any:
    return frame.f_locals[frame.f_code.co_varnames[number]]


def _is_first_entry(frame: FrameType) -> bool:
    """Whether a function begins, and is not resumed after an await or a yield: RESUME's operand says so."""
    return frame.f_code.co_code[frame.f_lasti + 1] & 3 == _START_OF_FUNCTION


class Driver:
    """Sends the plan's requests, one after another, from a thread of its own."""

    def __init__(self, recorder: Recorder, port: int, plan: dict[str, Any]) -> None:
        self._recorder = recorder
        self._port = port
        self._plan = plan

    def run(self, result: Path) -> None:
        """Run all, write the result, end the process."""
        try:
            connection = _connected(self._port)
            found = {name: self._trace(connection, steps) for name, steps in self._plan["http"].items()}
            found[self._plan["socket"]["name"]] = self._trace_socket(self._plan["socket"])
            result.write_text(json.dumps(found))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def _trace(self, connection: socket.socket, steps: list[dict[str, str]]) -> list[Any]:
        traces = []
        for step in steps:
            _exchange(connection, step["sign_in"])
            self._recorder.start(b"POST /graphql", b"HTTP/1.1 ")
            answer = _exchange(connection, step["request"])
            time.sleep(QUIET_SECONDS)
            traces.append(self._recorder.stop())
            assert step["marker"].encode() in answer, answer[-600:]
        return traces

    def _trace_socket(self, plan: dict[str, Any]) -> list[Any]:
        """Subscribe here; each step is a change that the other API process makes."""
        subscriber, other = _subscribed(self._port, plan["greeting"]), _connected(plan["other_port"])
        traces = []
        for step in plan["steps"]:
            self._recorder.start(plan["begins"].encode(), b'"next"')
            answer = _exchange(other, step["request"])
            assert step["marker"].encode() in answer, answer[-600:]
            assert b'"next"' in _received(subscriber)
            time.sleep(QUIET_SECONDS)
            traces.append(self._recorder.stop())
        return traces


def _connected(port: int) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _received(connection: socket.socket, before: bytes = b"") -> bytes:
    """What has arrived, some bytes at least."""
    data = connection.recv(262_144)
    assert data, f"The server closed the connection: {before[-600:]!r}"
    return data


def _exchange(connection: socket.socket, request: str) -> bytes:
    """A request's whole answer."""
    connection.sendall(request.encode())
    data = b""
    while True:
        data += _received(connection)
        head, end, body = data.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return data


def _subscribed(port: int, greeting: list[str]) -> socket.socket:
    """A WebSocket that has sent these messages and received its first update."""
    connection = _connected(port)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /graphql HTTP/1.1\r\nhost: tickets.example\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    data = _received(connection)
    assert data.startswith(b"HTTP/1.1 101"), data
    for message in greeting:
        payload = message.encode()
        size = len(payload)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        connection.sendall(head + bytes(4) + payload)
    while b'"next"' not in data:
        data += _received(connection, data)
        assert b'"error"' not in data, data[-600:]
    time.sleep(SETTLE_SECONDS)
    return connection


def main() -> None:
    """Serve until the plan is done."""
    import uvloop

    tree, plan, result = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
    sys.path[0] = tree  # instead of this script's folder
    uvloop.new_event_loop = asyncio.SelectorEventLoop  # type: ignore[assignment]
    recorder = Recorder(tree)
    driver = Driver(recorder, int(os.environ["BOXOFFICE_PORT"]), plan)
    threading.Thread(target=driver.run, args=[result], daemon=True).start()
    sys.argv = ["boxoffice", "serve"]
    sys.setprofile(recorder)
    runpy.run_module("cli", run_name="__main__")


if __name__ == "__main__":
    main()

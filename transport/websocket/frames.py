"""The framing of WebSocket (RFC 6455, section 5), as a server reads and writes it; it does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from websockets.utils import apply_mask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NO_STATUS = 1005
PROTOCOL_ERROR, NOT_UTF8, TOO_BIG, TOO_MANY = 1002, 1007, 1009, 1008
MOST_FRAMES = 1_000
"""In one piece of data: they are all read within one turn of the event loop."""
_DATA, _CONTROL = frozenset({CONTINUATION, TEXT, BINARY}), frozenset({CLOSE, PING, PONG})
_FINAL, _RESERVED, _OPCODE, _MASKED, _SIZE = 0x80, 0x70, 0x0F, 0x80, 0x7F
_CONTROL_BYTES, _MEDIUM, _LONG = 125, 126, 127
_SENDABLE = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})


class FrameFault(Exception):
    """The client broke the protocol: the connection is failed with a close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Received:
    """One message or control frame of a client."""

    opcode: int
    body: bytes = b""
    text: str = ""
    """Of a text message, and the reason of a close."""
    code: int = NO_STATUS
    """Of a close."""


def frame(opcode: int, body: bytes) -> bytes:
    """A whole, unmasked frame."""
    size = len(body)
    if size < _MEDIUM:
        return bytes((_FINAL | opcode, size)) + body
    if size < 1 << 16:
        return bytes((_FINAL | opcode, _MEDIUM)) + size.to_bytes(2) + body
    return bytes((_FINAL | opcode, _LONG)) + size.to_bytes(8) + body


def head_of_text(size_bytes: int) -> bytes:
    """The head of a text message of one frame, whose bytes follow."""
    head = frame(TEXT, b"")[:1]
    if size_bytes < _MEDIUM:
        return head + bytes((size_bytes,))
    if size_bytes < 1 << 16:
        return head + bytes((_MEDIUM,)) + size_bytes.to_bytes(2)
    return head + bytes((_LONG,)) + size_bytes.to_bytes(8)


def text_frame(body: bytes) -> bytes:
    """A whole text message in one frame."""
    return frame(TEXT, body)


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to what one can hold."""
    body = reason.encode()[: _CONTROL_BYTES - 2].decode(errors="ignore").encode()
    return frame(CLOSE, b"" if code == NO_STATUS else code.to_bytes(2) + body)


class FrameReader:
    """Turns the bytes of a client into messages, however they are split."""

    __slots__ = ("_begun", "_most_bytes", "_opcode", "_rest")

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._rest: bytearray | None = None
        self._begun: bytearray | None = None
        """A message whose last fragment is still missing"""
        self._opcode = TEXT

    def feed(self, data: bytes) -> Iterator[Received]:
        """Yield the messages that are complete. Raises: FrameFault, after the messages before it."""
        if self._rest is None:
            source: bytes | bytearray = data
        else:
            self._rest += data
            source = self._rest
        position = frames = 0
        while (found := self._frame_at(source, position)) is not None:
            opcode, is_final, start, position = found
            frames += 1
            if frames > MOST_FRAMES:
                raise FrameFault(TOO_MANY, "Too many frames at once")
            body = apply_mask(source[start:position], source[start - 4 : start])
            received = (
                self._control(opcode, body) if opcode in _CONTROL else self._data(opcode, is_final, body)
            )
            if received is not None:
                yield received
        self._keep(source, position)

    @property
    def held_bytes(self) -> int:
        """The bytes of messages that are not complete."""
        return len(self._rest or b"") + len(self._begun or b"")

    def _keep(self, source: bytes | bytearray, position: int) -> None:
        if position == len(source):
            self._rest = None
        elif source is self._rest:
            del self._rest[:position]
        else:
            self._rest = bytearray(source[position:])

    def _frame_at(self, source: bytes | bytearray, at: int) -> tuple[int, bool, int, int] | None:
        """Opcode, whether it is final, and the body's position; None where the frame is not complete."""
        left = len(source) - at
        if left < 2:
            return None
        first, second = source[at], source[at + 1]
        opcode, is_final = first & _OPCODE, bool(first & _FINAL)
        size, head = second & _SIZE, 6
        self._check(first, second, opcode, is_final)
        if size >= _MEDIUM:
            width = 2 if size == _MEDIUM else 8
            if left < 2 + width:
                return None
            size, head = int.from_bytes(source[at + 2 : at + 2 + width]), 6 + width
        if size + len(self._begun or b"") > self._most_bytes:
            raise FrameFault(TOO_BIG, "Message too big")
        if left < head + size:
            return None
        return opcode, is_final, at + head, at + head + size

    def _check(self, first: int, second: int, opcode: int, is_final: bool) -> None:
        if first & _RESERVED:
            raise FrameFault(PROTOCOL_ERROR, "Reserved bits are set")
        if not second & _MASKED:
            raise FrameFault(PROTOCOL_ERROR, "A client has to mask its frames")
        if opcode in _CONTROL:
            if not is_final or second & _SIZE > _CONTROL_BYTES:
                raise FrameFault(PROTOCOL_ERROR, "A control frame is fragmented or too long")
        elif opcode not in _DATA:
            raise FrameFault(PROTOCOL_ERROR, "Unknown opcode")
        elif (opcode == CONTINUATION) != (self._begun is not None):
            raise FrameFault(PROTOCOL_ERROR, "A fragment is out of order")

    def _data(self, opcode: int, is_final: bool, body: bytes) -> Received | None:
        if self._begun is None:
            self._opcode = opcode
            if not is_final:
                self._begun = bytearray(body)
                return None
        else:
            self._begun += body
            if not is_final:
                return None
            body, self._begun = bytes(self._begun), None
        if self._opcode == BINARY:
            return Received(BINARY, body)
        return Received(TEXT, text=_decoded(body))

    @staticmethod
    def _control(opcode: int, body: bytes) -> Received:
        if opcode != CLOSE:
            return Received(opcode, body)
        if not body:
            return Received(CLOSE)
        code = int.from_bytes(body[:2])
        if len(body) < 2 or not (code in _SENDABLE or 3000 <= code < 5000):
            raise FrameFault(PROTOCOL_ERROR, "No such close code")
        return Received(CLOSE, text=_decoded(body[2:]), code=code)


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise FrameFault(NOT_UTF8, "Text has to be UTF-8") from None

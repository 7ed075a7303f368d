"""WebSocket framing: frames that a client may send, in any pieces, and those that fail the connection."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from transport.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MOST_FRAMES,
    PING,
    PONG,
    TEXT,
    FrameFault,
    FrameReader,
    Received,
    close_frame,
    frame,
)

MASK = b"\x01\x02\x03\x04"
MOST = 100_000


def sent(
    opcode: int, body: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """A frame as a client sends it."""
    size, mask_bit = len(body), 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65_536:
        head += bytes([mask_bit | 126]) + size.to_bytes(2)
    else:
        head += bytes([mask_bit | 127]) + size.to_bytes(8)
    if not masked:
        return head + body
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(body))


def read(*pieces: bytes, most: int = MOST) -> list[Received]:
    reader = FrameReader(most)
    return [received for piece in pieces for received in reader.feed(piece)]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=300).map(lambda text: (TEXT, text)),
            st.binary(max_size=70_000).map(lambda body: (BINARY, body)),
        ),
        max_size=5,
    ),
    st.data(),
)
def test_messages_arrive_whole_when_they_are_fragmented_and_cut_anywhere(
    messages: list[tuple[int, str | bytes]], data: st.DataObject
) -> None:
    stream = b""
    for opcode, content in messages:
        body = content.encode() if isinstance(content, str) else content
        cut = data.draw(st.integers(0, len(body)))
        stream += (
            sent(opcode, body[:cut], final=False) + sent(PING, b"between") + sent(CONTINUATION, body[cut:])
        )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]

    received = read(*pieces)

    assert [each.body for each in received if each.opcode == PING] == [b"between"] * len(messages)
    whole = [each for each in received if each.opcode != PING]
    assert [(each.opcode, each.text if each.opcode == TEXT else each.body) for each in whole] == messages


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (sent(TEXT, b"x", masked=False), 1002),
        (sent(TEXT, b"x", reserved=0x40), 1002),
        (sent(0x3), 1002),
        (sent(0xB), 1002),
        (sent(CONTINUATION, b"x"), 1002),
        (sent(TEXT, b"x", final=False) + sent(TEXT, b"y"), 1002),
        (sent(PING, b"x", final=False), 1002),
        (sent(PING, b"x" * 126), 1002),
        (sent(CLOSE, b"x"), 1002),
        (sent(CLOSE, (999).to_bytes(2)), 1002),
        (sent(CLOSE, (1005).to_bytes(2)), 1002),
        (sent(CLOSE, (1000).to_bytes(2) + b"\xff"), 1007),
        (sent(TEXT, b"\xc3\x28"), 1007),
        (sent(TEXT, "\ud800".encode("utf-8", "surrogatepass")), 1007),
        (sent(TEXT, b"\xc3", final=False) + sent(CONTINUATION, b"\x28"), 1007),
        (sent(TEXT, b"x" * (MOST + 1)), 1009),
        (sent(TEXT, b"x" * MOST, final=False) + sent(CONTINUATION, b"y"), 1009),
        (bytes([0x81, 0xFF]) + b"\xff" * 8, 1009),
    ],
)
def test_connection_is_failed_with_a_code_when_a_frame_breaks_the_rules(piece: bytes, code: int) -> None:
    with pytest.raises(FrameFault) as fault:
        read(sent(PONG, b"before"), piece)

    assert fault.value.code == code


def test_earlier_messages_are_read_when_a_later_frame_breaks_the_rules() -> None:
    reader, texts = FrameReader(MOST), []

    with pytest.raises(FrameFault):
        for received in reader.feed(sent(TEXT, b"good") + sent(0x7)):
            texts.append(received.text)

    assert texts == ["good"]


def test_message_is_refused_by_its_head_when_it_is_too_big() -> None:
    with pytest.raises(FrameFault):
        read(sent(TEXT, b"x" * 5_000)[:8], most=4_999)


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [(b"", 1005, ""), ((1000).to_bytes(2), 1000, ""), ((4403).to_bytes(2) + b"Forbidden", 4403, "Forbidden")],
)
def test_close_has_code_and_reason_when_it_is_read(body: bytes, code: int, reason: str) -> None:
    (received,) = read(sent(CLOSE, body))

    assert (received.opcode, received.code, received.text) == (CLOSE, code, reason)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frame_is_what_the_websockets_library_writes_when_it_is_whole(size: int) -> None:
    body = b"x" * size

    assert frame(TEXT, body) == Frame(Opcode.TEXT, body).serialize(mask=False)


def test_reason_is_cut_at_a_character_when_a_close_frame_cannot_hold_it() -> None:
    written = close_frame(4403, "é" * 100)

    assert len(written) <= 127
    assert written[4:].decode() == "é" * 61


@pytest.mark.parametrize("kind", [PING, PONG, TEXT])
def test_connection_fails_when_too_many_frames_come_at_once(kind: int) -> None:
    reader = FrameReader(MOST)
    assert len(list(reader.feed(sent(kind) * MOST_FRAMES))) == MOST_FRAMES

    with pytest.raises(FrameFault) as fault:
        list(reader.feed(sent(kind) * (MOST_FRAMES + 1)))

    assert fault.value.code == 1008

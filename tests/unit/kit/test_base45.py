"""Base45: RFC 9285's vectors, and the same texts as an independent library writes."""

import base45
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.base45 import base45_decode, base45_encode

RFC_9285 = [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")]


@pytest.mark.parametrize(("data", "text"), RFC_9285)
def test_texts_are_those_of_the_rfc(data: bytes, text: str) -> None:
    assert base45_encode(data) == text
    assert base45_decode(text) == data


@given(st.binary(max_size=200))
def test_texts_are_those_of_another_library(data: bytes) -> None:
    text = base45_encode(data)

    assert text == base45.b45encode(data).decode()
    assert base45_decode(text) == data


@pytest.mark.parametrize("text", ["A", "BB8A", "GGW", ":::", "::", "bb8", "BB8\n", "BB_", "ÄB8"])
def test_text_is_refused_when_no_bytes_are_written_so(text: str) -> None:
    with pytest.raises(ValueError, match="Base45"):
        base45_decode(text)

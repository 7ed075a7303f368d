"""Text from outside."""

import pytest

from domain.errors import InvalidInput
from domain.text_input import email, line, optional_line, paragraphs


def test_a_line_loses_the_spaces_around_it() -> None:
    assert line("  아이유 콘서트 ", "name") == "아이유 콘서트"
    assert optional_line("   ", "name") is None
    assert optional_line(None, "name") is None


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\x00b", "a\nb", "a\x7fb", "a\ud800b"])
def test_what_is_no_line_is_refused_by_its_path(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^venue\.name: "):
        line(text, "venue.name")


def test_paragraphs_may_have_lines_and_nothing_stranger() -> None:
    assert paragraphs("one\n\ttwo\r\n", "description") == "one\n\ttwo"
    for text in ("\x00", "\x1b[31m", "x" * 20_001):
        with pytest.raises(InvalidInput):
            paragraphs(text, "description")


@pytest.mark.parametrize("text", ["a@example.org", " first.last+tag@sub.example.co.kr ", "웃음@예시.한국"])
def test_an_address_is_taken(text: str) -> None:
    assert email(text, "email") == text.strip()


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b.org", "a@b", "a@@b.org", "a b@c.org", "a@b.org,c@d.org", f"{'a' * 250}@b.org"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        email(text, "email")

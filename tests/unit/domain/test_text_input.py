"""Text from outside."""

import pytest

from domain.errors import InvalidInput
from domain.hidden_characters import without_hidden_characters
from domain.text_input import email, line, name, optional_line, optional_name, paragraphs


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Adele\u202elive", "U+202E"),
        ("\u2066Adele\u2069", "U+2066"),
        ("Adele\u200e", "U+200E"),
        ("Ad\u200bele", "U+200B"),
        ("Ad\u200cele", "U+200C"),
        ("Ad\u200dele", "U+200D"),
        ("\u3164", "U+3164"),
        ("Ad\u00adele", "U+00AD"),
        ("Adele\ufeff", "U+FEFF"),
        ("Adele\U000e0041", "U+E0041"),
        ("\u05e9\u200f\u05dc", "U+200F"),
        ("\u0645\u06cc\u200c\u200c\u062e", "U+200C"),
    ],
)
def test_a_name_with_a_hidden_character_is_refused_by_its_path(text: str, shown: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        name(text, "venue.name")

    assert refusal.value.message == f"venue.name: must not have the invisible character {shown}."


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: a non-joiner between letters
        "\u0915\u094d\u200d\u0937",  # Hindi: a half form
        "\u0d28\u0d4d\u200d",  # Malayalam: a chillu at the end of a word
        "\U0001f469\u200d\U0001f3a4",  # a singer, joined of woman and microphone
        "\U0001f469\U0001f3fd\u200d\U0001f3a4",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland's flag
        "\u845b\U000e0100\u57ce",  # Japanese: a variant of a character
        "\u0634\u0627\u062f\u06cc \u05e9\u05dc\u05d5\u05dd",
        "\uc544\uc774\uc720 Sigur R\u00f3s",
    ],
)
def test_a_name_may_have_what_its_script_needs(text: str) -> None:
    assert name(text, "name") == text
    assert optional_name(text, "name") == text
    assert without_hidden_characters(text) == text


def test_hidden_characters_are_removed_where_their_author_cannot_be_asked() -> None:
    assert (
        without_hidden_characters("Ad\u200bele\u202e \u0645\u06cc\u200c\u062e")
        == "Adele \u0645\u06cc\u200c\u062e"
    )


def test_an_address_with_a_hidden_character_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^email: an email address has no invisible characters\."):
        email("a\u200b@example.org", "email")

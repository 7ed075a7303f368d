"""Checked reading of the fields of a JSON object from outside; an error names the field's path."""

import re
from math import isfinite
from typing import Self

from domain.errors import InvalidInput
from domain.hidden_characters import hidden_character, without_hidden_characters

FURTHEST = 1_000_000.0  # plan units on either side of the origin
LONGEST_TEXT = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def tidy(text: str) -> str:
    """The text with single spaces between its words and none at its ends."""
    return " ".join(text.split())


def has_control_character(text: str) -> bool:
    """Whether the text has an unprintable character such as NUL, which PostgreSQL refuses."""
    return any(character < " " or character == "\x7f" for character in text)


class Fields:
    """An object at a path such as `zones[0].rows[3]`; `number` is its index in the list."""

    __slots__ = ("number", "path", "values")

    def __init__(self, value: object, path: str, noun: str, number: int = 0) -> None:
        if not isinstance(value, dict):
            at = f"{path}: " if path else ""
            raise InvalidInput(f"{at}{noun.lower() if path else noun} must be an object.")
        self.values: dict[str, object] = value
        self.path = path
        self.number = number

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def fault(self, name: str, sentence: str) -> InvalidInput:
        """The error for a field."""
        return InvalidInput(f"{self.at(name)}: {sentence}.")

    def text(
        self, name: str, *, optional: bool = False, required: bool = False, drop_hidden: bool = False
    ) -> str:
        """A string; "" where it is `optional` and missing, not empty where it is `required`.

        `drop_hidden` removes invisible characters, which are refused without it.
        """
        value = self.values.get(name)
        if value is None and optional:
            return ""
        if not isinstance(value, str):
            raise self.fault(name, self._instead("a string", name))
        value = tidy(without_hidden_characters(value) if drop_hidden else value)
        if len(value) > LONGEST_TEXT:
            raise self.fault(name, f"is longer than {LONGEST_TEXT} characters")
        if has_control_character(value):
            raise self.fault(name, "has a control character")
        if hidden := hidden_character(value):
            raise self.fault(name, f"must not have the invisible character {hidden}")
        if required and not value:
            raise self.fault(name, "must not be empty")
        return value

    def from_template(self, template: str, value: str, name: str) -> str:
        """The value in place of each %s of a template such as "Table %s"; the value alone without one."""
        text = tidy(template.replace("%s", value)) if template else value
        if len(text) > LONGEST_TEXT:
            raise self.fault(name, f"is longer than {LONGEST_TEXT} characters with its label")
        return text

    def prose(self, name: str, most: int) -> str | None:
        """A text of several lines without control characters; None where it is missing or empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self.fault(name, "must be a string")
        text = _CONTROL.sub("", (value or "").replace("\r\n", "\n")).strip()
        if len(text) > most:
            raise self.fault(name, f"is longer than {most} characters")
        return text or None

    def words(self, name: str) -> list[str]:
        """A list of strings or whole numbers, as strings; [] where it is missing."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(name, "must be a list")
        return [self._word(f"{name}[{number}]", entry) for number, entry in enumerate(value)]

    def key(self, name: str) -> str:
        """An identifier, a string or whole number, as a string."""
        if name not in self.values:
            raise self.fault(name, "is missing")
        return self._word(name, self.values[name])

    def _word(self, name: str, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self.fault(name, "must be a string or a whole number")
        word = tidy(str(value))
        if not 0 < len(word) <= LONGEST_TEXT or has_control_character(word):
            raise self.fault(name, f"must have 1 to {LONGEST_TEXT} printable characters")
        if hidden := hidden_character(word):
            raise self.fault(name, f"must not have the invisible character {hidden}")
        return word

    def color(self, name: str) -> str | None:
        """A CSS colour, or None; it is written to a page, so nothing else is accepted."""
        value = self.text(name, optional=True)
        if value and not _is_color(value):
            raise self.fault(name, f"{value[:40]!r} is not a colour such as #4361ee")
        return value or None

    def amount(self, name: str, default: float | None = None) -> float:
        """A finite number of plan units or degrees."""
        value = self.values.get(name, default)
        # In Python a bool is an int; in JSON it is no number.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(name, self._instead("a number", name))
        if not isfinite(value) or abs(value) > FURTHEST:
            raise self.fault(name, f"must be within {FURTHEST:,.0f} either side of 0")
        return float(value)

    def extent(self, name: str) -> float:
        """A number that is not negative."""
        value = self.amount(name)
        if value < 0:
            raise self.fault(name, "must not be negative")
        return value

    def length(self, name: str) -> int:
        """A size of at least one unit."""
        value = self.amount(name)
        if value < 1:
            raise self.fault(name, "must be at least 1")
        return round(value)

    def point(self, origin: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
        """The x and y of this object, moved by the origin."""
        return origin[0] + self.amount("x"), origin[1] + self.amount("y")

    def position(
        self, name: str, origin: tuple[float, float] = (0.0, 0.0), *, optional: bool = False
    ) -> tuple[float, float]:
        """The x and y of a field, moved by the origin; the origin where it is `optional` and missing."""
        if optional and self.values.get(name) is None:
            return origin
        return self.required(name).point(origin)

    def required(self, name: str) -> Self:
        """A field that is an object."""
        if name not in self.values:
            raise self.fault(name, "is missing")
        return type(self)(self.values[name], self.at(name), "It")

    def optional(self, name: str) -> Self | None:
        """A field that is an object, or None where it is missing."""
        return None if self.values.get(name) is None else self.required(name)

    def entries(self, name: str, noun: str, most: int, *, optional: bool = False) -> list[Self]:
        """A field that is a list of objects."""
        value = self.values.get(name)
        if value is None and optional:
            return []
        if not isinstance(value, list):
            raise self.fault(name, self._instead("a list", name))
        if len(value) > most:
            raise self.fault(name, f"has more than {most:,} entries")
        path = self.at(name)
        return [type(self)(entry, f"{path}[{number}]", noun, number) for number, entry in enumerate(value)]

    def _instead(self, wanted: str, name: str) -> str:
        return f"must be {wanted}" if name in self.values else f"is missing ({wanted} is expected)"


def _is_color(value: str) -> bool:
    if value.startswith("#"):
        return len(value) in (4, 5, 7, 9) and all(c in "0123456789abcdefABCDEF" for c in value[1:])
    if value.isascii() and value.isalpha():
        return True
    name, _, rest = value.partition("(")
    inside = rest.removesuffix(")")
    return (
        name in {"rgb", "rgba", "hsl", "hsla"}
        and rest.endswith(")")
        and all(character in "0123456789.,% /" for character in inside)
    )

"""Seats as people type them: "Row 3 Seat 12", "Stalls A-12", "3열 12번"."""

import re
import unicodedata

from domain.layout import SeatMap

# Runs of letters and runs of digits, so that "A12" is row A, seat 12.
_WORDS = re.compile(r"[^\W\d_]+|\d+")
# What stands before or behind a row and a number, in the languages of the pages and of our plans.
_MARKS = frozenset(
    """
    row seat seats reihe platz sitz rang rangée siège place fila asiento butaca posto rij stoel
    열 행 번 석 좌석 호
    """.split()
)
_MARK_BEHIND = re.compile(r"(?<=.)(?:열|행|번|석)$")


def places_named(seat_map: SeatMap, text: str) -> list[int]:
    """The places whose row and number a text names, perhaps behind the section's name; often none."""
    wanted = _words(text)
    found: list[int] = []
    for section in seat_map.sections:
        for row in section.rows:
            known = _words(f"{section.name} {row.name}")
            for numbers in range(1, len(wanted)):
                if _ends_with(known, wanted[:-numbers]):
                    found += [seat.index for seat in row.seats if _words(seat.number) == wanted[-numbers:]]
    return found


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = [_MARK_BEHIND.sub("", word) for word in _WORDS.findall(folded) if word not in _MARKS]
    return [word.lstrip("0") or "0" if word.isdigit() else word for word in words]


def _ends_with(words: list[str], end: list[str]) -> bool:
    return words[-len(end) :] == end

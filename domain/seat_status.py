"""The status of a place, and the letter that stands for it wherever a whole map is stored or sent."""

from enum import StrEnum

from domain.states import ClaimState


class SeatStatus(StrEnum):
    """The status of one place. The name is public; the value is its letter in Redis, maps and updates."""

    AVAILABLE = "A"
    HELD = "H"
    BOOKED = "B"
    BLOCKED = "X"


# For maps with one byte a place.
FREE, HELD, BOOKED, BLOCKED = (status.encode() for status in SeatStatus)
STATUS_OF_CLAIM: dict[str, SeatStatus] = {
    ClaimState.HELD: SeatStatus.HELD,
    ClaimState.BOOKED: SeatStatus.BOOKED,
    ClaimState.BLOCKED: SeatStatus.BLOCKED,
}
_NAMES: dict[str | int, str] = {
    letter: status.name for status in SeatStatus for letter in (status.value, ord(status))
}


def status_name(letter: str | int) -> str:
    """AVAILABLE, HELD, BOOKED or BLOCKED, from a status letter or its byte."""
    return _NAMES[letter]

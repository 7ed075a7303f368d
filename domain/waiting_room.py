"""The rules of the waiting room: phases, the draw that anyone can check, and the estimated waiting time.

An entry's *place* is a number that never changes; lower places are admitted first. Places below
`FIRST_UNDRAWN_PLACE` are drawn: a keyed hash of the entry's id under a seed, of less weight where many of
its network joined before. The seed's commitment is public before the sale, the seed itself from its start.
Later entries are numbered upwards from `FIRST_UNDRAWN_PLACE`, and those of people who had an admission before
from 2^52 + 2^51: behind everybody who has had none yet, also behind those who still come.
"""

import hashlib
import hmac
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID, uuid5

from domain.errors import InvalidInput

# Places are sorted-set scores, exact up to 2**53: the lower half is drawn, the upper half is by arrival.
FIRST_UNDRAWN_PLACE = 1 << 52
SEED_BYTES = 32
# The weight of a lot is 1 / 2^class; the class follows from how many of the same network joined before.
WEIGHT_CLASSES = 7
# The waiting room opens this long before the sale, where the organiser sets no other time.
PRE_QUEUE = timedelta(hours=24)
LONGEST_PRE_QUEUE_SECONDS = 30 * 86_400

# The mean length of this many visits is accurate to about a fifth.
_ENOUGH_ENDINGS = 20

MOST_PER_MINUTE = 100_000
MOST_ACTIVE = 1_000_000
SHORTEST_ADMISSION_SECONDS = 1
LONGEST_ADMISSION_SECONDS = 86_400


class Phase(StrEnum):
    """CLOSED (off, or not yet open), PRE_QUEUE (before the draw), OPEN (first come, first served)."""

    CLOSED = "CLOSED"
    PRE_QUEUE = "PRE_QUEUE"
    OPEN = "OPEN"


class EntryState(StrEnum):
    """The state of a queue entry: waiting, admitted, out of time, or left by the person."""

    WAITING = "WAITING"
    ADMITTED = "ADMITTED"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"


@dataclass(frozen=True, slots=True)
class WaitingRoomSettings:
    """The settings of an event's waiting room."""

    enabled: bool
    admit_per_minute: int = 600
    max_active: int = 2000
    admission_seconds: int = 600
    pre_queue_seconds: int = int(PRE_QUEUE.total_seconds())

    def __post_init__(self) -> None:
        """Check the numbers. Raises InvalidInput: one is out of its bounds."""
        _bounded("admitPerMinute", self.admit_per_minute, 1, MOST_PER_MINUTE)
        _bounded("maxActive", self.max_active, 1, MOST_ACTIVE)
        _bounded(
            "admissionSeconds",
            self.admission_seconds,
            SHORTEST_ADMISSION_SECONDS,
            LONGEST_ADMISSION_SECONDS,
        )
        _bounded("preQueueSeconds", self.pre_queue_seconds, 0, LONGEST_PRE_QUEUE_SECONDS)


def _bounded(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput(f"{name}: must be between {least} and {most}.")


def phase_of(
    *,
    enabled: bool,
    drawn: bool,
    on_sale_at: datetime | None,
    now: datetime,
    pre_queue: timedelta = PRE_QUEUE,
) -> Phase:
    """The phase at a time; after the draw it stays OPEN, even when the sale is moved."""
    if not enabled:
        return Phase.CLOSED
    if drawn or on_sale_at is None or now >= on_sale_at:
        return Phase.OPEN
    return Phase.PRE_QUEUE if now >= on_sale_at - pre_queue else Phase.CLOSED


def new_seed() -> bytes:
    """A random secret."""
    return secrets.token_bytes(SEED_BYTES)


def commitment_of(seed: bytes) -> str:
    """The commitment that is published before the draw: the seed's SHA-256, in hexadecimal."""
    return hashlib.sha256(seed).hexdigest()


@lru_cache(maxsize=16_384)
def entry_id_of(event_id: UUID, user_id: UUID) -> UUID:
    """The id of an account's one entry for an event; it does not reveal the account's id."""
    return uuid5(event_id, f"queue entry {user_id.hex}")


def drawn_place(seed: bytes, entry_id: UUID, weight_class: int = 0) -> int:
    """The place that the draw gives an entry, from the first 52 bits of HMAC-SHA256(seed, entry id).

    It depends only on the seed, the entry and its weight class, so a person who leaves and joins again gets
    no new lot. The draw needs no pass over the entries: publishing the seed is the draw. As a fraction
    0 <= lot < 1 the place is 1 - (1 - lot)^(2^class), which makes the chance of an entry to be ahead of
    others proportional to its weight, 1 / 2^class; whole numbers keep it exact.
    """
    digest = hmac.digest(seed, entry_id.bytes, "sha256")
    behind = FIRST_UNDRAWN_PLACE - 1 - (int.from_bytes(digest[:7], "big") >> 4)
    power = 1 << weight_class
    return int(FIRST_UNDRAWN_PLACE - 1 - (behind**power >> 52 * (power - 1)))


def weight_class_at(points: int, share: int) -> int:
    """The weight class of the account with which its network has taken `points` of its `share`.

    Class c has room for 2^c shares, so that each class together has the weight of one share.
    """
    return ((points + share - 1) // share).bit_length() - 1


def weight_class_of(seed: bytes, entry_id: UUID, place: int) -> int | None:
    """The weight class in which an entry draws this place; None where it draws it in none."""
    classes = range(WEIGHT_CLASSES)
    return next((each for each in classes if drawn_place(seed, entry_id, each) == place), None)


def verify_draw(commitment: str, seed: bytes, entries: Sequence[tuple[UUID, int]]) -> bool:
    """Whether the committed seed draws these entries and places, in this order."""
    if not hmac.compare_digest(commitment_of(seed), commitment):
        return False
    places = [place for _, place in entries]
    return places == sorted(places) and all(
        weight_class_of(seed, entry_id, place) is not None for entry_id, place in entries
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """The measured pace of a waiting room: how many are shopping, and for how long."""

    admit_per_minute: int
    max_active: int
    admission_seconds: int
    active: int
    # The admissions that ended, and the seconds that people spent shopping; both decay with time.
    endings: float
    shopping_seconds: float

    @property
    def is_measured(self) -> bool:
        """Whether enough admissions have ended; with a small maxActive, that many."""
        return self.endings >= min(_ENOUGH_ENDINGS, self.max_active)

    @property
    def endings_per_second(self) -> float:
        """The rate at which one admission ends.

        The assumption that people stay half of the time they are allowed counts as one measured visit.
        """
        assumed_seconds = self.admission_seconds / 2
        return (self.endings + 1) / (self.shopping_seconds + assumed_seconds)


def eta_seconds(position: int, pace: Pace) -> int | None:
    """Seconds until the person at `position` (1 is next) is admitted, at the measured pace.

    None where it is unknown: the position is beyond the free capacity, and too few visits have ended to
    know their length. While there is capacity, admitPerMinute sets the pace; at the cap, people are admitted
    as other admissions end. The number shopping follows dA/dt = rate - endings x A until it reaches the cap.
    """
    per_second = pace.admit_per_minute / 60
    if not pace.is_measured:
        free = pace.max_active - pace.active
        return math.ceil(position / per_second) if position <= free else None
    ending = pace.endings_per_second
    level = per_second / ending
    if level <= pace.max_active:
        return math.ceil(position / per_second)
    seconds_to_full = 0.0
    if pace.active < pace.max_active:
        seconds_to_full = math.log((level - pace.active) / (level - pace.max_active)) / ending
    admitted_until_full = per_second * seconds_to_full
    if position <= admitted_until_full:
        return math.ceil(position / per_second)
    return math.ceil(seconds_to_full + (position - admitted_until_full) / (ending * pace.max_active))

"""Public ids: a prefix that names the type, and the key in 26 letters.

The ids of places, seats, sections and price levels are that of their event with a number behind it.
"""

from enum import StrEnum
from functools import lru_cache
from uuid import UUID, uuid5

from domain.errors import InvalidInput
from kit.ids import decode_uuid, encode_uuid

_SUBJECTS = UUID("6f2d4cf0-6f0b-5b5e-9a55-0d6c5f3f8a11")
_event_of = lru_cache(maxsize=1024)(decode_uuid)  # a request's parts belong to few events


class Kind(StrEnum):
    """The types that have a key of their own."""

    EVENT = "evt"
    VENUE = "ven"
    PERFORMER = "per"
    USER = "usr"
    ORDER = "ord"
    TICKET = "tkt"
    PAYMENT = "pay"
    REFUND = "ref"
    QUEUE_ENTRY = "que"
    SEATING_PLAN = "pln"


class Part(StrEnum):
    """The parts of an event, which have a number within it."""

    SEAT = "seat"
    SECTION = "sec"
    PRICE_LEVEL = "plv"
    PLACE = "plc"


def public_id(kind: Kind, key: UUID) -> str:
    """E.g. evt_01jd3x8k2m9q4r5s6t7v8w9x0y."""
    return f"{kind}_{encode_uuid(key)}"


def part_id(part: Part, event_id: UUID, number: int) -> str:
    """E.g. seat_01jd3x8k2m9q4r5s6t7v8w9x0y_17."""
    return f"{part}_{encode_uuid(event_id)}_{number}"


@lru_cache(maxsize=16_384)
def parse_id(text: str, kind: Kind) -> UUID:
    """The key behind a public id of the kind expected.

    Raises:
        InvalidInput: the text is no id of this kind.
    """
    prefix, _, letters = text.partition("_")
    if prefix == kind:
        try:
            return decode_uuid(letters)
        except ValueError:
            pass
    raise InvalidInput(f"{text[:40]!r} is not the id of {_article(kind.name)}.")


def parse_part(text: str, part: Part, event_id: UUID | None = None) -> tuple[UUID, int]:
    """The event's key and the number behind a part's id.

    Raises:
        InvalidInput: the text is no such id, or (with `event_id`) belongs to another event.
    """
    prefix, _, rest = text.partition("_")
    letters, _, digits = rest.partition("_")
    if prefix == part and digits.isascii() and digits.isdigit() and len(digits) <= 7:
        try:
            owner = _event_of(letters)
        except ValueError:
            owner = None
        if owner is not None and str(int(digits)) == digits:
            if event_id is not None and owner != event_id:
                raise InvalidInput(f"{text[:48]!r} belongs to another event.")
            return owner, int(digits)
    raise InvalidInput(f"{text[:48]!r} is not the id of {_article(part.name)}.")


def user_id_of(subject: str) -> UUID:
    """The key of a user, derived from the token's subject, so that no look-up is needed."""
    return uuid5(_SUBJECTS, subject)


def order_id_of(user_id: UUID, idempotency_key: str, previous: UUID | None = None) -> UUID:
    """The key of an order, the same for every retry of one request.

    `previous` is the order that used the same idempotency key more than 24 h ago, if any.
    """
    return uuid5(user_id, f"{idempotency_key}\n{previous or ''}")


def _article(name: str) -> str:
    noun = name.lower().replace("_", " ")
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"

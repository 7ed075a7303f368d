"""Idempotency keys: one request of one user, however often it is sent."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import InvalidInput

KEPT = timedelta(hours=24)
"""A key is free again this long after its request."""
LONGEST_KEY = 255


class Operation(StrEnum):
    """The mutations whose keys are stored; the names must not change, stored keys have them."""

    CREATE_EVENT = "createEvent"
    UPDATE_EVENT = "updateEvent"
    REFUND_ORDER = "refundOrder"
    PAY = "pay"


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The key that a user gave to a request, with a hash of the request's input."""

    user_id: UUID
    operation: Operation
    key: str
    input_hash: str


def checked_key(key: str | None) -> str | None:
    """Check an idempotency key.

    Raises:
        InvalidInput: too long, empty, or not printable.
    """
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isprintable()):
        raise InvalidInput(f"idempotencyKey: between 1 and {LONGEST_KEY} printable characters.")
    return key


def request_key(user_id: UUID, operation: Operation, key: str | None, request: object) -> RequestKey | None:
    """The key of a request; None where the client gave none.

    `request` is hashed by its repr, so it consists of values that have the same one in every process.

    Raises:
        InvalidInput: as `checked_key`.
    """
    if checked_key(key) is None or key is None:
        return None
    return RequestKey(user_id, operation, key, hashlib.sha256(repr(request).encode()).hexdigest()[:32])

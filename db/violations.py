"""Unique violations by the constraint that found them.

PlaceTaken          claims_live: another live claim has the place
ReferenceTaken      orders_reference_key: another order has the reference
UniqueViolation     any other constraint: no race explains it, so it is a defect

A limit of tickets is no constraint: the statement that writes orders reports LimitReached for each order that
it refused. Paused is found out before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import asyncpg

UniqueViolation = asyncpg.UniqueViolationError


class PlaceTaken(Exception):
    """Another live claim has one of the places."""


class ReferenceTaken(Exception):
    """Another order has this reference."""


class LimitReached(Exception):
    """The person or the network would have too many tickets of an event."""

    def __init__(self, *, of_network: bool, most: int, have: int, own: int) -> None:
        super().__init__()
        self.of_network = of_network
        self.most = most
        self.have = have
        """What the person has of the event."""
        self.own = own
        """What the account has of it."""


class Paused(Exception):
    """The person has released orders of this event too often lately."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


_BY_CONSTRAINT: dict[str, type[Exception]] = {
    "claims_live": PlaceTaken,
    "claims_live_next": PlaceTaken,  # its name while a migration exchanges the two
    "orders_reference_key": ReferenceTaken,
}


@contextmanager
def violations_by_constraint() -> Iterator[None]:
    """Translate the unique violations that callers expect; any other passes as it is.

    Raises:
        PlaceTaken, ReferenceTaken: instead of the UniqueViolation of their constraint.
    """
    try:
        yield
    except UniqueViolation as violation:
        expected = _BY_CONSTRAINT.get(violation.constraint_name or "")
        if expected is None:
            raise
        raise expected from violation

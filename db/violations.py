"""Unique violations by the constraint that found them.

PlaceTaken          claims_live: another live claim has the place
ReferenceTaken      orders_reference_key: another order has the reference
UniqueViolation     any other constraint: no race explains it, so it is a defect
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

UniqueViolation = asyncpg.UniqueViolationError


class PlaceTaken(Exception):
    """Another live claim has one of the places."""


class ReferenceTaken(Exception):
    """Another order has this reference."""


_BY_CONSTRAINT: dict[str, type[Exception]] = {
    "claims_live": PlaceTaken,
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

"""Outages of the stores in the domain's terms."""

from db.session import DATABASE_AWAY
from domain.errors import Unavailable


def outage_of(error: BaseException) -> Unavailable | None:
    """Return `Unavailable`, if the error says that the database does not answer."""
    return Unavailable() if isinstance(error, DATABASE_AWAY) else None

"""Hold pauses: after repeated releases a person waits before the next hold of the event.

The orders in PostgreSQL decide, when an order is written. Each process remembers the pauses that it saw, so
a further attempt is refused before any work.
"""

import math
from datetime import datetime

from domain.errors import SlowDown
from services.context import ServiceContext
from services.ordering.attempt import Attempt


def remembered_pause(context: ServiceContext, attempt: Attempt) -> datetime | None:
    """Return the end of the pause that this process knows of, if it is not over."""
    person = attempt.limits.keys.person
    until = None if person is None else context.hold_pauses.get((attempt.sale.id, person))
    return until if until is not None and until > context.now() else None


def pause_error(context: ServiceContext, attempt: Attempt, until: datetime) -> SlowDown:
    """Remember a pause, count the refusal, and return the error that tells how long the pause is."""
    person = attempt.limits.keys.person
    if person is not None:
        context.hold_pauses.put((attempt.sale.id, person), until)
    context.meters.limited("hold_and_release")
    seconds = max(1, math.ceil((until - context.now()).total_seconds()))
    return SlowDown(seconds, "You released tickets of this event several times; please wait a moment.")

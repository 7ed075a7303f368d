"""Retire maps: delete from Redis the places of events that are over."""

from datetime import timedelta

from db.queries.built_maps import built_events_over, end_built
from services.context import ServiceContext

KEPT = timedelta(hours=1)
"""How long a map stays after its event"""
_BATCH = 200


async def retire_maps(context: ServiceContext) -> int:
    """Delete the maps of some events that are over, and return their number. A reader builds one again.

    Raises:
        Unavailable: Redis does not answer.
    """
    over = await built_events_over(context.database, context.now() - KEPT, _BATCH)
    retired = 0
    for event_id, first_version in over:
        if await context.seats.retire(event_id):
            # A map that was built in between has another first version, and counts as built.
            await end_built(context.database, event_id, first_version)
            retired += 1
    return retired

"""The mutations of organisers."""

from collections.abc import Callable

from db.queries.events import EventRow
from domain.ids import Kind, parse_id
from resolvers.context import RequestContext
from resolvers.events import changed_event
from resolvers.ordering import places_of_seats
from services.catalogue.block_seats import block_seats
from services.catalogue.cancel_event import cancel_event
from services.catalogue.organise_events import (
    EventChanges,
    EventDraft,
    create_event,
    publish_event,
    update_event,
)


async def create(
    context: RequestContext, draft: Callable[[], EventDraft], idempotency_key: str | None
) -> EventRow:
    """Create a draft."""
    event_id = await create_event(context.services, context.viewer, draft(), idempotency_key)
    return await changed_event(context, event_id)


async def update(
    context: RequestContext,
    event_id: str,
    changes: EventChanges,
    idempotency_key: str | None,
    *,
    notify_buyers: bool,
) -> EventRow:
    """Update the viewer's event."""
    key = parse_id(event_id, Kind.EVENT)
    await update_event(
        context.services, context.viewer, key, changes, idempotency_key, notify_buyers=notify_buyers
    )
    return await changed_event(context, key)


async def publish(context: RequestContext, event_id: str) -> EventRow:
    """Publish the viewer's event."""
    key = parse_id(event_id, Kind.EVENT)
    await publish_event(context.services, context.viewer, key)
    return await changed_event(context, key)


async def cancel(context: RequestContext, event_id: str) -> EventRow:
    """Cancel the viewer's event."""
    key = parse_id(event_id, Kind.EVENT)
    await cancel_event(context.services, context.viewer, key)
    return await changed_event(context, key)


async def block(context: RequestContext, event_id: str, seat_ids: list[str], *, blocked: bool) -> EventRow:
    """Take seats of the viewer's event out of the sale, or put them back."""
    key = parse_id(event_id, Kind.EVENT)
    places = places_of_seats(seat_ids, key)
    await block_seats(context.services, context.viewer, key, places, blocked=blocked)
    return await changed_event(context, key)

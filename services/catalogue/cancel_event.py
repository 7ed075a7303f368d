"""Cancel an event: nothing can be held from then on, and its orders end."""

from uuid import UUID

from db.queries.outbox import write_task
from db.queries.sales import set_event_state
from db.session import Connection
from domain.outbox import Topic
from domain.states import EventState
from domain.viewer import Viewer
from services.context import ServiceContext
from services.identity.authorisation import own_sale


async def cancel_event(context: ServiceContext, viewer: Viewer | None, event_id: UUID) -> None:
    """Cancel the organiser's own event; the outbox ends and refunds its orders. Safe to repeat.

    Raises:
        Unauthenticated, Forbidden, NotFound: As `own_sale`.
    """
    sale = await own_sale(context, viewer, event_id)
    now = context.now()

    async def write(connection: Connection) -> None:
        leaving = (EventState.DRAFT, EventState.PUBLISHED)
        if await set_event_state(connection, sale.id, EventState.CANCELLED, leaving=leaving, now=now):
            await write_task(connection, Topic.END_EVENT_ORDERS, sale.id, {}, now)

    await context.change_event(event_id, write)

"""Reissue: a ticket gets a new generation, and the codes and documents of the last are void at once."""

from uuid import UUID

from db.queries.orders import ClaimRow, claim_by_ticket, lock_order, order_by_id
from db.queries.outbox import write_task
from db.queries.sales import sale_by_event
from db.queries.tickets import raise_generation
from db.session import DATABASE_AWAY
from domain.entry_codes import MOST_GENERATIONS
from domain.errors import InvalidInput, NotFound, OrderNotPayable, Unavailable
from domain.outbox import Topic
from domain.states import ClaimState
from domain.viewer import Scope, Viewer
from services.context import ServiceContext, reading
from services.identity.authorisation import order_reader_of


async def reissue_ticket(context: ServiceContext, viewer: Viewer | None, ticket_id: UUID) -> ClaimRow:
    """Issue a ticket anew for its buyer, or for the organiser of its event.

    Raises:
        Unauthenticated, Forbidden: The viewer may read no orders.
        NotFound: There is no such ticket, or it is another's.
        OrderNotPayable: It is not issued.
        InvalidInput: It has had as many generations as a code can say.
        Unavailable: The database does not answer.
    """
    reader = order_reader_of(viewer)
    ticket = await reading(claim_by_ticket(context.database, ticket_id))
    if ticket is None or not await _may_reissue(context, reader, ticket):
        raise NotFound("There is no such ticket.")
    if ticket.generation >= MOST_GENERATIONS:
        raise InvalidInput("ticketId: this ticket cannot be issued anew any more.")
    return await _reissue(context, ticket)


async def _reissue(context: ServiceContext, ticket: ClaimRow) -> ClaimRow:
    now = context.now()
    try:
        async with context.database.transaction() as connection:
            # Every transaction locks the order before its claims.
            await lock_order(connection, ticket.order_id)
            if await raise_generation(connection, ticket.ticket_id, now) is None:
                raise OrderNotPayable("Only an issued ticket can be issued anew.")
            await write_task(connection, Topic.ORDER_CHANGED, ticket.order_id, {}, now)
            after = await claim_by_ticket(connection, ticket.ticket_id)
            assert after is not None and after.state == ClaimState.BOOKED, "claims are kept, and it is locked"
            return after
    except DATABASE_AWAY as error:
        raise Unavailable from error


async def _may_reissue(context: ServiceContext, viewer: Viewer, ticket: ClaimRow) -> bool:
    order = await reading(order_by_id(context.database, ticket.order_id))
    if Scope.BUY in viewer.scopes and order is not None and order.user_id == viewer.user_id:
        return True
    if Scope.ORGANISE not in viewer.scopes:
        return False
    sale = await reading(sale_by_event(context.database, ticket.event_id))
    return sale is not None and sale.organiser_id == viewer.user_id

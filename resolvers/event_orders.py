"""The orders of an event, for its organiser."""

from collections.abc import Awaitable

from db.queries.event_orders import EventOrders, OrderSearch, count_orders_of_event, orders_of_event
from db.queries.events import EventRow
from domain.errors import BadRequest, InvalidInput
from domain.references import reference_beginning
from domain.seat_names import places_named
from domain.text_input import optional_line
from resolvers.connections import Connection, PageArguments, connect, time_cursor
from resolvers.context import RequestContext
from resolvers.orders import OrderView, order_view
from services.identity.authorisation import organiser_of, own_event

_LISTING = "event_orders"
_LONGEST_SEARCH = 100


async def orders_of(
    context: RequestContext,
    event: EventRow,
    page: PageArguments,
    search: str | None,
    status: str | None,
    disputed: bool | None = None,
) -> Connection[OrderView]:
    """Return a page of the orders of the viewer's own event, newest first.

    Raises:
        Unauthenticated, Forbidden: as `organiser_of` and `own_event`.
        BadRequest: the page, the cursor or the search is none.
    """
    own_event(organiser_of(context.viewer), event)
    span = page.by_time(_LISTING)
    wanted = EventOrders(event.id, status, context.now, await _search(context, event, search), disputed)
    database = context.services.database
    rows = await orders_of_event(database, wanted, span)

    def count() -> Awaitable[int]:
        return count_orders_of_event(database, wanted)

    def cursor_of(order: OrderView) -> str:
        return time_cursor(_LISTING, order.row.created_at, order.row.id)

    return connect([order_view(context, row) for row in rows], page.size(), cursor_of, count, page)


async def _search(context: RequestContext, event: EventRow, search: str | None) -> OrderSearch | None:
    """Read what was typed: a seat where it names one of the house, else words; a reference either way."""
    try:
        text = optional_line(search, "search", most=_LONGEST_SEARCH)
    except InvalidInput as error:
        raise BadRequest(error.message) from None
    if text is None:
        return None
    seat_map = await context.loaders.layouts.load(event.seat_map_version)
    return OrderSearch(reference_beginning(text), text.lower().split(), places_named(seat_map, text))

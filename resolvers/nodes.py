"""Nodes by their public id."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from domain.errors import BadRequest, InvalidInput
from domain.ids import Kind, Part, parse_part
from resolvers.context import RequestContext
from resolvers.events import requested_id, visible_event
from resolvers.orders import order_by_public_id, user_by_id
from resolvers.places import PlaceView, place_by_number
from resolvers.tickets import ticket_by_public_id

MOST_NODES = 100
Reader = Callable[[RequestContext, str], Awaitable[object | None]]


async def node_by_id(context: RequestContext, text: str) -> object | None:
    """Return the row or view with a public id; None where the viewer may see none.

    Raises:
        BadRequest: it is no id of ours.
    """
    read = _READERS.get(text.partition("_")[0])
    if read is None:
        raise BadRequest(f"{text[:40]!r} is not the id of anything.")
    return await read(context, text)


async def nodes_by_ids(context: RequestContext, ids: Sequence[str]) -> list[object | None]:
    """Return what has these ids, in their order; an id that is none, or forbidden, is an error of its own.

    Raises:
        BadRequest: there are more than 100 ids.
    """
    if len(ids) > MOST_NODES:
        raise BadRequest(f"ids: at most {MOST_NODES} at once.")
    return await asyncio.gather(*(node_by_id(context, text) for text in ids), return_exceptions=True)


async def _event(context: RequestContext, text: str) -> object | None:
    return await visible_event(context, requested_id(text, Kind.EVENT))


async def _venue(context: RequestContext, text: str) -> object | None:
    return await context.loaders.venues.load(requested_id(text, Kind.VENUE))


async def _performer(context: RequestContext, text: str) -> object | None:
    return await context.loaders.performers.load(requested_id(text, Kind.PERFORMER))


async def _user(context: RequestContext, text: str) -> object | None:
    return await user_by_id(context, requested_id(text, Kind.USER))


async def _place(context: RequestContext, text: str) -> PlaceView | None:
    try:
        event_id, number = parse_part(text, Part.PLACE)
    except InvalidInput as error:
        raise BadRequest(error.message) from None
    event = await visible_event(context, event_id)
    return None if event is None else await place_by_number(context, event, number)


_READERS: dict[str, Reader] = {
    Kind.EVENT.value: _event,
    Kind.VENUE.value: _venue,
    Kind.PERFORMER.value: _performer,
    Kind.USER.value: _user,
    Kind.ORDER.value: order_by_public_id,
    Kind.TICKET.value: ticket_by_public_id,
    Part.PLACE.value: _place,
}

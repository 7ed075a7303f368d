"""The rights of a viewer: to buy, to organise, and to change their own events."""

from typing import Protocol, TypeVar
from uuid import UUID

from db.queries.sales import SaleRow, sale_by_event
from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.states import EventState
from domain.viewer import Scope, Viewer
from services.context import ServiceContext, reading


class OwnedEvent(Protocol):
    """The columns of an event that say whose it is."""

    @property
    def organiser_id(self) -> UUID | None:
        """The organiser's id, None for an event that an import made."""

    @property
    def state(self) -> str:
        """A value of `EventState`."""


Event = TypeVar("Event", bound=OwnedEvent)


def buyer_of(viewer: Viewer | None) -> Viewer:
    """Return the viewer, if they may buy.

    Raises:
        Unauthenticated: The request has no token.
        Forbidden: The token lacks the scope.
    """
    return _with_scope(viewer, Scope.BUY)


def organiser_of(viewer: Viewer | None) -> Viewer:
    """Return the viewer, if they may organise.

    Raises:
        Unauthenticated: The request has no token.
        Forbidden: The token lacks the scope.
    """
    return _with_scope(viewer, Scope.ORGANISE)


def order_reader_of(viewer: Viewer | None) -> Viewer:
    """Return the viewer, if they may read orders: their own to buy, their events' to organise.

    Raises:
        Unauthenticated: The request has no token.
        Forbidden: The token lacks both scopes.
    """
    if viewer is not None and Scope.ORGANISE in viewer.scopes:
        return viewer
    return _with_scope(viewer, Scope.BUY)


async def own_sale(context: ServiceContext, viewer: Viewer | None, event_id: UUID) -> SaleRow:
    """Return the present terms of the organiser's own event, not from the cache.

    Raises:
        Unauthenticated, Forbidden, NotFound: As `organiser_of` and `own_event`.
    """
    organiser = organiser_of(viewer)
    return own_event(organiser, await reading(sale_by_event(context.database, event_id)))


def own_event(organiser: Viewer, event: Event | None) -> Event:
    """Return the event, if it is this organiser's.

    Raises:
        NotFound: There is no such event, or it is another organiser's draft.
        Forbidden: It is another organiser's.
    """
    if event is None:
        raise NotFound("There is no such event.")
    if event.organiser_id != organiser.user_id:
        if event.state == EventState.DRAFT:
            raise NotFound("There is no such event.")
        raise Forbidden("This event is another organiser's.")
    return event


def _with_scope(viewer: Viewer | None, scope: Scope) -> Viewer:
    if viewer is None:
        raise Unauthenticated
    if scope.value not in viewer.scopes:
        raise Forbidden(f"This needs a token with the scope {scope.value!r}.")
    return viewer

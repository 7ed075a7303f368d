"""Batched reading: one query a kind for all resolvers of a request. Each request has its own loaders."""

from collections.abc import Awaitable, Hashable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.claims import claims_loader
from dataloaders.disputes import disputes_loader
from dataloaders.events import events_loader
from dataloaders.layouts import Layouts, layouts_loader
from dataloaders.payments import payments_loader
from dataloaders.performers import bills_loader, performers_loader
from dataloaders.places import (
    AvailabilityRow,
    Seats,
    availability_loader,
    recent_availability,
)
from dataloaders.refunds import refunds_loader
from dataloaders.row_cache import RowCache
from dataloaders.users import users_loader
from dataloaders.venues import venues_loader
from db.queries.disputes import DisputeRow
from db.queries.events import EventRow
from db.queries.orders import ClaimRow
from db.queries.payments import PaymentRow
from db.queries.performers import PerformerRow
from db.queries.refunds import OrderRefundRow
from db.queries.users import UserRow
from db.queries.venues import VenueRow
from db.session import Database
from domain.layout import SeatMap


class Loaders:
    """The loaders of one request, each made when it is first asked for.

    The `_of` methods return at once, without a loader, what the row cache has already.
    """

    def __init__(
        self, database: Database, seats: Seats, layouts: Layouts, now: datetime, rows: RowCache
    ) -> None:
        self._database = database
        self._seats = seats
        self._layouts = layouts
        self._now = now
        self.rows = rows

    def cached_event(self, event_id: UUID) -> EventRow | None:
        """An event, where the row cache has it."""
        return self.rows.events.get(event_id)

    def cached_page(self, page: Hashable) -> Any:
        """A page of a list, where the row cache has it."""
        return self.rows.pages.get(page)

    def venue_of(self, event: EventRow) -> VenueRow | Awaitable[VenueRow | None]:
        """Where an event takes place."""
        return self.rows.venues.get(event.venue_id) or self.venues.load(event.venue_id)

    def bill_of(self, event: EventRow) -> Sequence[PerformerRow] | Awaitable[Sequence[PerformerRow]]:
        """The performers of an event."""
        cached = self.rows.bills.get(event.id)
        return self.bills.load(event.id) if cached is None else cached

    def availability_of(self, event: EventRow) -> AvailabilityRow | Awaitable[AvailabilityRow]:
        """An event's places and their counts, at most a second old."""
        cached = recent_availability(self._seats, event, self.rows.counts)
        return cached or self.availability.load(event)

    @cached_property
    def events(self) -> DataLoader[UUID, EventRow | None]:
        """Events by id, in any state: the resolver decides which the viewer may see."""
        return events_loader(self._database, self.rows.events)

    @cached_property
    def venues(self) -> DataLoader[UUID, VenueRow | None]:
        """Venues by id."""
        return venues_loader(self._database, self.rows.venues)

    @cached_property
    def performers(self) -> DataLoader[UUID, PerformerRow | None]:
        """Performers by id."""
        return performers_loader(self._database)

    @cached_property
    def bills(self) -> DataLoader[UUID, list[PerformerRow]]:
        """Performers by event id, in billing order."""
        return bills_loader(self._database, self.rows.bills)

    @cached_property
    def layouts(self) -> DataLoader[str, SeatMap]:
        """Seat maps by version."""
        return layouts_loader(self._layouts)

    @cached_property
    def availability(self) -> DataLoader[EventRow, AvailabilityRow]:
        """The places of events and their counts, at most a second old."""
        return availability_loader(self._database, self._seats, self._now, self.rows.counts)

    @cached_property
    def claims(self) -> DataLoader[UUID, list[ClaimRow]]:
        """Claims by order id, in order of their places."""
        return claims_loader(self._database)

    @cached_property
    def payments(self) -> DataLoader[UUID, PaymentRow | None]:
        """Payments by order id."""
        return payments_loader(self._database)

    @cached_property
    def refunds(self) -> DataLoader[UUID, list[OrderRefundRow]]:
        """Refunds by order id, oldest first."""
        return refunds_loader(self._database)

    @cached_property
    def disputes(self) -> DataLoader[UUID, list[DisputeRow]]:
        """Disputes by order id, newest first; the resolver decides who may see them."""
        return disputes_loader(self._database)

    @cached_property
    def users(self) -> DataLoader[UUID, UserRow | None]:
        """Users by id; the resolver decides which the viewer may see."""
        return users_loader(self._database)

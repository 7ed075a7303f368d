"""Events as readers see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.queries.columns import column_names
from db.queries.pages import TimePage, binder
from db.session import Connection, Database
from domain.ids import Kind, public_id
from domain.money import Money
from domain.states import EventStatus, event_status


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `timezone` is its venue's. Prices are minor units of `currency`, fees not included."""

    id: UUID
    organiser_id: UUID | None
    name: str
    description: str
    state: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    venue_id: UUID
    timezone: str
    seat_map_version: str
    price_from_minor: int | None
    price_to_minor: int | None
    currency: str | None
    max_tickets_per_order: int
    max_tickets_per_person: int
    orphan_rule: bool
    sold_out: bool
    waiting_room_enabled: bool
    waiting_room_admit_per_minute: int
    waiting_room_max_active: int
    waiting_room_admission_seconds: int
    created_at: datetime

    @property
    def public_id(self) -> str:
        """E.g. evt_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.EVENT, self.id)

    @property
    def price_from(self) -> Money | None:
        """The lowest price."""
        return self._price(self.price_from_minor)

    @property
    def price_to(self) -> Money | None:
        """The highest price."""
        return self._price(self.price_to_minor)

    def _price(self, amount: int | None) -> Money | None:
        return None if amount is None or self.currency is None else Money(amount, self.currency)

    def status_at(self, now: datetime) -> EventStatus:
        """The public status at a time."""
        return event_status(self, now, sold_out=self.sold_out)


_EXPRESSIONS = {
    "timezone": "(SELECT v.timezone FROM venues v WHERE v.id = e.venue_id)",
    "price_from_minor": "e.price_from",
    "price_to_minor": "e.price_to",
    "max_tickets_per_person": "coalesce(e.max_tickets_per_person, e.max_tickets_per_order)",
}
EVENT_COLUMNS = ", ".join(_EXPRESSIONS.get(name, f"e.{name}") for name in column_names(EventRow))


async def events_of_organiser(database: Database, organiser_id: UUID, page: TimePage) -> list[EventRow]:
    """A page of an organiser's events in any state, newest first."""
    arguments: list[Any] = [organiser_id, page.most]
    limits = page.conditions("e.created_at", "e.id", binder(arguments), descending=True)
    statement = f"""
        SELECT {EVENT_COLUMNS} FROM events e WHERE {" AND ".join(["e.organiser_id = $1", *limits])}
        ORDER BY {page.order("e.created_at", "e.id", descending=True)} LIMIT $2
        """
    return page.in_order([EventRow(*record) for record in await database.fetch(statement, *arguments)])


async def count_events_of_organiser(database: Database, organiser_id: UUID) -> int:
    """The number of an organiser's events."""
    statement = "SELECT count(*) FROM events WHERE organiser_id = $1"
    return int(await database.fetchval(statement, organiser_id))


async def events_by_id(source: Database | Connection, ids: Sequence[UUID]) -> dict[UUID, EventRow]:
    """The events with these ids, in any state."""
    records = await source.fetch(f"SELECT {EVENT_COLUMNS} FROM events e WHERE e.id = ANY($1)", list(ids))
    return {record["id"]: EventRow(*record) for record in records}


async def event_by_id(source: Database | Connection, event_id: UUID) -> EventRow | None:
    """One event, in any state."""
    return (await events_by_id(source, [event_id])).get(event_id)

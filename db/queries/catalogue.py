"""Writing the catalogue: venues, performers and events, one by one and by the thousand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db.queries.columns import column_names
from db.queries.upsert import STATEMENT_SECONDS, upsert
from db.queries.venues import VenueDescription
from db.session import Connection
from domain.layout import SeatMap
from domain.layout_document import to_document
from domain.states import EventState
from kit.ids import new_uuid

_IMPORT_LOCK = 7_217_301  # any number that no other advisory lock has


@dataclass(frozen=True, slots=True)
class NewVenue(VenueDescription):
    """A venue to insert, under its importer's key."""

    id: UUID
    external_id: str


@dataclass(frozen=True, slots=True)
class NewPerformer:
    """A performer to insert, under its importer's key."""

    id: UUID
    external_id: str
    name: str
    bio: str | None
    genres: list[str]


@dataclass(frozen=True, slots=True)
class EventDescription:
    """An event as an organiser or an import describes it, checked."""

    id: UUID
    organiser_id: UUID | None
    name: str
    description: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    max_tickets_per_order: int
    max_tickets_per_person: int
    orphan_rule: bool


@dataclass(frozen=True, slots=True)
class NewEvent(EventDescription):
    """An event to insert; its venue and its seat map must be there. Prices are minor units."""

    external_id: str | None
    state: EventState
    venue_id: UUID
    seat_map_version: str
    price_from: int
    price_to: int
    currency: str

    @classmethod
    def of(
        cls,
        event: EventDescription,
        venue_id: UUID,
        seat_map: SeatMap,
        *,
        state: EventState,
        external_id: str | None = None,
    ) -> "NewEvent":
        """An event at a venue, with its seat map's version, currency, and prices with their fees."""
        lowest, highest = seat_map.price_range
        return cls(
            **{each.name: getattr(event, each.name) for each in fields(EventDescription)},
            external_id=external_id,
            state=state,
            venue_id=venue_id,
            seat_map_version=seat_map.version,
            price_from=lowest.amount,
            price_to=highest.amount,
            currency=seat_map.currency,
        )


@dataclass(frozen=True, slots=True)
class NewSeatMap:
    """A layout to insert, as `domain.layout_document.to_document` takes it apart."""

    version: str
    event_id: UUID
    layout: dict[str, Any]
    seat_count: int
    place_count: int


@dataclass(frozen=True, slots=True)
class NewPriceLevel:
    """One price of an event to insert."""

    event_id: UUID
    number: int
    name: str
    color: str | None
    price_minor: int
    fee_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class BillEntry:
    """A performer's place on an event's bill."""

    event_id: UUID
    performer_id: UUID
    position: int


async def lock_catalogue(connection: Connection) -> None:
    """Keep other imports out until this transaction ends; waits for one that runs."""
    await connection.execute(f"SET LOCAL lock_timeout = '{STATEMENT_SECONDS}s'")
    await connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _IMPORT_LOCK, timeout=STATEMENT_SECONDS)


async def ids_by_external_id(
    connection: Connection, table: str, external_ids: Sequence[str]
) -> dict[str, UUID]:
    """The keys of the rows of `table` (venues, performers or events) that were imported before."""
    assert table in {"venues", "performers", "events"}, table
    rows = await connection.fetch(
        f"SELECT external_id, id FROM {table} WHERE external_id = ANY ($1)",
        list(external_ids),
    )
    return {row["external_id"]: row["id"] for row in rows}


async def upsert_venues(connection: Connection, rows: Sequence[NewVenue]) -> None:
    """Insert venues; those that are there take the new description."""
    changing = [*column_names(VenueDescription), "updated_at"]
    await upsert(connection, "venues", rows, key="external_id", changing=changing)


async def upsert_performers(connection: Connection, rows: Sequence[NewPerformer]) -> None:
    """Insert performers; those that are there take the new name, biography and genres."""
    changing = ["name", "bio", "genres", "updated_at"]
    await upsert(connection, "performers", rows, key="external_id", changing=changing)


async def performers_like(connection: Connection, names: Sequence[str]) -> list[UUID]:
    """The ids of the performers with these names, in this order, inserted where there are none."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (name) name, id FROM performers WHERE name = ANY($1) ORDER BY name, id",
        list(names),
    )
    known: dict[str, UUID] = {row["name"]: row["id"] for row in rows}
    fresh = {name: new_uuid() for name in names if name not in known}
    await connection.executemany(
        "INSERT INTO performers (id, name) VALUES ($1, $2)", [(key, name) for name, key in fresh.items()]
    )
    return [(known | fresh)[name] for name in names]


async def write_events(
    connection: Connection,
    events: Sequence[NewEvent],
    seat_maps: Iterable[SeatMap],
    bills: Sequence[BillEntry],
) -> None:
    """Insert events with the seat maps and prices of the new ones, and make their bills exactly `bills`.

    Of an event that is there the name, description, category, times and venue change. Its state, prices
    and seats stay: tickets may have been sold by them.
    """
    maps = list(seat_maps)
    await upsert(connection, "seat_maps", [_new_seat_map(one) for one in maps], key="version")
    changing = ["name", "description", "category", "starts_at", "ends_at", "venue_id", "updated_at"]
    await _note_moves(connection, events)
    await upsert(connection, "events", events, key="external_id", changing=changing)
    levels = [level for one in maps for level in _new_price_levels(one)]
    await upsert(connection, "price_levels", levels, key="event_id, number")
    await _replace_bills(connection, [event.id for event in events], bills)


async def _note_moves(connection: Connection, events: Sequence[NewEvent]) -> None:
    """Note that events which are there move: orders held until now are not paid for another evening."""
    await connection.execute(
        """
        UPDATE events e SET moved_at = now() FROM unnest($1::text[], $2::timestamptz[]) AS new (id, starts_at)
         WHERE e.external_id = new.id AND e.starts_at <> new.starts_at
        """,
        [event.external_id for event in events],
        [event.starts_at for event in events],
    )


async def write_draft(
    connection: Connection,
    event: EventDescription,
    venue_id: UUID,
    performer_ids: Sequence[UUID],
    seat_map: SeatMap,
) -> None:
    """Insert a draft with its layout, its prices and its bill."""
    draft = NewEvent.of(event, venue_id, seat_map, state=EventState.DRAFT)
    bill = [BillEntry(event.id, key, position) for position, key in enumerate(performer_ids)]
    await write_events(connection, [draft], [seat_map], bill)


def _new_seat_map(seat_map: SeatMap) -> NewSeatMap:
    return NewSeatMap(
        seat_map.version,
        seat_map.event_id,
        to_document(seat_map),
        seat_map.seat_count,
        seat_map.place_count,
    )


def _new_price_levels(seat_map: SeatMap) -> list[NewPriceLevel]:
    return [
        NewPriceLevel(
            seat_map.event_id,
            level.number,
            level.name,
            level.color,
            level.price.amount,
            level.fee.amount,
            level.price.currency,
        )
        for level in seat_map.price_levels
    ]


async def _replace_bills(
    connection: Connection, event_ids: Sequence[UUID], bills: Sequence[BillEntry]
) -> None:
    """Make the bills of these events exactly the rows; an entry that stays as it was is not written."""
    await connection.execute(
        """
        DELETE FROM event_performers AS b USING unnest($1::uuid[]) AS e(id)
        WHERE b.event_id = e.id AND NOT EXISTS (
          SELECT FROM unnest($2::uuid[], $3::uuid[]) AS r(event_id, performer_id)
          WHERE r.event_id = b.event_id AND r.performer_id = b.performer_id)
        """,
        list(event_ids),
        [entry.event_id for entry in bills],
        [entry.performer_id for entry in bills],
        timeout=STATEMENT_SECONDS,
    )
    key = "event_id, performer_id"
    await upsert(connection, "event_performers", bills, key=key, changing=["position"])


_CHANGEABLE = frozenset(
    "name description category starts_at ends_at on_sale_at off_sale_at max_tickets_per_order"
    " max_tickets_per_person".split()
)


async def change_event(connection: Connection, event_id: UUID, changes: Mapping[str, Any]) -> None:
    """Set columns of an event; the names are column names.

    Raises:
        ValueError: a name is not in _CHANGEABLE, which would otherwise become part of the statement.
    """
    names = list(changes)
    if not _CHANGEABLE.issuperset(names):
        raise ValueError(f"these columns cannot be changed: {sorted(set(names) - _CHANGEABLE)}")
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
    if "starts_at" in changes:
        start = f"${names.index('starts_at') + 2}"
        settings += f", moved_at = CASE WHEN starts_at = {start} THEN moved_at ELSE now() END"
    await connection.execute(
        f"UPDATE events SET {settings}, updated_at = now() WHERE id = $1",
        event_id,
        *(changes[name] for name in names),
    )


async def has_bookings(connection: Connection, event_id: UUID) -> bool:
    """Whether an order of the event is booked, or is being paid.

    Locks the orders that are not booked until the transaction ends, so that no payment begins meanwhile.
    """
    await connection.fetch(
        """
        SELECT FROM orders WHERE event_id = $1 AND state IN ('RESERVED', 'PAYING') ORDER BY id FOR SHARE
        """,
        event_id,
    )
    booked: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM orders WHERE event_id = $1 AND state = 'BOOKED')
          OR EXISTS (
            SELECT FROM orders JOIN payments ON payments.order_id = orders.id
            WHERE orders.event_id = $1 AND orders.state IN ('RESERVED', 'PAYING')
              AND payments.state <> 'CANCELLED')
        """,
        event_id,
    )
    return booked


async def sold_starts(connection: Connection, external_ids: Sequence[str]) -> dict[str, datetime]:
    """The starts of those imported events that have a booked order."""
    rows = await connection.fetch(
        """
        SELECT external_id, starts_at FROM events e WHERE external_id = ANY ($1)
           AND EXISTS (SELECT FROM orders WHERE event_id = e.id AND state = 'BOOKED')
        """,
        list(external_ids),
    )
    return {row["external_id"]: row["starts_at"] for row in rows}


async def publish_imported(
    connection: Connection, external_ids: Sequence[str], now: datetime, assumed: timedelta
) -> int:
    """Publish the drafts among imported events that are not over; returns how many there were.

    An event without an end is over `assumed` after its start.
    """
    rows = await connection.fetch(
        """
        UPDATE events SET state = 'PUBLISHED', updated_at = now()
        WHERE external_id = ANY ($1) AND state = 'DRAFT' AND coalesce(ends_at, starts_at + $3) > $2
        RETURNING id
        """,
        list(external_ids),
        now,
        assumed,
        timeout=STATEMENT_SECONDS,
    )
    return len(rows)


async def publish_draft(connection: Connection, event_id: UUID) -> bool:
    """Publish a draft; returns whether the event was one."""
    tag = await connection.execute(
        "UPDATE events SET state = 'PUBLISHED', updated_at = now() WHERE id = $1 AND state = 'DRAFT'",
        event_id,
    )
    return bool(tag == "UPDATE 1")

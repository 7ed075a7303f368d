"""Writing events: what an organiser puts on, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.session import Connection
from domain.layout import SeatMap
from domain.layout_document import to_json
from kit.ids import new_uuid


@dataclass(frozen=True, slots=True)
class NewVenue:
    """A house as an organiser describes it."""

    name: str
    address: str | None
    city: str
    country: str | None
    lat: float | None
    lng: float | None
    timezone: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as an organiser describes it, checked."""

    id: UUID
    organiser_id: UUID
    name: str
    description: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    max_tickets_per_order: int
    orphan_rule: bool


async def venue_like(connection: Connection, venue: NewVenue) -> UUID:
    """The venue that is described in exactly these words, made where there is none."""
    values = (
        venue.name,
        venue.address,
        venue.city,
        venue.country,
        venue.lat,
        venue.lng,
        venue.timezone,
    )
    found: UUID | None = await connection.fetchval(
        "SELECT id FROM venues WHERE name = $1 AND address IS NOT DISTINCT FROM $2 AND city = $3"
        " AND country IS NOT DISTINCT FROM $4 AND lat IS NOT DISTINCT FROM $5::float8"
        " AND lng IS NOT DISTINCT FROM $6::float8 AND timezone = $7 ORDER BY id LIMIT 1",
        *values,
    )
    if found is not None:
        return found
    made: UUID = await connection.fetchval(
        "INSERT INTO venues (id, name, address, city, country, lat, lng, timezone)"
        " VALUES ($8, $1, $2, $3, $4, $5, $6, $7) RETURNING id",
        *values,
        new_uuid(),
    )
    return made


async def performers_like(connection: Connection, names: Sequence[str]) -> list[UUID]:
    """The performers of these names in this order, made where there are none."""
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


async def insert_event(
    connection: Connection,
    event: NewEvent,
    venue_id: UUID,
    performer_ids: Sequence[UUID],
    seat_map: SeatMap,
) -> None:
    """A draft with its layout, its prices and its bill."""
    await connection.execute(
        "INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)"
        " VALUES ($1, $2, $3::text::jsonb, $4, $5)",
        seat_map.version,
        event.id,
        to_json(seat_map),
        seat_map.seat_count,
        seat_map.place_count,
    )
    await _insert_event_row(connection, event, venue_id, seat_map)
    await connection.executemany(
        "INSERT INTO price_levels (event_id, number, name, color, price_minor, fee_minor, currency)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (
                event.id,
                level.number,
                level.name,
                level.color,
                level.price.amount,
                level.fee.amount,
                level.price.currency,
            )
            for level in seat_map.price_levels
        ],
    )
    await connection.executemany(
        "INSERT INTO event_performers (event_id, performer_id, position) VALUES ($1, $2, $3)",
        [(event.id, key, position) for position, key in enumerate(performer_ids)],
    )


async def _insert_event_row(
    connection: Connection, event: NewEvent, venue_id: UUID, seat_map: SeatMap
) -> None:
    lowest, highest = seat_map.price_range
    await connection.execute(
        "INSERT INTO events (id, organiser_id, name, description, state, category, starts_at, ends_at,"
        " on_sale_at, off_sale_at, venue_id, seat_map_version, price_from, price_to, currency,"
        " max_tickets_per_order, orphan_rule)"
        " VALUES ($1, $2, $3, $4, 'DRAFT', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        event.id,
        event.organiser_id,
        event.name,
        event.description,
        event.category,
        event.starts_at,
        event.ends_at,
        event.on_sale_at,
        event.off_sale_at,
        venue_id,
        seat_map.version,
        lowest.amount,
        highest.amount,
        seat_map.currency,
        event.max_tickets_per_order,
        event.orphan_rule,
    )


_CHANGEABLE = frozenset("name description category starts_at ends_at on_sale_at off_sale_at".split())


async def change_event(connection: Connection, event_id: UUID, changes: Mapping[str, Any]) -> None:
    """Set columns of an event; the names are column names."""
    names = [name for name in changes if name in _CHANGEABLE]
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
    await connection.execute(
        f"UPDATE events SET {settings}, updated_at = now() WHERE id = $1",
        event_id,
        *(changes[name] for name in names),
    )


async def publish_draft(connection: Connection, event_id: UUID) -> bool:
    """Turn a draft into a published event; says whether it was a draft."""
    tag = await connection.execute(
        "UPDATE events SET state = 'PUBLISHED', updated_at = now() WHERE id = $1 AND state = 'DRAFT'",
        event_id,
    )
    return bool(tag == "UPDATE 1")

"""Writing the catalogue a thousand rows at a time.

Rows travel as one JSON document each statement, because rows hold lists of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from db.session import Connection

_ROWS_PER_STATEMENT = 1_000
_IMPORT_LOCK = 7_217_301  # any number that nobody else locks
_STATEMENT_SECONDS = 60

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class VenueRow:
    """A venue under its importer's key."""

    id: UUID
    external_id: str
    name: str
    address: str | None
    city: str
    country: str | None
    lat: float | None
    lng: float | None
    timezone: str


@dataclass(frozen=True, slots=True)
class PerformerRow:
    """A performer under its importer's key."""

    id: UUID
    external_id: str
    name: str
    bio: str | None
    genres: list[str]


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event with the version of its seat map, which must be there."""

    id: UUID
    external_id: str
    organiser_id: UUID | None
    name: str
    description: str
    state: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    venue_id: UUID
    seat_map_version: str
    price_from: int
    price_to: int
    currency: str
    max_tickets_per_order: int


@dataclass(frozen=True, slots=True)
class SeatMapRow:
    """A layout as `domain.layout_document.to_document` takes it apart."""

    version: str
    event_id: UUID
    layout: dict[str, Any]
    seat_count: int
    place_count: int


@dataclass(frozen=True, slots=True)
class PriceLevelRow:
    """One price of an event."""

    event_id: UUID
    number: int
    name: str
    color: str | None
    price_minor: int
    fee_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class BillRow:
    """A performer's place on an event's bill."""

    event_id: UUID
    performer_id: UUID
    position: int


async def lock_catalogue(connection: Connection) -> None:
    """Keep other imports out until this transaction ends; waits for one that runs."""
    await connection.execute(f"SET LOCAL lock_timeout = '{_STATEMENT_SECONDS}s'")
    await connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'")
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _IMPORT_LOCK, timeout=_STATEMENT_SECONDS)


async def ids_by_external_id(
    connection: Connection, table: str, external_ids: Sequence[str]
) -> dict[str, UUID]:
    """The keys of the rows of `table` (venues, performers or events) that were imported before."""
    assert table in {"venues", "performers", "events"}, table
    rows = await connection.fetch(
        f"SELECT external_id, id FROM {table} WHERE external_id = ANY ($1)",
        list(external_ids),
    )
    # asyncpg's own UUID type is not one that goes into a JSON document again.
    return {row["external_id"]: UUID(bytes=row["id"].bytes) for row in rows}


async def ensure_user(connection: Connection, user_id: UUID, subject: str, email: str, name: str) -> None:
    """Make sure that there is such a user, for events to belong to."""
    await connection.execute(
        "INSERT INTO users (id, subject, email, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        user_id,
        subject,
        email,
        name,
    )


async def upsert_venues(connection: Connection, rows: Sequence[VenueRow]) -> None:
    """Insert venues; those that are there take what is new, and no write where nothing is."""
    await _each_batch(
        connection,
        rows,
        """
        INSERT INTO venues AS v (id, external_id, name, address, city, country, lat, lng, timezone)
        SELECT r.* FROM jsonb_to_recordset($1) AS r(id uuid, external_id text, name text, address text,
          city text, country text, lat float8, lng float8, timezone text)
        ON CONFLICT (external_id) DO UPDATE
        SET name = EXCLUDED.name, address = EXCLUDED.address, city = EXCLUDED.city,
          country = EXCLUDED.country, lat = EXCLUDED.lat, lng = EXCLUDED.lng,
          timezone = EXCLUDED.timezone, updated_at = now()
        WHERE (v.name, v.address, v.city, v.country, v.lat, v.lng, v.timezone)
          IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.address, EXCLUDED.city, EXCLUDED.country,
            EXCLUDED.lat, EXCLUDED.lng, EXCLUDED.timezone)
        """,
    )


async def upsert_performers(connection: Connection, rows: Sequence[PerformerRow]) -> None:
    """Insert performers; those that are there take what is new."""
    await _each_batch(
        connection,
        rows,
        """
        INSERT INTO performers AS p (id, external_id, name, bio, genres)
        SELECT r.id, r.external_id, r.name, r.bio,
          ARRAY(SELECT jsonb_array_elements_text(r.genres))
        FROM jsonb_to_recordset($1) AS r(id uuid, external_id text, name text, bio text, genres jsonb)
        ON CONFLICT (external_id) DO UPDATE
        SET name = EXCLUDED.name, bio = EXCLUDED.bio, genres = EXCLUDED.genres, updated_at = now()
        WHERE (p.name, p.bio, p.genres) IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.bio, EXCLUDED.genres)
        """,
    )


async def insert_seat_maps(connection: Connection, rows: Sequence[SeatMapRow]) -> None:
    """Insert layouts; a version that is there is the same layout."""
    await _each_batch(
        connection,
        rows,
        """
        INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)
        SELECT r.* FROM jsonb_to_recordset($1) AS r(version text, event_id uuid, layout jsonb,
          seat_count int, place_count int)
        ON CONFLICT (version) DO NOTHING
        """,
    )


async def upsert_events(connection: Connection, rows: Sequence[EventRow]) -> None:
    """Insert events; of those that are there only what says when, where and what is on changes.

    Their state, prices and seats stay: tickets may have been sold by them.
    """
    await _each_batch(
        connection,
        rows,
        """
        INSERT INTO events AS e (id, external_id, organiser_id, name, description, state, category,
          starts_at, ends_at, on_sale_at, venue_id, seat_map_version, price_from, price_to, currency,
          max_tickets_per_order)
        SELECT r.* FROM jsonb_to_recordset($1) AS r(id uuid, external_id text, organiser_id uuid,
          name text, description text, state text, category text, starts_at timestamptz,
          ends_at timestamptz, on_sale_at timestamptz, venue_id uuid, seat_map_version text,
          price_from int, price_to int, currency text, max_tickets_per_order int)
        ON CONFLICT (external_id) DO UPDATE
        SET name = EXCLUDED.name, description = EXCLUDED.description, category = EXCLUDED.category,
          starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at, venue_id = EXCLUDED.venue_id,
          updated_at = now()
        WHERE (e.name, e.description, e.category, e.starts_at, e.ends_at, e.venue_id)
          IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.description, EXCLUDED.category, EXCLUDED.starts_at,
            EXCLUDED.ends_at, EXCLUDED.venue_id)
        """,
    )


async def insert_price_levels(connection: Connection, rows: Sequence[PriceLevelRow]) -> None:
    """Insert the prices of events that are new."""
    await _each_batch(
        connection,
        rows,
        """
        INSERT INTO price_levels (event_id, number, name, color, price_minor, fee_minor, currency)
        SELECT r.* FROM jsonb_to_recordset($1) AS r(event_id uuid, number int, name text, color text,
          price_minor int, fee_minor int, currency text)
        ON CONFLICT (event_id, number) DO NOTHING
        """,
    )


async def replace_bills(connection: Connection, event_ids: Sequence[UUID], rows: Sequence[BillRow]) -> None:
    """Make the bills of these events exactly the rows; what stays as it was is not written."""
    await connection.execute(
        """
        DELETE FROM event_performers AS b USING unnest($1::uuid[]) AS e(id)
        WHERE b.event_id = e.id AND NOT EXISTS (
          SELECT FROM unnest($2::uuid[], $3::uuid[]) AS r(event_id, performer_id)
          WHERE r.event_id = b.event_id AND r.performer_id = b.performer_id)
        """,
        list(event_ids),
        [row.event_id for row in rows],
        [row.performer_id for row in rows],
        timeout=_STATEMENT_SECONDS,
    )
    await _each_batch(
        connection,
        rows,
        """
        INSERT INTO event_performers AS b (event_id, performer_id, position)
        SELECT r.* FROM jsonb_to_recordset($1) AS r(event_id uuid, performer_id uuid, position int)
        ON CONFLICT (event_id, performer_id) DO UPDATE SET position = EXCLUDED.position
        WHERE b.position <> EXCLUDED.position
        """,
    )


async def _each_batch(connection: Connection, rows: Sequence[Any], statement: str) -> None:
    for batch in batches(rows):
        # The JSON codec writes dataclasses as they are, many times faster than asdict takes them apart.
        await connection.execute(statement, list(batch), timeout=_STATEMENT_SECONDS)


def batches(rows: Sequence[Item], size: int = _ROWS_PER_STATEMENT) -> Iterable[Sequence[Item]]:
    """The rows in pieces of at most `size`."""
    return (rows[first : first + size] for first in range(0, len(rows), size))

"""Rows of a small catalogue for the search tests."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from db.session import Database
from kit.clock import utc_now
from kit.ids import new_uuid


async def add_venue(database: Database, name: str = "롤링홀", city: str = "서울", **columns: Any) -> UUID:
    """A venue."""
    row = {"id": new_uuid(), "name": name, "city": city, "timezone": "Asia/Seoul", **columns}
    return await _insert(database, "venues", row)


async def add_performer(database: Database, name: str) -> UUID:
    """A performer."""
    return await _insert(database, "performers", {"id": new_uuid(), "name": name, "genres": ["Rock"]})


async def add_event(
    database: Database, name: str, venue_id: UUID, *bill: UUID, days: int = 30, **columns: Any
) -> UUID:
    """A published event, a number of days from now."""
    event_id = new_uuid()
    version = str(event_id)
    await database.fetch(
        "INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count) "
        "VALUES ($1, $2, '{}', 0, 0)",
        version,
        event_id,
    )
    row = {
        "id": event_id,
        "name": name,
        "state": "PUBLISHED",
        "starts_at": utc_now() + timedelta(days=days),
        "venue_id": venue_id,
        "seat_map_version": version,
        "max_tickets_per_order": 8,
        **columns,
    }
    await _insert(database, "events", row)
    for position, performer_id in enumerate(bill):
        await database.fetch(
            "INSERT INTO event_performers VALUES ($1, $2, $3)", event_id, performer_id, position
        )
    return event_id


async def _insert(database: Database, table: str, row: dict[str, Any]) -> UUID:
    names = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    inserted: UUID = await database.fetchval(
        f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id", *row.values()
    )
    return inserted

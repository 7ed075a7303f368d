"""Orders that a promoted standby lacks, and whether this server is one."""

from datetime import datetime
from uuid import UUID

from db.queries.orders import NewOrder, Source
from db.session import Connection

_BEAT = "last beat"


async def promotion_is_unsettled(source: Source) -> bool:
    """Whether this server was promoted, and what it lost was not looked for yet."""
    return bool(await source.fetchval("SELECT promotion_is_unsettled()"))


async def last_beat(source: Source) -> datetime | None:
    """The last beat of a worker; on a promoted standby, about the time of the last commit that it has."""
    beat: datetime | None = await source.fetchval("SELECT read_until FROM sweep_marks WHERE name = $1", _BEAT)
    return beat


async def beat(source: Source, now: datetime) -> None:
    """Record that the server, on its present timeline, accepts writes and has nothing more to look for."""
    await source.fetch(
        """
        INSERT INTO sweep_marks (name, read_until) VALUES ($1, $2), (server_timeline(), $2)
        ON CONFLICT (name) DO UPDATE SET read_until = excluded.read_until
        """,
        _BEAT,
        now,
    )


async def insert_ended_order(connection: Connection, order: NewOrder) -> None:
    """Insert an order as CANCELLED, without claims, to give its money back; one that exists stays."""
    row = order.row
    await connection.execute(
        "INSERT INTO users (id, subject, guest) VALUES ($1, $2, $2 LIKE 'guest:%') ON CONFLICT DO NOTHING",
        row.user_id,
        order.subject,
    )
    await connection.execute(
        """
        INSERT INTO orders (
          id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor,
          expires_at, created_at, updated_at
        ) VALUES ($1, $2, $3, $4, 'CANCELLED', $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (id) DO NOTHING
        """,
        row.id,
        row.reference,
        row.event_id,
        row.user_id,
        row.currency,
        row.subtotal_minor,
        row.fees_minor,
        row.total_minor,
        row.expires_at,
        row.created_at,
        row.updated_at,
    )


async def subject_of(source: Source, user_id: UUID) -> str:
    """A user's subject."""
    return str(await source.fetchval("SELECT subject FROM users WHERE id = $1", user_id))

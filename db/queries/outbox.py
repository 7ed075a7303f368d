"""The outbox: tasks that follow a commit; and which of the gateway's events were applied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.queries.orders import Source
from db.session import Connection
from db.sql import statement
from domain.outbox import Topic
from kit.log_context import current_request_id
from kit.spans import current_traceparent


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed outbox task; `attempts` counts this attempt."""

    id: int
    topic: str
    key: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


async def write_task(
    connection: Connection, topic: Topic, key: object, payload: Mapping[str, Any], now: datetime
) -> None:
    """Write a task in the transaction that makes it due, with the ids of its request and trace."""
    origin = {"request_id": current_request_id(), "traceparent": current_traceparent()}
    await connection.execute(
        "INSERT INTO outbox (topic, key, payload, available_at, created_at) VALUES ($1, $2, $3, $4, $4)",
        topic,
        str(key),
        {**payload, **{name: value for name, value in origin.items() if value is not None}},
        now,
    )


async def claim_tasks(
    source: Source, now: datetime, topics: Iterable[Topic], most: int, seconds: float
) -> list[Task]:
    """Claim tasks of these topics that are due; see db/sql/claim_outbox.sql."""
    rows = await source.fetch(statement("claim_outbox"), now, most, seconds, list(topics))
    return sorted((Task(**row) for row in rows), key=lambda task: task.id)


async def finish_tasks(source: Source, task_ids: list[int]) -> None:
    """Delete tasks that are done."""
    await source.fetch("DELETE FROM outbox WHERE id = ANY ($1)", task_ids)


async def postpone_task(source: Source, task_id: int, until: datetime, error: str) -> None:
    """Postpone a task after a failed attempt."""
    await source.fetch(
        "UPDATE outbox SET available_at = $2, last_error = $3 WHERE id = $1", task_id, until, error[:500]
    )


async def record_webhook(connection: Connection, event_id: str, event_type: str) -> bool:
    """Record that a webhook event is applied; False where it was applied before."""
    tag = await connection.execute(
        "INSERT INTO stripe_events (event_id, type) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        event_id,
        event_type,
    )
    return bool(tag == "INSERT 0 1")


async def applied_webhooks(source: Source, event_ids: Sequence[str]) -> set[str]:
    """Which of these webhook events are applied."""
    rows = await source.fetch("SELECT event_id FROM stripe_events WHERE event_id = ANY ($1)", list(event_ids))
    return {row["event_id"] for row in rows}


async def sweep_mark(source: Source, name: str) -> datetime | None:
    """The time until which a sweep has read; None before its first round."""
    found: datetime | None = await source.fetchval("SELECT read_until FROM sweep_marks WHERE name = $1", name)
    return found


async def move_sweep_mark(source: Source, name: str, until: datetime) -> None:
    """Record the time until which a sweep has read."""
    await source.fetch(
        """
        INSERT INTO sweep_marks (name, read_until) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET read_until = $2
        """,
        name,
        until,
    )

"""Imported seating plans, from which events are created."""

from dataclasses import dataclass
from uuid import UUID

from db.session import Connection, Database


@dataclass(frozen=True, slots=True)
class NewSeatingPlan:
    """A plan that has been checked; `digest` is the SHA-256 of `document` in hexadecimal."""

    id: UUID
    name: str
    digest: str
    document: str
    seat_count: int


async def store_seating_plan(source: Database | Connection, plan: NewSeatingPlan) -> UUID:
    """Store a plan once; returns its id, which is the earlier one where the document is known."""
    # An update that changes nothing, so that an existing row is returned as well.
    kept: UUID = await source.fetchval(
        "INSERT INTO seating_plans (id, name, digest, document, seat_count) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id",
        plan.id,
        plan.name,
        plan.digest,
        plan.document,
        plan.seat_count,
    )
    return kept


async def seating_plan_document(source: Database | Connection, plan_id: UUID) -> str | None:
    """The plan's JSON text as it was imported; None where there is no such plan."""
    document: str | None = await source.fetchval("SELECT document FROM seating_plans WHERE id = $1", plan_id)
    return document

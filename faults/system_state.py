"""The state of every part at one time, read directly from the parts with the checker's own statements."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from redis.exceptions import RedisError

from faults.installation import Installation
from reservations.keys import event_keys

_RECORDER = Path(__file__).parent / "recorder.sql"


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its claims and the price of these."""

    id: UUID
    event_id: UUID
    state: str
    currency: str
    total_minor: int
    expires_at: datetime
    live_places: tuple[int, ...]
    live_minor: int
    held_places: tuple[int, ...]
    """The live places that are held but not booked."""
    refunded_tickets_minor: int
    """The price of the tickets that refunds ended."""
    intent_id: str | None
    request: str | None = None
    """The user and the idempotency key of the request."""
    by_hand_minor: int = 0
    """Refunded at Stripe by hand, beyond the price of the tickets that this ended."""
    waiting_minor: int = 0
    """Refunds that wait for the end of a dispute."""
    person: str | None = None
    """The user or, for a guest, the address; None where the organiser sold it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A live claim."""

    event_id: UUID
    place: int
    order_id: UUID | None
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class Transition:
    """A recorded change of state, in the database's order."""

    subject: str
    key: str
    event_id: UUID | None
    place: int | None
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent in the local Stripe's ledger."""

    id: str
    status: str
    order_id: str | None
    currency: str
    amount: int
    captured: int
    refunded: int
    refund_keys: tuple[str, ...]
    """The keys of its effective refunds."""
    lost: int = 0
    """Lost in disputes."""


@dataclass(frozen=True, slots=True)
class SeatMap:
    """An event's seat map in Redis."""

    places: bytes
    version: int
    owners: dict[int, str]


@dataclass(slots=True)
class SystemState:
    """The state of all parts."""

    now: datetime
    orders: dict[UUID, Order] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    events: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    """Name and state."""
    person_limits: dict[UUID, int] = field(default_factory=dict)
    """The most live tickets of one person, by event."""
    tasks: list[tuple[str, str, datetime, str]] = field(default_factory=list)
    """The tasks of the outbox: topic, key, creation time, last error."""
    unindexed: int = 0
    intents: list[Intent] = field(default_factory=list)
    maps: dict[UUID, SeatMap] = field(default_factory=dict)
    documents: dict[str, str] | None = None
    """The index: names by id; None without an engine."""
    leaks: list[str] = field(default_factory=list)
    unrecorded_intents: bool = False
    """Stripe answered 500 after creating an intent, which no order records (docs/adr/payment-keys.md)."""


# Exceptions of a part's client while the part is unavailable.
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    httpx.HTTPError,
    RedisError,
)


async def install_recorder(installation: Installation) -> None:
    """Installs the triggers that record transitions in the database."""
    async with installation.database() as connection:
        await connection.execute(_RECORDER.read_text())


async def read_system(installation: Installation, *, transitions: bool = False) -> SystemState:
    """Reads the state of every part. Raises one of UNAVAILABLE."""
    async with installation.database() as connection:
        system = await _read_database(connection, transitions=transitions)
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        system.intents = await _read_ledger(installation, client)
        system.documents = await _read_index(installation, client)
    system.maps = await _read_maps(installation, list(system.events))
    return system


async def _read_database(connection: asyncpg.Connection, *, transitions: bool) -> SystemState:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        system = SystemState(await connection.fetchval("SELECT clock_timestamp()"))
        for row in await connection.fetch("SELECT id, name, state, max_tickets_per_person FROM events"):
            system.events[row["id"]] = (row["name"], row["state"])
            if row["max_tickets_per_person"] is not None:
                system.person_limits[row["id"]] = row["max_tickets_per_person"]
        for row in await connection.fetch(_ORDERS):
            system.orders[row["id"]] = Order(**_with_tuples(row))
        system.claims = [Claim(**row) for row in await connection.fetch(_CLAIMS)]
        system.tasks = [tuple(row) for row in await connection.fetch(_TASKS)]
        system.unindexed = await connection.fetchval("SELECT count(*) FROM search_outbox")
        if transitions:
            system.transitions = [Transition(**row) for row in await connection.fetch(_TRANSITIONS)]
            system.leaks = await _leaks(connection)
    return system


_ORDERS = """
SELECT o.id, o.event_id, o.state, o.currency, o.total_minor, o.expires_at,
  coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state <> 'ENDED'), '{}') AS live_places,
  coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state = 'HELD'), '{}') AS held_places,
  coalesce(sum(c.price_minor + c.fee_minor) FILTER (WHERE c.state <> 'ENDED'), 0)::bigint AS live_minor,
  coalesce((
    SELECT sum(coalesce(tickets_minor, amount_minor)) FROM refunds WHERE payment_id = p.id
  ), 0)::bigint AS refunded_tickets_minor,
  coalesce((SELECT sum(amount_minor - coalesce(tickets_minor, 0)) FROM refunds
    WHERE payment_id = p.id AND by_hand AND refunds.state = 'SENT'), 0)::bigint AS by_hand_minor,
  coalesce((SELECT sum(amount_minor) FROM refunds WHERE payment_id = p.id AND refunds.state = 'DECIDED'
    AND EXISTS (SELECT FROM disputes WHERE payment_id = p.id AND disputes.state = 'OPEN')), 0)::bigint
    AS waiting_minor,
  p.intent_id, o.user_id::text || ' ' || o.idempotency_key AS request,
  CASE WHEN o.user_id = e.organiser_id THEN NULL WHEN u.subject LIKE 'guest:%' THEN lower(u.email)
    ELSE u.subject END AS person
FROM orders o JOIN events e ON e.id = o.event_id JOIN users u ON u.id = o.user_id
  LEFT JOIN claims c ON c.order_id = o.id LEFT JOIN payments p ON p.order_id = o.id
GROUP BY o.id, p.id, e.organiser_id, u.id
"""
_CLAIMS = "SELECT event_id, place, order_id, state, id AS number FROM claims WHERE state <> 'ENDED'"
_TASKS = "SELECT topic, key, created_at, coalesce(last_error, '') FROM outbox ORDER BY id"
_TRANSITIONS = "SELECT subject, key, event_id, place, old, new FROM faults_transitions ORDER BY number"


def _with_tuples(row: asyncpg.Record) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


async def _leaks(connection: asyncpg.Connection) -> list[str]:
    """Tables that contain a secret of Stripe or a card number."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for row in tables:
        table = row["tablename"]
        text = f'SELECT count(*) FROM "{table}" AS row WHERE row::text ~ $1'
        if await connection.fetchval(text, r"_secret_|eyJ[\w-]+\.eyJ|4242424242424242"):
            found.append(f"table {table}")
    return found


async def _read_ledger(installation: Installation, client: httpx.AsyncClient) -> list[Intent]:
    answer = (await client.get(f"{installation.stripe_url}/_control/ledger")).raise_for_status().json()
    return [
        Intent(
            row["id"],
            row["status"],
            row["order_id"],
            row["currency"],
            row["amount"],
            row["captured"],
            row["refunded"],
            tuple(
                str(one["metadata"])
                for one in row["refunds"]
                if one["status"] not in ("failed", "canceled") and one["metadata"]
            ),
            sum(one["amount"] for one in row["disputes"] if one["status"] == "lost"),
        )
        for row in answer["intents"]
    ]


async def _read_index(installation: Installation, client: httpx.AsyncClient) -> dict[str, str] | None:
    if not installation.has("meilisearch"):
        return None
    answer = await client.get(
        f"{installation.meilisearch_url}/indexes/events/documents",
        params={"limit": 10_000, "fields": "id,name"},
        headers={"Authorization": f"Bearer {installation.secrets['meilisearch_key']}"},
    )
    return {one["id"]: one["name"] for one in answer.raise_for_status().json()["results"]}


async def _read_maps(installation: Installation, event_ids: list[UUID]) -> dict[UUID, SeatMap]:
    found: dict[UUID, SeatMap] = {}
    for event_id in event_ids:
        keys = event_keys(event_id)
        async with (
            installation.redis_of(keys.meta) as redis,
            redis.pipeline(transaction=True) as pipeline,
        ):
            pipeline.get(keys.places)
            pipeline.hget(keys.meta, "version")
            pipeline.hgetall(keys.claims)
            places, version, holds = await pipeline.execute()
        if places is not None and version is not None:
            owners = {int(p): hold.decode() for hold, of in holds.items() for p in of.split(b",") if p}
            found[event_id] = SeatMap(places, int(version), owners)
    return found


def claims_by_event(system: SystemState) -> dict[UUID, dict[int, list[Claim]]]:
    """The live claims by event and place."""
    found: dict[UUID, dict[int, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for claim in system.claims:
        found[claim.event_id][claim.place].append(claim)
    return found

"""What every part says at one moment, read from the part itself and by statements of the checker's own."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from redis.exceptions import RedisError

from faults.house import House

_RECORDER = Path(__file__).parent / "recorder.sql"


@dataclass(frozen=True, slots=True)
class Order:
    """An order with what it holds and what it should have cost by now."""

    id: UUID
    event_id: UUID
    state: str
    currency: str
    total_minor: int
    expires_at: datetime
    live_places: tuple[int, ...]
    live_minor: int
    held_places: tuple[int, ...]
    """Of the live ones, those that are held and not booked."""
    refunds_minor: int
    """Decided or sent."""
    intent_id: str | None
    request: str | None = None
    """Who asked with which idempotency key."""


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
    """A change of state that the database saw, in its order."""

    subject: str
    key: str
    event_id: UUID | None
    place: int | None
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent in the gateway's ledger."""

    id: str
    status: str
    order_id: str | None
    currency: str
    amount: int
    captured: int
    refunded: int
    refund_keys: tuple[str, ...]
    """Of the refunds that stand, the key that each was made for."""


@dataclass(frozen=True, slots=True)
class SeatMap:
    """An event in Redis."""

    places: bytes
    version: int
    owners: dict[int, str]


@dataclass(slots=True)
class World:
    """All of it."""

    now: datetime
    orders: dict[UUID, Order] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    events: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    """Name and state."""
    tasks: list[tuple[str, str, datetime, str]] = field(default_factory=list)
    """Of the outbox: topic, key, since when, the last error."""
    unindexed: int = 0
    intents: list[Intent] = field(default_factory=list)
    maps: dict[UUID, SeatMap] = field(default_factory=dict)
    documents: dict[str, str] | None = None
    """The index: name by id; None where there is no engine."""
    leaks: list[str] = field(default_factory=list)
    strays: bool = False
    """Stripe has answered 500 and done it: the intent behind that is nobody's (docs/adr/payment-keys.md)."""


# What a client of a part raises while the part is away.
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, httpx.HTTPError, RedisError)


async def install_recorder(house: House) -> None:
    """Have the database write down what happens in it."""
    async with house.database() as connection:
        await connection.execute(_RECORDER.read_text())


async def read_world(house: House, *, transitions: bool = False) -> World:
    """Ask every part. Raises whatever a part that is away makes its client raise."""
    async with house.database() as connection:
        world = await _read_database(connection, transitions=transitions)
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        world.intents = await _read_ledger(house, client)
        world.documents = await _read_index(house, client)
    world.maps = await _read_maps(house, list(world.events))
    return world


async def _read_database(connection: asyncpg.Connection, *, transitions: bool) -> World:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        world = World(await connection.fetchval("SELECT clock_timestamp()"))
        for row in await connection.fetch("SELECT id, name, state FROM events"):
            world.events[row["id"]] = (row["name"], row["state"])
        for row in await connection.fetch(_ORDERS):
            world.orders[row["id"]] = Order(**_with_tuples(row))
        world.claims = [Claim(**row) for row in await connection.fetch(_CLAIMS)]
        world.tasks = [tuple(row) for row in await connection.fetch(_TASKS)]
        world.unindexed = await connection.fetchval("SELECT count(*) FROM search_outbox")
        if transitions:
            world.transitions = [Transition(**row) for row in await connection.fetch(_TRANSITIONS)]
            world.leaks = await _leaks(connection)
    return world


_ORDERS = """
SELECT o.id, o.event_id, o.state, o.currency, o.total_minor, o.expires_at,
  coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state <> 'ENDED'), '{}') AS live_places,
  coalesce(array_agg(c.place ORDER BY c.place) FILTER (WHERE c.state = 'HELD'), '{}') AS held_places,
  coalesce(sum(c.price_minor + c.fee_minor) FILTER (WHERE c.state <> 'ENDED'), 0)::int AS live_minor,
  coalesce((SELECT sum(amount_minor) FROM refunds WHERE payment_id = p.id), 0)::int AS refunds_minor,
  p.intent_id, o.user_id::text || ' ' || o.idempotency_key AS request
FROM orders o LEFT JOIN claims c ON c.order_id = o.id LEFT JOIN payments p ON p.order_id = o.id
GROUP BY o.id, p.id
"""
_CLAIMS = "SELECT event_id, place, order_id, state, id AS number FROM claims WHERE state <> 'ENDED'"
_TASKS = "SELECT topic, key, created_at, coalesce(last_error, '') FROM outbox ORDER BY id"
_TRANSITIONS = "SELECT subject, key, event_id, place, old, new FROM faults_transitions ORDER BY number"


def _with_tuples(row: asyncpg.Record) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


async def _leaks(connection: asyncpg.Connection) -> list[str]:
    """Tables in which a secret of the gateway or a card stands."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for row in tables:
        table = row["tablename"]
        text = f'SELECT count(*) FROM "{table}" AS row WHERE row::text ~ $1'
        if await connection.fetchval(text, r"_secret_|eyJ[\w-]+\.eyJ|4242424242424242"):
            found.append(f"table {table}")
    return found


async def _read_ledger(house: House, client: httpx.AsyncClient) -> list[Intent]:
    answer = (await client.get(f"{house.stripe_url}/_control/ledger")).raise_for_status().json()
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
        )
        for row in answer["intents"]
    ]


async def _read_index(house: House, client: httpx.AsyncClient) -> dict[str, str] | None:
    if not house.has("meilisearch"):
        return None
    answer = await client.get(
        f"{house.meilisearch_url}/indexes/events/documents",
        params={"limit": 10_000, "fields": "id,name"},
        headers={"Authorization": f"Bearer {house.secrets['meilisearch_key']}"},
    )
    return {one["id"]: one["name"] for one in answer.raise_for_status().json()["results"]}


async def _read_maps(house: House, event_ids: list[UUID]) -> dict[UUID, SeatMap]:
    found: dict[UUID, SeatMap] = {}
    redis = house.redis()
    try:
        for event_id in event_ids:
            tag = f"bo:{{{event_id}}}"
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.get(f"{tag}:places")
                pipeline.hget(f"{tag}:meta", "version")
                pipeline.hgetall(f"{tag}:claims")
                places, version, holds = await pipeline.execute()
            if places is not None and version is not None:
                owners = {int(p): hold.decode() for hold, of in holds.items() for p in of.split(b",") if p}
                found[event_id] = SeatMap(places, int(version), owners)
    finally:
        await redis.aclose()
    return found


def claims_by_event(world: World) -> dict[UUID, dict[int, list[Claim]]]:
    """The live claims of each place of each event."""
    found: dict[UUID, dict[int, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for claim in world.claims:
        found[claim.event_id][claim.place].append(claim)
    return found

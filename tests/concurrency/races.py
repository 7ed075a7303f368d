"""Rushes of buyers, guards that can be taken away, and the audit that every race must pass."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from db.queries.claims import live_claims
from db.queries.orders import OrderRow
from db.queries.payments import payment_of_order
from domain.errors import BoxofficeError, NotEnoughSeats, SeatsGone
from kit.lua import LuaScript
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.outbox import deliver
from services.ordering.reserve import reserve
from services.ordering.seat_rebuild import places_of
from services.ordering.selection import Selection
from tests.events import buyer

Contexts = Sequence[ServiceContext]
# The refusals that a loser of a rush may get.
REFUSALS = (SeatsGone, NotEnoughSeats)


async def rush(
    contexts: Contexts, event_id: UUID, buyers: int, selection: Callable[[int], Selection]
) -> list[OrderRow | BaseException]:
    """A number of concurrent buyers, spread over the contexts; the order or error of each."""
    requests = (
        reserve(
            contexts[number % len(contexts)], buyer(f"b{number}"), ReserveRequest(event_id, selection(number))
        )
        for number in range(buyers)
    )
    return await asyncio.gather(*requests, return_exceptions=True)


def orders_of(answers: Sequence[OrderRow | BaseException]) -> list[OrderRow]:
    """The orders of the winners; every loser must have been refused in a way that the contract knows."""
    for answer in answers:
        assert isinstance(answer, (OrderRow, *REFUSALS)), repr(answer)
    return [answer for answer in answers if isinstance(answer, OrderRow)]


async def live_places(context: ServiceContext, event_id: UUID) -> Counter[int]:
    """How many live claims each place has."""
    rows = await context.database.fetch(
        "SELECT place FROM claims WHERE event_id = $1 AND state <> 'ENDED'", event_id
    )
    return Counter(row["place"] for row in rows)


async def oversold(context: ServiceContext, event_id: UUID) -> list[int]:
    """The places that more than one live claim has."""
    return [place for place, claims in (await live_places(context, event_id)).items() if claims > 1]


async def remove_the_index(context: ServiceContext) -> None:
    """Take away what makes a seat saleable once."""
    await context.database.fetch("DROP INDEX claims_live")


def remove_the_check(context: ServiceContext) -> None:
    """Make the Lua script take its first candidate, also where another order has it."""
    scripts = context.seats._scripts
    hold = scripts["hold"].text
    careless = hold.replace("if #taken == 0 then", "if true then").replace(
        "local free = redis.call('GETRANGE', KEYS[1], first, first + capacity - 1)",
        "local free = string.rep('A', capacity)",
    )
    assert careless.count("if true then") == 1 and "string.rep" in careless
    digest = hashlib.sha1(careless.encode(), usedforsecurity=False).hexdigest()
    scripts["hold"] = LuaScript("hold", careless, digest)


async def until_quiet(contexts: Contexts) -> None:
    """Let workers at every context do what is due, until nothing is."""
    async with asyncio.timeout(20):
        while await contexts[0].database.fetchval("SELECT count(*) FROM outbox"):
            await asyncio.gather(*(deliver(context) for context in contexts))
            await _bring_forward(contexts[0])


async def _bring_forward(context: ServiceContext) -> None:
    """What was put off after a fault is due now."""
    await context.database.fetch("UPDATE outbox SET available_at = least(available_at, $1)", context.now())


async def lapse(contexts: Contexts) -> None:
    """What the worker does at deadlines, at every context at once."""
    await asyncio.gather(*(work(context) for context in contexts for work in (expire_lapsed, expire_paying)))


async def faults(context: ServiceContext, event_id: UUID) -> list[str]:
    """What is wrong with an event's orders, claims, money and map; call when quiet."""
    found = [f"place {place} is sold twice" for place in await oversold(context, event_id)]
    rows = await context.database.fetch("SELECT * FROM orders WHERE event_id = $1", event_id)
    for row in rows:
        found += await _faults_of_order(context, row["id"], row["state"])
    claims = await live_claims(context.database, [event_id])
    seen = (await context.seats.snapshot(event_id)).places
    true = places_of(len(seen), claims)
    if seen != true:
        found.append(f"the map says {seen!r} and the claims {true!r}")
    return found


async def _faults_of_order(context: ServiceContext, order_id: UUID, state: str) -> list[str]:
    rows = await context.database.fetch(
        "SELECT state, price_minor + fee_minor AS minor FROM claims WHERE order_id = $1", order_id
    )
    live = [row for row in rows if row["state"] != "ENDED"]
    kept = await kept_at_stripe(context, order_id)
    found = []
    if state in ("EXPIRED", "CANCELLED", "REFUNDED") and live:
        found.append(f"{state} order {order_id} still has places")
    if state == "BOOKED" and any(row["state"] != "BOOKED" for row in live):
        found.append(f"BOOKED order {order_id} has places that are only held")
    if state == "BOOKED" and not live:
        found.append(f"BOOKED order {order_id} has no place")
    price = sum(row["minor"] for row in live) if state == "BOOKED" else 0
    if kept != price:
        found.append(f"{state} order {order_id} keeps {kept} instead of {price}")
    return found


async def kept_at_stripe(context: ServiceContext, order_id: UUID) -> int:
    """What the gateway has captured and not refunded."""
    payment = await payment_of_order(context.database, order_id)
    if payment is None or payment.intent_id is None:
        return 0
    return (await context.gateway.retrieve(payment.intent_id)).kept_minor


def unexpected(answers: Sequence[object]) -> list[BaseException]:
    """The faults among some answers that are no refusals."""
    return [
        answer
        for answer in answers
        if isinstance(answer, BaseException) and not isinstance(answer, BoxofficeError)
    ]

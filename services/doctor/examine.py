"""Examine: compare PostgreSQL, Redis, the payment gateway and the search index.

Every difference is a sentence for a person, with its repair where one needs no person. Work in flight
differs for a moment, so a caller examines twice and believes only what both examinations find.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from db.queries import search as search_rows
from db.queries.doctor import (
    OpenRefund,
    OrderPage,
    OrderStanding,
    StuckTask,
    estimated_orders,
    examine_page,
    is_inconsistent,
    open_refunds,
    standings_of,
    stuck_tasks,
)
from db.queries.search import read_facts, read_published
from domain.errors import NotFound
from domain.ids import Kind, public_id
from domain.seat_status import SeatStatus
from domain.states import OrderState, RefundState
from search.index import IndexUnavailable
from services.context import ServiceContext, reading
from services.doctor import repair
from services.doctor.examine_payments import Progress, examine_payments, no_progress
from services.ordering.reconcile import Difference, differences
from services.search.record_documents import EventDocument, facts_of

# Sweeps run every two seconds, so later work is not going to happen by itself.
OVERDUE = timedelta(seconds=10)
STUCK = timedelta(seconds=60)
_BATCH = 1000
_ORDERS = 5_000
"""Of a statement, which takes some tenths of a second"""
_MOST_LISTED = 20
_STATES: dict[str, str] = dict(zip(SeatStatus, ("free", "held", "booked", "blocked"), strict=True))
_SHOWN = ("name", "venue", "city", "starts_at", "price_from", "available")


class Documents(Protocol):
    """The documents of the search engine; the call blocks."""

    def documents(self) -> dict[str, dict[str, Any]]: ...


Repair = Callable[[ServiceContext], Awaitable[None]]


class Where(StrEnum):
    """The store that a difference is about."""

    ORDERS = "orders"
    REDIS = "Redis"
    STRIPE = "Stripe"
    INDEX = "search index"
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, in a sentence. Without `repair`, `advice` says what a person must do.

    `kind` and `subject` say which difference it is; the sentence may hold counts and times that change.
    """

    where: Where
    kind: str
    subject: str
    sentence: str
    advice: str = ""
    repair: Repair | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[Where, str, str]:
        """The same for one difference at every examination."""
        return self.where, self.kind, self.subject


async def examine(
    context: ServiceContext,
    engine: Documents | None,
    since: timedelta,
    progress: Progress = no_progress,
) -> list[Finding]:
    """Return every present difference; of payments those since `since` ago. It reads page by page.

    Raises:
        Unavailable: PostgreSQL or Redis does not answer.
    """
    found = await reading(_orders(context, progress))
    found += await _redis(context, progress)
    found += [Finding(Where.STRIPE, *each) for each in await examine_payments(context, since, progress)]
    found += await reading(_refunds(context))
    found += await reading(_outbox(context))
    if engine is not None:
        found += await reading(_index(context, engine, progress))
    return found


async def _orders(context: ServiceContext, progress: Progress) -> list[Finding]:
    found: list[Finding] = []
    before, done, after = context.now() - OVERDUE, 0, UUID(int=0)
    total = await estimated_orders(context.database)
    while page := await examine_page(context.database, after, _ORDERS, before):
        after, done = page.last, done + page.number
        found += await _suspects(context, page, before)
        progress(done, max(total, done), "orders")
    return found


async def _suspects(context: ServiceContext, page: OrderPage, before: datetime) -> list[Finding]:
    wanted = {*page.suspects, *page.without_payment}
    orders = await standings_of(context.database, sorted(wanted)) if wanted else []
    found = [_misfit(order) for order in orders if is_inconsistent(order, before)]
    return found + [_without_payment(order) for order in orders if order.id in page.without_payment]


def _without_payment(order: OrderStanding) -> Finding:
    sentence = f"Order {order.reference} is booked and costs something, but no payment was ever begun for it."
    advice = "Ask for the money, or refund the order."
    return Finding(Where.STRIPE, "no payment", _public(order), sentence, advice)


def _public(order: OrderStanding) -> str:
    return public_id(Kind.ORDER, order.id)


def _misfit(order: OrderStanding) -> Finding:
    name = f"Order {order.reference} is {order.state}"
    if order.state not in (OrderState.RESERVED, OrderState.PAYING, OrderState.BOOKED):
        sentence = f"{name}, but still takes {_listed(order.live_places)}."
        return _repairable("ended with places", order, sentence, repair.end_order_claims)
    due = order.total_minor - (order.tickets_minor if order.state == OrderState.BOOKED else 0)
    if order.live_minor < due:
        return _lost_places(order, name, due)
    if order.live_minor > due:
        sentence = f"{name} and has {_listed(order.live_places)}, more than it pays for."
        advice = "Refund the tickets that are too many."
        return Finding(Where.ORDERS, "too many places", _public(order), sentence, advice)
    if order.state == OrderState.BOOKED:
        sentence = f"{name}, but {_listed(order.held_places)} is only held."
        return _repairable("booked but held", order, sentence, repair.book_order_claims)
    sentence = f"{name} since its deadline at {order.expires_at:%H:%M:%S}: no worker has ended it."
    return _repairable("overdue", order, sentence, repair.end_overdue_orders)


def _repairable(
    kind: str,
    order: OrderStanding,
    sentence: str,
    repair_order: Callable[[ServiceContext, OrderStanding], Awaitable[None]],
) -> Finding:
    return Finding(
        Where.ORDERS, kind, _public(order), sentence, repair=lambda context: repair_order(context, order)
    )


def _lost_places(order: OrderStanding, name: str, due: int) -> Finding:
    """Places that vanished come back where nobody has them and it is certain which they were."""
    sentence = f"{name} for {due} {order.currency}, but its places come to {order.live_minor}: some are lost."
    if order.lost_places and order.tickets_minor == 0:
        sentence = f"{sentence} {_listed(order.lost_places)} is free."
        return _repairable("lost places", order, sentence, repair.restore_places)
    advice = "Give the buyer other seats, or refund what is missing."
    return Finding(Where.ORDERS, "lost places", _public(order), sentence, advice)


def _listed(places: Sequence[int]) -> str:
    return f"place{'s' if len(places) > 1 else ''} {', '.join(map(str, places[:_MOST_LISTED]))}"


async def _redis(context: ServiceContext, progress: Progress) -> list[Finding]:
    found: list[Finding] = []
    events = await context.seats.events_built()
    for number, event_id in enumerate(events):
        progress(number, len(events), "maps in Redis")
        try:
            found += await _map(context, event_id)
        except NotFound:
            continue
    return found


async def _map(context: ServiceContext, event_id: UUID) -> list[Finding]:
    subject = public_id(Kind.EVENT, event_id)
    if await repair.has_wrong_length(context, event_id):
        sentence = "Its map in Redis has another number of places than its layout."
        mend = partial(repair.rebuild, event_id=event_id)
        return [Finding(Where.REDIS, "length of the map", subject, sentence, repair=mend)]
    return [
        Finding(
            Where.REDIS,
            f"place {one.place}",
            subject,
            _redis_sentence(one),
            repair=partial(repair.correct, event_id=event_id, difference=one),
        )
        for one in sorted(await differences(context, event_id), key=lambda each: each.place)
    ]


def _redis_sentence(one: Difference) -> str:
    seen = _STATES.get(one.redis_state, f"{one.redis_state!r}")
    held_by = f" by {one.redis_hold}" if one.redis_hold else ""
    claimed_by = f" by order {one.hold}" if one.hold else ""
    return (
        f"Place {one.place} is {seen}{held_by} in Redis, and {_STATES[one.state]}{claimed_by} in PostgreSQL."
    )


async def _refunds(context: ServiceContext) -> list[Finding]:
    return [_refund(one) for one in await open_refunds(context.database)]


def _refund(one: OpenRefund) -> Finding:
    subject = public_id(Kind.ORDER, one.order_id)
    amount = f"{one.amount_minor} {one.currency}"
    if one.state == RefundState.FAILED:
        sentence = (
            f"A refund of {amount} (minor units) came back from the bank too often, or Stripe refuses it."
        )
        return Finding(Where.STRIPE, f"refund {one.id}", subject, sentence, "Pay it back by other means.")
    sentence = f"A refund of {amount} (minor units) was decided, and nothing is going to send it."
    mend = partial(repair.send_refund, refund=one)
    return Finding(Where.OUTBOX, f"refund {one.id}", subject, sentence, repair=mend)


async def _outbox(context: ServiceContext) -> list[Finding]:
    return [_stuck(task) for task in await stuck_tasks(context.database, context.now() - STUCK)]


def _stuck(task: StuckTask) -> Finding:
    why = task.last_error or "nobody has tried it"
    sentence = (
        f"{task.topic} waits since {task.created_at:%Y-%m-%d %H:%M:%S} after {task.attempts} tries: {why}"
    )
    mend = partial(repair.retry_now, task=task)
    return Finding(Where.OUTBOX, f"task {task.id}", task.key, sentence, repair=mend)


async def _index(context: ServiceContext, engine: Documents, progress: Progress) -> list[Finding]:
    try:
        indexed = await asyncio.to_thread(engine.documents)
    except IndexUnavailable as fault:
        advice = "See that Meilisearch runs; search answers from PostgreSQL meanwhile."
        return [Finding(Where.INDEX, "away", "Meilisearch", f"It does not answer: {fault}", advice)]
    expected = await _expected_documents(context, progress)
    found = [
        Finding(
            Where.INDEX,
            "document",
            key,
            _index_sentence(indexed.get(key), expected.get(key)),
            repair=partial(repair.index_again, event=key),
        )
        for key in sorted(indexed.keys() | expected.keys())
        if _differs(indexed.get(key), expected.get(key))
    ]
    async with context.database.connection() as connection:
        refusals = await search_rows.read_refusals(connection, _MOST_LISTED)
    return found + [
        Finding(
            Where.INDEX,
            "refused document",
            public_id(Kind.EVENT, event_id),
            f"Meilisearch refused its document: {error}",
            "Correct the event; it is sent again when it changes.",
        )
        for event_id, error in refusals
    ]


async def _expected_documents(context: ServiceContext, progress: Progress) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    async with context.database.connection() as connection:
        after = UUID(int=0)
        while events := await read_published(connection, after, _BATCH):
            for facts in facts_of(await read_facts(connection, events)):
                document = EventDocument.of(facts).document()
                found[document["id"]] = document
            after = events[-1]
            progress(len(found), 0, "documents")
    return found


def _differs(indexed: dict[str, Any] | None, expected: dict[str, Any] | None) -> bool:
    if indexed is None or expected is None:
        return indexed is not expected
    return any(indexed.get(name) != expected[name] for name in _SHOWN)


def _index_sentence(indexed: dict[str, Any] | None, expected: dict[str, Any] | None) -> str:
    if expected is None:
        return "The index has it, and the database has no such published event."
    if indexed is None:
        return f"{expected['name']!r} is published and not in the index."
    wrong = [name for name in _SHOWN if indexed.get(name) != expected[name]]
    return f"Its document in the index has another {', '.join(wrong)} than the database."

"""Damage made by hand is found, described in a sentence, and repaired where no person is needed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from db.queries.orders import OrderRow, order_by_id
from domain.ids import Kind, public_id
from reservations.keys import event_keys
from search.index import IndexUnavailable
from services.context import ServiceContext
from services.doctor import examine as examining
from services.doctor.examine import Documents, Finding, Where, examine
from services.ordering.attempt import ReserveRequest
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.search.record_documents import EventDocument, facts_of
from tests.events import ORGANISER, ManualClock, buyer, open_event
from tests.orders import tickets_on

ANN = buyer("ann")
WEEK = timedelta(days=7)


async def held(context: ServiceContext) -> OrderRow:
    event_id = await open_event(context.database, rows=[4])
    return await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((0, 1))))


async def booked(context: ServiceContext) -> OrderRow:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")
    await work(context)
    return order


async def work(context: ServiceContext) -> None:
    while await deliver(context):
        pass


async def look(context: ServiceContext, engine: Documents | None = None) -> list[Finding]:
    """What there is of this test's own orders: the local Stripe is shared."""
    found = await examine(context, engine, WEEK)
    return [one for one in found if "not in the database" not in one.sentence]


async def repaired(context: ServiceContext, found: list[Finding]) -> list[Finding]:
    for one in found:
        assert one.repair is not None, one.sentence
        await one.repair(context)
    await work(context)
    return await look(context)


async def intent_of(context: ServiceContext, order: OrderRow) -> str:
    return str(
        await context.database.fetchval("SELECT intent_id FROM payments WHERE order_id = $1", order.id)
    )


async def authorise(context: ServiceContext, order: OrderRow) -> None:
    """The buyer confirms in the browser; nobody tells us."""
    await pay(context, ANN, order.id)
    await work(context)
    await context.gateway.confirm(
        await intent_of(context, order),
        "pm_card_visa",
        idempotency_key=f"b:{order.id}",
        return_url="http://x",
    )


async def test_nothing_is_found_when_orders_stand_in_every_state(context: ServiceContext) -> None:
    await booked(context)
    await held(context)
    await pay(context, ANN, (await held(context)).id)
    given_back = await held(context)
    await release(context, ANN, given_back.id)
    refunded = await booked(context)
    await refund(context, ORGANISER, refunded.id, await tickets_on(context.database, refunded.id, 0))
    await work(context)

    assert await look(context) == []


async def lose_a_claim(context: ServiceContext, order: OrderRow) -> str:
    await context.database.fetch(
        "UPDATE claims SET state = 'ENDED' WHERE order_id = $1 AND place = 1", order.id
    )
    return "some are lost. place 1 is free."


async def only_hold(context: ServiceContext, order: OrderRow) -> str:
    await context.database.fetch("UPDATE claims SET state = 'HELD' WHERE order_id = $1", order.id)
    return "is BOOKED, but places 0, 1 is only held."


async def flip_a_byte(context: ServiceContext, order: OrderRow) -> str:
    await context.seats._command("SETRANGE", event_keys(order.event_id).places, 0, "A")
    return f"Place 0 is free by {order.id} in Redis, and booked by order {order.id} in PostgreSQL."


async def write_rubbish(context: ServiceContext, order: OrderRow) -> str:
    await context.seats._command("SETRANGE", event_keys(order.event_id).places, 3, "?")
    return "Place 3 is '?' in Redis, and free in PostgreSQL."


async def cut_the_map(context: ServiceContext, order: OrderRow) -> str:
    await context.seats._command("SET", event_keys(order.event_id).places, "BB")
    return "another number of places than its layout."


async def lose_an_owner(context: ServiceContext, order: OrderRow) -> str:
    await context.seats._command("DEL", event_keys(order.event_id).claims)
    return f"Place 0 is booked in Redis, and booked by order {order.id} in PostgreSQL."


Break = Callable[[ServiceContext, OrderRow], Awaitable[str]]


@pytest.mark.parametrize(
    "damage", [lose_a_claim, only_hold, flip_a_byte, write_rubbish, cut_the_map, lose_an_owner]
)
async def test_booking_is_whole_again_when_its_places_were_damaged(
    context: ServiceContext, damage: Break
) -> None:
    order = await booked(context)
    sentence = await damage(context, order)

    found = await look(context)

    assert any(sentence in one.sentence for one in found), found
    assert await repaired(context, found) == []
    assert (await context.seats.snapshot(order.event_id)).places == b"BBAA"


async def test_person_is_asked_when_the_lost_place_was_sold_again(context: ServiceContext) -> None:
    order = await booked(context)
    await lose_a_claim(context, order)
    await context.seats.release(order.event_id, order.id, [1])
    await reserve(context, buyer("bob"), ReserveRequest(order.event_id, ExactSeats((1,))))

    found = await look(context)

    assert [(one.where, one.advice, one.repair) for one in found] == [
        (Where.ORDERS, "Give the buyer other seats, or refund what is missing.", None)
    ]


async def test_places_are_free_when_an_order_that_is_over_still_took_them(context: ServiceContext) -> None:
    order = await held(context)
    await context.database.fetch("UPDATE orders SET state = 'EXPIRED' WHERE id = $1", order.id)

    found = await look(context)

    assert [one.sentence for one in found] == [
        f"Order {order.reference} is EXPIRED, but still takes places 0, 1."
    ]
    assert await repaired(context, found) == []
    assert (await context.seats.snapshot(order.event_id)).places == b"AAAA"


async def test_orders_end_when_no_worker_has_ended_them(context: ServiceContext, clock: ManualClock) -> None:
    lapsed, paying = await held(context), await held(context)
    await pay(context, ANN, paying.id)
    await work(context)
    clock.advance(seconds=700)

    found = [one for one in await look(context) if one.where is Where.ORDERS]

    assert {one.subject for one in found} == {
        public_id(Kind.ORDER, lapsed.id),
        public_id(Kind.ORDER, paying.id),
    }
    assert await repaired(context, found) == []


async def test_money_goes_back_when_it_was_captured_for_an_order_that_is_over(
    context: ServiceContext,
) -> None:
    order = await held(context)
    await authorise(context, order)
    await context.database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'EXPIRED' WHERE id = $1",
        order.id,
    )
    await context.seats.release(order.event_id, order.id)
    intent_id = await intent_of(context, order)
    await context.gateway.capture(intent_id, idempotency_key=f"by hand:{order.id}")

    found = await look(context)

    assert [one.sentence for one in found] == [
        (
            f"Order {order.reference} is EXPIRED and should have paid 0,"
            " but Stripe keeps 10500 USD (minor units)."
        )
    ]
    assert await repaired(context, found) == []
    assert (await context.gateway.retrieve(intent_id)).kept_minor == 0


async def test_order_is_booked_when_it_was_captured_and_no_webhook_came(context: ServiceContext) -> None:
    order = await held(context)
    await authorise(context, order)
    await context.gateway.capture(await intent_of(context, order), idempotency_key=f"by hand:{order.id}")

    found = await look(context)

    assert [one.subject for one in found] == [public_id(Kind.ORDER, order.id)]
    assert await repaired(context, found) == []
    after = await order_by_id(context.database, order.id)
    assert after is not None and after.state == "BOOKED"


async def test_money_is_let_go_when_it_was_left_on_hold(context: ServiceContext) -> None:
    order = await held(context)
    await authorise(context, order)
    await context.database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'CANCELLED' WHERE id = $1",
        order.id,
    )
    await context.seats.release(order.event_id, order.id)

    found = await look(context)

    assert [one.sentence for one in found] == [
        (
            f"Order {order.reference} is CANCELLED, and Stripe has 10500 USD (minor units) on hold,"
            " which nothing is going to let go."
        )
    ]
    assert await repaired(context, found) == []
    assert (await context.gateway.retrieve(await intent_of(context, order))).status == "canceled"


async def test_money_is_taken_when_the_capture_was_forgotten(context: ServiceContext) -> None:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")
    await context.database.fetch("DELETE FROM outbox WHERE topic = 'capture_payment'")
    await work(context)

    found = await look(context)

    assert [one.where for one in found] == [Where.STRIPE]
    assert await repaired(context, found) == []
    assert (await context.gateway.retrieve(await intent_of(context, order))).kept_minor == 10_500


async def test_refund_is_sent_when_its_task_was_lost(context: ServiceContext) -> None:
    order = await booked(context)
    await refund(context, ORGANISER, order.id)
    await context.database.fetch("DELETE FROM outbox WHERE topic = 'send_refund'")
    await work(context)

    found = await look(context)

    assert {one.where for one in found} == {Where.OUTBOX, Where.STRIPE}
    for one in found:
        if one.repair is not None:
            await one.repair(context)
    await work(context)
    assert await look(context) == []


async def test_stuck_task_is_done_when_it_is_hurried(context: ServiceContext, clock: ManualClock) -> None:
    order = await booked(context)
    await context.database.fetch(
        "INSERT INTO outbox (topic, key, payload, created_at, available_at, last_error)"
        " VALUES ('mirror_order', $1, '{}', $2, $3, 'Unavailable: away')",
        str(order.id),
        context.now(),
        context.now() + timedelta(hours=1),
    )
    clock.advance(seconds=61)

    found = await look(context)

    assert [one.where for one in found] == [Where.OUTBOX]
    assert found[0].sentence.startswith("mirror_order waits since ")
    assert found[0].sentence.endswith(" after 0 tries: Unavailable: away")
    assert await repaired(context, found) == []


class Engine:
    """An index that holds what a test puts into it."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.away = False

    def documents(self) -> dict[str, dict[str, Any]]:
        if self.away:
            raise IndexUnavailable("nobody answers")
        return self.held


async def index_of(context: ServiceContext) -> Engine:
    """What a faithful indexer would have written."""
    from db.queries.search import read_facts

    engine = Engine()
    async with context.database.connection() as connection:
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM events")]
        for facts in facts_of(await read_facts(connection, ids)):
            document = EventDocument.of(facts).document()
            engine.held[document["id"]] = document
    return engine


async def test_event_is_marked_when_its_document_is_gone_or_differs(context: ServiceContext) -> None:
    gone, other = await held(context), await held(context)
    engine = await index_of(context)
    del engine.held[public_id(Kind.EVENT, gone.event_id)]
    engine.held[public_id(Kind.EVENT, other.event_id)]["name"] = "Another"
    engine.held["evt_00000000000000000000000000"] = {"id": "evt_00000000000000000000000000"}
    await context.database.fetch("DELETE FROM search_outbox")

    found = await look(context, engine)

    assert {one.subject: one.sentence for one in found} == {
        "evt_00000000000000000000000000": "The index has it, and the database has no such published event.",
        public_id(Kind.EVENT, gone.event_id): "'Test night' is published and not in the index.",
        public_id(Kind.EVENT, other.event_id): (
            "Its document in the index has another name than the database."
        ),
    }
    for one in found:
        assert one.repair is not None
        await one.repair(context)
    marked = await context.database.fetch("SELECT event_id FROM search_outbox")
    assert {public_id(Kind.EVENT, row["event_id"]) for row in marked} == {one.subject for one in found}


async def test_a_finding_is_reported_when_the_index_does_not_answer(context: ServiceContext) -> None:
    engine = Engine()
    engine.away = True

    found = await look(context, engine)

    assert [(one.where, one.repair) for one in found] == [(Where.INDEX, None)]


async def test_every_order_is_examined_when_there_are_more_than_fit_a_page(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "_ORDERS", 2)
    orders = [await held(context) for _ in range(5)]
    await context.database.fetch("UPDATE orders SET state = 'CANCELLED' WHERE id = $1", orders[0].id)
    await context.database.fetch("UPDATE claims SET state = 'ENDED' WHERE order_id = $1", orders[4].id)
    reported: list[tuple[int, str]] = []

    found = await examine(context, None, WEEK, lambda done, _, what: reported.append((done, what)))

    kinds = {one.subject: one.kind for one in found if one.where is Where.ORDERS}
    assert kinds == {
        public_id(Kind.ORDER, orders[0].id): "ended with places",
        public_id(Kind.ORDER, orders[4].id): "lost places",
    }
    assert [done for done, what in reported if what == "orders"] == [2, 4, 5]

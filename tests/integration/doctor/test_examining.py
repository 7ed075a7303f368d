"""Whatever is broken by hand is found, said in a sentence, and mended where nobody has to be asked."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from db.queries.orders import OrderRow, order_by_id
from domain.ids import Kind, public_id
from reservations.keys import event_keys
from search.index import IndexAway
from services.context import Office
from services.doctor.examine import Documents, Finding, Where, examine
from services.ordering.expiry import release
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.reserve import ReserveRequest, reserve
from services.ordering.selection import ExactSeats
from services.search.record_documents import Recorded, facts_of
from tests.houses import ORGANISER, ManualClock, buyer, open_event

ANN = buyer("ann")
WEEK = timedelta(days=7)


async def held(office: Office) -> OrderRow:
    event_id = await open_event(office.database, rows=[4])
    return await reserve(office, ANN, ReserveRequest(event_id, ExactSeats((0, 1))))


async def booked(office: Office) -> OrderRow:
    order = await held(office)
    await pay(office, ANN, order.id, "pm_card_visa")
    await work(office)
    return order


async def work(office: Office) -> None:
    while await deliver(office):
        pass


async def look(office: Office, engine: Documents | None = None) -> list[Finding]:
    """What there is of this test's own orders: the local Stripe is shared."""
    found = await examine(office, engine, WEEK)
    return [one for one in found if "not in the database" not in one.sentence]


async def mended(office: Office, found: list[Finding]) -> list[Finding]:
    for one in found:
        assert one.mend is not None, one.sentence
        await one.mend(office)
    await work(office)
    return await look(office)


async def intent_of(office: Office, order: OrderRow) -> str:
    return str(await office.database.fetchval("SELECT intent_id FROM payments WHERE order_id = $1", order.id))


async def authorise(office: Office, order: OrderRow) -> None:
    """The buyer confirms in the browser; nobody tells us."""
    await pay(office, ANN, order.id)
    await work(office)
    await office.gateway.confirm(
        await intent_of(office, order), "pm_card_visa", idempotency_key=f"b:{order.id}", return_url="http://x"
    )


async def test_nothing_is_found_when_orders_stand_in_every_state(office: Office) -> None:
    await booked(office)
    await held(office)
    await pay(office, ANN, (await held(office)).id)
    given_back = await held(office)
    await release(office, ANN, given_back.id)
    refunded = await booked(office)
    await refund(office, ORGANISER, refunded.id, [0])
    await work(office)

    assert await look(office) == []


async def lose_a_claim(office: Office, order: OrderRow) -> str:
    await office.database.fetch(
        "UPDATE claims SET state = 'ENDED' WHERE order_id = $1 AND place = 1", order.id
    )
    return "some are lost. place 1 is free."


async def only_hold(office: Office, order: OrderRow) -> str:
    await office.database.fetch("UPDATE claims SET state = 'HELD' WHERE order_id = $1", order.id)
    return "is BOOKED, but places 0, 1 is only held."


async def flip_a_byte(office: Office, order: OrderRow) -> str:
    await office.seats._command("SETRANGE", event_keys(order.event_id).places, 0, "A")
    return f"Place 0 is free by {order.id} in Redis, and booked by order {order.id} in PostgreSQL."


async def write_rubbish(office: Office, order: OrderRow) -> str:
    await office.seats._command("SETRANGE", event_keys(order.event_id).places, 3, "?")
    return "Place 3 is '?' in Redis, and free in PostgreSQL."


async def cut_the_map(office: Office, order: OrderRow) -> str:
    await office.seats._command("SET", event_keys(order.event_id).places, "BB")
    return "another number of places than its layout."


async def lose_an_owner(office: Office, order: OrderRow) -> str:
    await office.seats._command("DEL", event_keys(order.event_id).claims)
    return f"Place 0 is booked in Redis, and booked by order {order.id} in PostgreSQL."


Break = Callable[[Office, OrderRow], Awaitable[str]]


@pytest.mark.parametrize(
    "damage", [lose_a_claim, only_hold, flip_a_byte, write_rubbish, cut_the_map, lose_an_owner]
)
async def test_booking_is_whole_again_when_its_places_were_damaged(office: Office, damage: Break) -> None:
    order = await booked(office)
    sentence = await damage(office, order)

    found = await look(office)

    assert any(sentence in one.sentence for one in found), found
    assert await mended(office, found) == []
    assert (await office.seats.snapshot(order.event_id)).places == b"BBAA"


async def test_person_is_asked_when_the_lost_place_was_sold_again(office: Office) -> None:
    order = await booked(office)
    await lose_a_claim(office, order)
    await office.seats.give_back(order.event_id, order.id, [1])
    await reserve(office, buyer("bob"), ReserveRequest(order.event_id, ExactSeats((1,))))

    found = await look(office)

    assert [(one.where, one.advice, one.mend) for one in found] == [
        (Where.ORDERS, "Give the buyer other seats, or refund what is missing.", None)
    ]


async def test_places_are_free_when_an_order_that_is_over_still_took_them(office: Office) -> None:
    order = await held(office)
    await office.database.fetch("UPDATE orders SET state = 'EXPIRED' WHERE id = $1", order.id)

    found = await look(office)

    assert [one.sentence for one in found] == [
        f"Order {order.reference} is EXPIRED, but still takes places 0, 1."
    ]
    assert await mended(office, found) == []
    assert (await office.seats.snapshot(order.event_id)).places == b"AAAA"


async def test_orders_end_when_no_worker_has_ended_them(office: Office, clock: ManualClock) -> None:
    lapsed, paying = await held(office), await held(office)
    await pay(office, ANN, paying.id)
    await work(office)
    clock.advance(seconds=700)

    found = [one for one in await look(office) if one.where is Where.ORDERS]

    assert {one.subject for one in found} == {
        public_id(Kind.ORDER, lapsed.id),
        public_id(Kind.ORDER, paying.id),
    }
    assert await mended(office, found) == []


async def test_money_goes_back_when_it_was_captured_for_an_order_that_is_over(office: Office) -> None:
    order = await held(office)
    await authorise(office, order)
    await office.database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'EXPIRED' WHERE id = $1",
        order.id,
    )
    await office.seats.give_back(order.event_id, order.id)
    intent_id = await intent_of(office, order)
    await office.gateway.capture(intent_id, idempotency_key=f"by hand:{order.id}")

    found = await look(office)

    assert [one.sentence for one in found] == [
        (
            f"Order {order.reference} is EXPIRED and should have paid 0,"
            " but Stripe keeps 10500 USD (minor units)."
        )
    ]
    assert await mended(office, found) == []
    assert (await office.gateway.retrieve(intent_id)).kept_minor == 0


async def test_order_is_booked_when_it_was_captured_and_nobody_was_told(office: Office) -> None:
    order = await held(office)
    await authorise(office, order)
    await office.gateway.capture(await intent_of(office, order), idempotency_key=f"by hand:{order.id}")

    found = await look(office)

    assert [one.subject for one in found] == [public_id(Kind.ORDER, order.id)]
    assert await mended(office, found) == []
    after = await order_by_id(office.database, order.id)
    assert after is not None and after.state == "BOOKED"


async def test_money_is_let_go_when_it_was_left_on_hold(office: Office) -> None:
    order = await held(office)
    await authorise(office, order)
    await office.database.fetch(
        "WITH gone AS (UPDATE claims SET state = 'ENDED' WHERE order_id = $1)"
        " UPDATE orders SET state = 'CANCELLED' WHERE id = $1",
        order.id,
    )
    await office.seats.give_back(order.event_id, order.id)

    found = await look(office)

    assert [one.sentence for one in found] == [
        (
            f"Order {order.reference} is CANCELLED, and Stripe has 10500 USD (minor units) on hold,"
            " which nothing is going to let go."
        )
    ]
    assert await mended(office, found) == []
    assert (await office.gateway.retrieve(await intent_of(office, order))).status == "canceled"


async def test_money_is_taken_when_the_capture_was_forgotten(office: Office) -> None:
    order = await held(office)
    await pay(office, ANN, order.id, "pm_card_visa")
    await office.database.fetch("DELETE FROM outbox WHERE topic = 'capture_payment'")
    await work(office)

    found = await look(office)

    assert [one.where for one in found] == [Where.STRIPE]
    assert await mended(office, found) == []
    assert (await office.gateway.retrieve(await intent_of(office, order))).kept_minor == 10_500


async def test_refund_is_sent_when_its_task_was_lost(office: Office) -> None:
    order = await booked(office)
    await refund(office, ORGANISER, order.id)
    await office.database.fetch("DELETE FROM outbox WHERE topic = 'send_refund'")
    await work(office)

    found = await look(office)

    assert {one.where for one in found} == {Where.OUTBOX, Where.STRIPE}
    for one in found:
        if one.mend is not None:
            await one.mend(office)
    await work(office)
    assert await look(office) == []


async def test_stuck_task_is_done_when_it_is_hurried(office: Office, clock: ManualClock) -> None:
    order = await booked(office)
    await office.database.fetch(
        "INSERT INTO outbox (topic, key, payload, created_at, available_at, last_error)"
        " VALUES ('mirror_order', $1, '{}', $2, $3, 'Unavailable: away')",
        str(order.id),
        office.now(),
        office.now() + timedelta(hours=1),
    )
    clock.advance(seconds=61)

    found = await look(office)

    assert [one.where for one in found] == [Where.OUTBOX]
    assert found[0].sentence.startswith("mirror_order waits since ")
    assert found[0].sentence.endswith(" after 0 tries: Unavailable: away")
    assert await mended(office, found) == []


class Engine:
    """An index that holds what a test puts into it."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.away = False

    def documents(self) -> dict[str, dict[str, Any]]:
        if self.away:
            raise IndexAway("nobody answers")
        return self.held


async def index_of(office: Office) -> Engine:
    """What a faithful indexer would have written."""
    from db.queries.search import read_facts

    engine = Engine()
    async with office.database.connection() as connection:
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM events")]
        for facts in facts_of(await read_facts(connection, ids)):
            document = Recorded.of(facts).document()
            engine.held[document["id"]] = document
    return engine


async def test_event_is_marked_when_its_document_is_gone_or_differs(office: Office) -> None:
    gone, other = await held(office), await held(office)
    engine = await index_of(office)
    del engine.held[public_id(Kind.EVENT, gone.event_id)]
    engine.held[public_id(Kind.EVENT, other.event_id)]["name"] = "Another"
    engine.held["evt_00000000000000000000000000"] = {"id": "evt_00000000000000000000000000"}
    await office.database.fetch("DELETE FROM search_outbox")

    found = await look(office, engine)

    assert {one.subject: one.sentence for one in found} == {
        "evt_00000000000000000000000000": "The index has it, and the database has no such published event.",
        public_id(Kind.EVENT, gone.event_id): "'Test night' is published and not in the index.",
        public_id(Kind.EVENT, other.event_id): (
            "Its document in the index has another name than the database."
        ),
    }
    for one in found:
        assert one.mend is not None
        await one.mend(office)
    marked = await office.database.fetch("SELECT event_id FROM search_outbox")
    assert {public_id(Kind.EVENT, row["event_id"]) for row in marked} == {one.subject for one in found}


async def test_person_is_told_when_the_index_does_not_answer(office: Office) -> None:
    engine = Engine()
    engine.away = True

    found = await look(office, engine)

    assert [(one.where, one.mend) for one in found] == [(Where.INDEX, None)]

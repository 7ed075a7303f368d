"""Tickets after the sale: issued with the booking, void with whatever ends them, and issued anew."""

from uuid import UUID

import pytest

from db.queries.orders import ClaimRow, OrderRow, claims_of_orders
from db.queries.tickets import VoidedTicket
from domain.entry_codes import EntryCode
from domain.errors import Forbidden, NotFound, OrderNotPayable, Unauthenticated
from domain.ticket_keys import TicketKeys
from kit.seeds import new_seed
from services.catalogue.cancel_event import cancel_event
from services.context import ServiceContext
from services.ordering import pay as paying
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.release import release
from services.tickets.codes import code_of, document_secret_of, ticket_of_secret
from services.tickets.reissue import reissue_ticket
from services.tickets.void_list import voids_since
from tests.events import ORGANISER, buyer
from tests.integration.ordering.payments import ANN, BOB, drain, held, state


async def tickets(context: ServiceContext, order: OrderRow) -> list[ClaimRow]:
    return await claims_of_orders(context.database, [order.id])


async def booked(context: ServiceContext) -> tuple[OrderRow, list[ClaimRow]]:
    order = await held(context)
    await pay(context, ANN, order.id, "pm_card_visa")
    return order, await tickets(context, order)


async def opens(context: ServiceContext, secret: str) -> UUID | None:
    ticket = await ticket_of_secret(context, secret)
    return None if ticket is None else ticket.ticket_id


async def test_tickets_are_good_from_the_booking_on(context: ServiceContext) -> None:
    order = await held(context)
    before = await tickets(context, order)
    assert [code_of(context, each) for each in before] == [None, None]
    assert [document_secret_of(context, each) for each in before] == [None, None]

    await pay(context, ANN, order.id, "pm_card_visa")

    for each in await tickets(context, order):
        code, secret = code_of(context, each), document_secret_of(context, each)
        assert code is not None and secret is not None
        assert context.ticket_keys.read(code) == EntryCode(order.event_id, each.ticket_id, 1)
        assert await opens(context, secret) == each.ticket_id
    issued = "SELECT bool_and(issued_at = booked_at) FROM claims JOIN orders ON orders.id = order_id"
    assert await context.database.fetchval(f"{issued} WHERE order_id = $1", order.id)
    assert (await voids_since(context, order.event_id)).version == 0


async def test_refunded_ticket_is_void_at_once_and_the_other_stays_good(context: ServiceContext) -> None:
    order, [first, second] = await booked(context)
    secrets = [document_secret_of(context, each) or "" for each in (first, second)]

    await refund(context, ORGANISER, order.id, [first.ticket_id])

    listed = await voids_since(context, order.event_id)
    assert (listed.version, listed.voids) == (1, (VoidedTicket(first.ticket_id, None),))
    assert [await opens(context, each) for each in secrets] == [None, second.ticket_id]
    [after, _] = await tickets(context, order)
    assert code_of(context, after) is None


async def test_list_tells_what_was_added_since_a_version(context: ServiceContext) -> None:
    order, [first, second] = await booked(context)
    await refund(context, ORGANISER, order.id, [first.ticket_id])

    await refund(context, ORGANISER, order.id)

    added = await voids_since(context, order.event_id, 1)
    assert (added.version, added.voids) == (2, (VoidedTicket(second.ticket_id, None),))
    assert (await voids_since(context, order.event_id, 2)).voids == ()


async def test_every_ticket_of_a_cancelled_event_is_void(context: ServiceContext) -> None:
    order, issued = await booked(context)

    await cancel_event(context, ORGANISER, order.event_id)
    await drain(context)

    listed = await voids_since(context, order.event_id)
    assert {each.ticket_id for each in listed.voids} == {each.ticket_id for each in issued}
    assert {each.min_generation for each in listed.voids} == {None}


async def test_hold_that_ends_is_on_no_list(context: ServiceContext) -> None:
    order = await held(context)

    await release(context, ANN, order.id)

    listed = await voids_since(context, order.event_id)
    assert (listed.version, listed.voids) == (0, ())


@pytest.mark.parametrize("viewer", [ANN, ORGANISER])
async def test_reissued_ticket_has_one_good_code(context: ServiceContext, viewer: object) -> None:
    order, [first, second] = await booked(context)
    old_code, old_secret = code_of(context, first), document_secret_of(context, first)

    after = await reissue_ticket(context, viewer, first.ticket_id)  # type: ignore[arg-type]  # two viewers

    new_code, new_secret = code_of(context, after), document_secret_of(context, after)
    assert old_code is not None and new_code is not None and old_secret is not None and new_secret is not None
    assert (context.ticket_keys.read(old_code).generation, context.ticket_keys.read(new_code).generation) == (
        1,
        2,
    )
    listed = await voids_since(context, order.event_id)
    assert (listed.version, listed.voids) == (1, (VoidedTicket(first.ticket_id, 2),))
    assert await opens(context, old_secret) is None
    assert await opens(context, new_secret) == first.ticket_id
    assert [each.generation for each in await tickets(context, order)] == [2, second.generation]


async def test_ticket_is_not_issued_anew_when_it_is_not_the_callers_or_not_issued(
    context: ServiceContext,
) -> None:
    order, [first, second] = await booked(context)
    await refund(context, ORGANISER, order.id, [second.ticket_id])
    before = await voids_since(context, order.event_id)

    for viewer, ticket_id, refusal in (
        (None, first.ticket_id, Unauthenticated),
        (buyer("door", "check_in"), first.ticket_id, Forbidden),
        (BOB, first.ticket_id, NotFound),
        (buyer("rival", "organise"), first.ticket_id, NotFound),
        (ANN, UUID(int=1), NotFound),
        (ANN, second.ticket_id, OrderNotPayable),
    ):
        with pytest.raises(refusal):
            await reissue_ticket(context, viewer, ticket_id)

    assert await voids_since(context, order.event_id) == before
    assert [each.generation for each in await tickets(context, order)] == [1, 1]


async def test_secret_cannot_be_made_from_public_ids(context: ServiceContext) -> None:
    _, [first, _] = await booked(context)
    forger = TicketKeys.parse(new_seed())

    assert await opens(context, document_secret_of(context, first) or "") == first.ticket_id
    assert await opens(context, forger.document_secret(first.ticket_id, 1)) is None
    assert await opens(context, str(first.ticket_id)) is None


async def test_order_is_not_booked_when_its_tickets_cannot_be_issued(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await held(context, price=0, fee=0)

    async def dies(*_: object) -> None:
        raise RuntimeError("the process is gone")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(paying, "write_task", dies)  # the step after the tickets were issued
        await pay(context, ANN, order.id)

    assert (await state(context, order.id))[0] == "PAYING"
    assert {each.state for each in await tickets(context, order)} == {"HELD"}
    await pay(context, ANN, order.id)
    assert (await state(context, order.id))[0] == "BOOKED"
    assert {each.state for each in await tickets(context, order)} == {"BOOKED"}


async def test_control_ticket_is_on_no_list_when_the_trigger_is_away(context: ServiceContext) -> None:
    await context.database.fetch("ALTER TABLE claims DISABLE TRIGGER claims_void")
    order, _ = await booked(context)

    await refund(context, ORGANISER, order.id)

    assert (await voids_since(context, order.event_id)).voids == ()

"""Idempotency keys of mutations that make or move money: a request that is sent again does nothing again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import services.catalogue.organise_events
import services.ordering.pay
import services.ordering.refund
from db.session import Database
from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from tests.apis import Api, api_on, new_token
from tests.integration.ordering.conftest import stripe_server
from tests.integration.reading.events import event_input, publish_event

__all__ = ["stripe_server"]

ORDER = (
    "order { id reference status refunded { amount } refunds { id amount { amount } } tickets { id status } }"
)
REFUNDED = f"... on RefundOrderSuccess {{ {ORDER} }}"
PAID = f"... on PaySuccess {{ {ORDER} }}"
EVENT = "... on EventSuccess { event { id name } }"
Answer = dict[str, Any]


@pytest.fixture(scope="module")
async def api(
    module_postgres_url: str, redis_server: Valkey, stripe_server: LocalStripe
) -> AsyncIterator[Api]:
    async with api_on(module_postgres_url, redis_server.url(), stripe_api_base=stripe_server.url()) as api:
        yield api


@pytest.fixture
async def database(module_postgres_url: str) -> AsyncIterator[Database]:
    database = Database(module_postgres_url)
    yield database
    await database.close()


@pytest.fixture
def organiser() -> str:
    return new_token("organise")


async def held(api: Api, organiser: str, token: str, seats: int = 2, **changes: Any) -> Answer:
    """An order of so many seats, not paid yet."""
    event_id = await publish_event(api, organiser, orphanRule=False, **changes)
    letters = event_id.removeprefix("evt_")
    seat_ids = [f"seat_{letters}_{index}" for index in range(seats)]
    given = {"eventId": event_id, "selection": {"seatIds": seat_ids}}
    answer = await api.mutate("reserve", given, token, f"... on ReserveSuccess {{ {ORDER} }}")
    order: Answer = answer["order"]
    return order


async def booked(api: Api, organiser: str, seats: int = 2) -> Answer:
    """The same, paid."""
    token = new_token()
    order = await held(api, organiser, token, seats)
    given = {"orderId": order["id"], "paymentMethodId": "pm_card_visa"}
    paid: Answer = (await api.mutate("pay", given, token, PAID))["order"]
    return paid


async def events_of(api: Api, organiser: str) -> int:
    answer = await api.ask("{ me { organisedEvents { totalCount } } }", token=organiser)
    count: int = answer.data["me"]["organisedEvents"]["totalCount"]
    return count


async def nothing(*_arguments: object) -> None:
    """Stands for a look at the keys that finds none, and for a key that is not recorded."""


async def create_at_once(api: Api, organiser: str) -> list[Answer]:
    given = event_input(idempotencyKey="made once")
    return await asyncio.gather(*(api.mutate("createEvent", given, organiser, EVENT) for _ in range(4)))


async def test_one_event_is_made_when_four_requests_have_one_key_at_once(api: Api, organiser: str) -> None:
    answers = await create_at_once(api, organiser)
    later = await api.mutate("createEvent", event_input(idempotencyKey="made once"), organiser, EVENT)

    assert {answer["event"]["id"] for answer in [*answers, later]} == {later["event"]["id"]}
    assert await events_of(api, organiser) == 1


async def test_control_sees_four_events_when_keys_are_not_recorded(
    api: Api, organiser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.catalogue.organise_events, "record_request", nothing)

    await create_at_once(api, organiser)

    assert await events_of(api, organiser) == 4


async def test_four_events_are_made_when_a_new_organiser_sends_four_requests_without_a_key_at_once(
    api: Api, organiser: str
) -> None:
    given = event_input()

    answers = await asyncio.gather(*(api.mutate("createEvent", given, organiser, EVENT) for _ in range(4)))

    assert len({answer["event"]["id"] for answer in answers}) == await events_of(api, organiser) == 4


async def test_key_is_refused_when_another_event_is_wanted(api: Api, organiser: str) -> None:
    await api.mutate("createEvent", event_input(idempotencyKey="k"), organiser)

    other = await api.mutate("createEvent", event_input(idempotencyKey="k", name="Another"), organiser)

    assert other["code"] == "IDEMPOTENCY_MISMATCH"
    assert await events_of(api, organiser) == 1


async def test_keys_of_two_organisers_and_of_two_mutations_have_nothing_in_common(
    api: Api, organiser: str
) -> None:
    rival = new_token("organise")
    first = await api.mutate("createEvent", event_input(idempotencyKey="k"), organiser, EVENT)
    second = await api.mutate("createEvent", event_input(idempotencyKey="k"), rival, EVENT)
    given = {"eventId": first["event"]["id"], "name": "Renamed", "idempotencyKey": "k"}

    renamed = await api.mutate("updateEvent", given, organiser, EVENT)

    assert first["event"]["id"] != second["event"]["id"]
    assert renamed["event"] == {"id": first["event"]["id"], "name": "Renamed"}


async def test_update_is_not_made_again_when_another_one_came_between(api: Api, organiser: str) -> None:
    event_id = (await api.mutate("createEvent", event_input(), organiser, EVENT))["event"]["id"]
    given = {"eventId": event_id, "name": "First", "idempotencyKey": "k"}

    await api.mutate("updateEvent", given, organiser, EVENT)
    await api.mutate("updateEvent", {"eventId": event_id, "name": "Second"}, organiser, EVENT)
    again = await api.mutate("updateEvent", given, organiser, EVENT)
    other = await api.mutate("updateEvent", given | {"name": "Third"}, organiser, EVENT)

    assert again["event"]["name"] == "Second"
    assert other["code"] == "IDEMPOTENCY_MISMATCH"
    seen = await api.ask(f'{{ event(id: "{event_id}") {{ name }} }}', token=organiser)
    assert seen.data["event"]["name"] == "Second"


async def refund_at_once(api: Api, organiser: str, order: Answer) -> list[Answer]:
    given = {"orderId": order["id"], "ticketIds": [order["tickets"][0]["id"]], "idempotencyKey": "part"}
    return await asyncio.gather(*(api.mutate("refundOrder", given, organiser, REFUNDED) for _ in range(4)))


async def test_one_refund_is_answered_when_four_requests_have_one_key_at_once(
    api: Api, organiser: str
) -> None:
    order = await booked(api, organiser)

    answers = await refund_at_once(api, organiser, order)

    assert [answer["order"] for answer in answers] == [answers[0]["order"]] * 4
    assert [ticket["status"] for ticket in answers[0]["order"]["tickets"]] == ["REFUNDED", "ISSUED"]
    assert len(answers[0]["order"]["refunds"]) == 1


async def test_control_sees_refusals_when_keys_of_refunds_are_not_recorded(
    api: Api, organiser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.ordering.refund, "record_request", nothing)
    order = await booked(api, organiser)

    answers = await refund_at_once(api, organiser, order)

    assert (
        sorted(answer["__typename"] for answer in answers) == ["RefundOrderSuccess"] + ["RequestRefused"] * 3
    )


async def test_refund_is_answered_again_when_the_rest_was_refunded_since(api: Api, organiser: str) -> None:
    order = await booked(api, organiser)
    part = {
        "reference": order["reference"].lower(),
        "ticketIds": [order["tickets"][1]["id"]],
        "reason": "ill",
        "idempotencyKey": "part",
    }
    first = await api.mutate("refundOrder", part, organiser, REFUNDED)
    rest = await api.mutate("refundOrder", {"orderId": order["id"]}, organiser, REFUNDED)

    again = await api.mutate("refundOrder", part, organiser, REFUNDED)

    assert again["order"] == rest["order"]
    assert again["order"]["refunds"][0] == first["order"]["refunds"][0]
    assert len(again["order"]["refunds"]) == 2


async def test_key_is_refused_and_nothing_refunded_when_other_tickets_are_named(
    api: Api, organiser: str
) -> None:
    order = await booked(api, organiser)
    first, second = (ticket["id"] for ticket in order["tickets"])
    given = {"orderId": order["id"], "ticketIds": [first], "idempotencyKey": "k"}
    await api.mutate("refundOrder", given, organiser)

    for change in ({"ticketIds": [second]}, {"ticketIds": None}, {"reason": "another"}):
        other = await api.mutate("refundOrder", given | change, organiser)

        assert other["code"] == "IDEMPOTENCY_MISMATCH"
    again = await api.mutate("refundOrder", given, organiser, REFUNDED)
    assert [ticket["status"] for ticket in again["order"]["tickets"]] == ["REFUNDED", "ISSUED"]


async def test_key_is_free_again_when_its_request_was_refused_or_a_day_has_passed(
    api: Api, organiser: str, database: Database
) -> None:
    token = new_token()
    order = await held(api, organiser, token)
    given = {"orderId": order["id"], "idempotencyKey": f"late {order['id']}"}

    unpaid = await api.mutate("refundOrder", given, organiser)
    await api.mutate("pay", {"orderId": order["id"], "paymentMethodId": "pm_card_visa"}, token)
    done = await api.mutate("refundOrder", given, organiser, REFUNDED)
    again = await api.mutate("refundOrder", given, organiser, REFUNDED)
    await database.fetch(
        "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours' WHERE key = $1",
        given["idempotencyKey"],
    )
    next_day = await api.mutate("refundOrder", given, organiser)

    assert unpaid["code"] == "ORDER_NOT_PAYABLE"
    assert done["order"]["status"] == again["order"]["status"] == "REFUNDED"
    assert next_day["code"] == "ORDER_NOT_PAYABLE"


@pytest.mark.parametrize("names", [(), ("orderId", "reference")])
async def test_refund_is_refused_when_it_names_no_order_or_names_it_twice(
    api: Api, organiser: str, names: tuple[str, ...]
) -> None:
    order = await booked(api, organiser)
    given = {"orderId": order["id"], "reference": order["reference"]}

    refused = await api.mutate("refundOrder", {name: given[name] for name in names}, organiser)

    assert refused["code"] == "INVALID_INPUT"
    assert refused["message"] == "orderId: give either orderId or reference, and not both."
    whole = await api.mutate("refundOrder", {"reference": order["reference"]}, organiser, REFUNDED)
    assert len(whole["order"]["refunds"]) == 1


async def test_refund_by_reference_does_not_tell_of_anothers_order(api: Api, organiser: str) -> None:
    order = await booked(api, organiser)

    for reference in (order["reference"], "2222-222222", "nonsense"):
        refused = await api.mutate("refundOrder", {"reference": reference}, new_token("organise"))

        assert (refused["code"], refused["message"]) == ("NOT_FOUND", "There is no such order.")


@pytest.mark.parametrize("prices", [None, 0])
async def test_payment_is_answered_four_times_when_four_requests_have_one_key_at_once(
    api: Api, organiser: str, prices: int | None
) -> None:
    token = new_token()
    free = [{"category": "Stalls", "price": {"amount": 0, "currency": "USD"}}]
    floor = [{"name": "Floor", "capacity": 30, "price": {"amount": 0, "currency": "USD"}}]
    changes: Answer = {} if prices is None else {"priceLevels": free, "generalAdmission": floor}
    order = await held(api, organiser, token, **changes)
    given = {"orderId": order["id"], "paymentMethodId": "pm_card_visa", "idempotencyKey": "paid once"}

    answers = await asyncio.gather(*(api.mutate("pay", given, token, PAID) for _ in range(4)))
    again = await api.mutate("pay", given, token, PAID)

    assert [answer.get("order", answer)["status"] for answer in [*answers, again]] == ["BOOKED"] * 5


@pytest.mark.parametrize("is_recorded", [True, False])
async def test_payment_is_answered_when_an_equal_request_ended_since_the_key_was_looked_up(
    api: Api, organiser: str, monkeypatch: pytest.MonkeyPatch, *, is_recorded: bool
) -> None:
    token = new_token()
    order = await held(api, organiser, token)
    given = {"orderId": order["id"], "paymentMethodId": "pm_card_visa", "idempotencyKey": "paid once"}
    monkeypatch.setattr(services.ordering.pay, "earlier_result", nothing)
    if not is_recorded:
        monkeypatch.setattr(services.ordering.pay, "record_request", nothing)

    await api.mutate("pay", given, token)
    again = await api.mutate("pay", given, token, PAID)

    # Without the record of the key, the control sees the fault: the order is paid, and the answer a refusal.
    expected = "PaySuccess" if is_recorded else "RequestRefused"
    assert again["__typename"] == expected


async def test_key_is_refused_when_it_paid_another_order(api: Api, organiser: str) -> None:
    token = new_token()
    first, second = await held(api, organiser, token), await held(api, organiser, token)
    given = {"orderId": first["id"], "paymentMethodId": "pm_card_visa", "idempotencyKey": "k"}
    await api.mutate("pay", given, token)

    for change in ({"orderId": second["id"]}, {"paymentMethodId": "pm_card_mastercard"}):
        other = await api.mutate("pay", given | change, token)

        assert other["code"] == "IDEMPOTENCY_MISMATCH"
    seen = await api.ask(f'{{ order(id: "{second["id"]}") {{ status payment {{ id }} }} }}', token=token)
    assert seen.data["order"] == {"status": "RESERVED", "payment": None}


@pytest.mark.parametrize("key", ["", "x" * 256, "a\u0000b"])
async def test_bad_keys_are_refused_by_every_mutation_that_takes_one(
    api: Api, organiser: str, key: str
) -> None:
    order = await booked(api, organiser)
    event_id = (await api.mutate("createEvent", event_input(), organiser, EVENT))["event"]["id"]
    count = await events_of(api, organiser)

    for field, given in {
        "createEvent": event_input(),
        "updateEvent": {"eventId": event_id, "name": "Renamed"},
        "refundOrder": {"orderId": order["id"]},
    }.items():
        refused = await api.mutate(field, given | {"idempotencyKey": key}, organiser)

        assert (refused["code"], refused["message"]) == (
            "INVALID_INPUT",
            "idempotencyKey: between 1 and 255 printable characters.",
        )
    assert await events_of(api, organiser) == count

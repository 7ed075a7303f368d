"""Moving an event whose tickets are sold."""

import pytest

from tests.apis import Api, new_token
from tests.integration.reading.events import create_event, publish_event

EVENT = "query ($id: ID!) { event(id: $id) { name startsAt } }"
FREE = {"name": "Floor", "capacity": 30, "price": {"amount": 0, "currency": "USD"}}
LATER = "2031-05-02T10:30:00+00:00"
START = "2031-05-01T10:30:00+00:00"


async def bookable(api: Api, organiser: str) -> str:
    event_id = await create_event(
        api, organiser, seatingPlan=None, priceLevels=[], generalAdmission=[FREE], endsAt=None
    )
    answer = await api.mutate("publishEvent", {"eventId": event_id}, organiser)
    assert answer["__typename"] == "EventSuccess"
    return event_id


async def book(api: Api, event_id: str) -> str:
    """Book a place of an event without a price; the order's id."""
    buyer = new_token()
    selection = {"generalAdmission": {"sectionId": event_id.replace("evt_", "sec_") + "_0", "quantity": 1}}
    order = "... on ReserveSuccess { order { id } }"
    held = await api.mutate("reserve", {"eventId": event_id, "selection": selection}, buyer, order)
    paid = await api.mutate(
        "pay",
        {"orderId": held["order"]["id"], "idempotencyKey": "a-first-try"},
        buyer,
        "... on PaySuccess { order { status } }",
    )
    assert paid["order"]["status"] == "BOOKED"
    order_id: str = held["order"]["id"]
    return order_id


async def starts_at(api: Api, event_id: str) -> tuple[str, str]:
    event = (await api.ask(EVENT, {"id": event_id})).data["event"]
    return event["name"], event["startsAt"]


async def test_refused_and_nothing_changed_when_buyers_would_not_be_notified(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await bookable(api, organiser)
    before = await starts_at(api, event_id)
    await book(api, event_id)

    change = {"eventId": event_id, "startsAt": LATER, "name": "Another evening"}
    for refusal in (change, change | {"notifyBuyers": False}, change | {"notifyBuyers": None}):
        answer = await api.mutate("updateEvent", refusal, organiser)
        assert answer["code"] == "INVALID_INPUT"
        assert answer["message"].startswith(
            "startsAt: tickets of this event are sold or being paid; give notifyBuyers"
        )
    assert await starts_at(api, event_id) == before


async def test_moved_when_buyers_are_to_be_notified(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await bookable(api, organiser)
    await book(api, event_id)

    change = {"eventId": event_id, "startsAt": LATER, "notifyBuyers": True}
    assert (await api.mutate("updateEvent", change, organiser))["__typename"] == "EventSuccess"

    assert (await starts_at(api, event_id))[1] == LATER


@pytest.mark.parametrize(
    "same", [{"name": "Another evening"}, {"startsAt": START, "name": "Another evening"}]
)
async def test_changed_when_the_start_stays(api: Api, same: dict[str, str]) -> None:
    organiser = new_token("organise")
    event_id = await bookable(api, organiser)
    await book(api, event_id)

    answer = await api.mutate("updateEvent", {"eventId": event_id} | same, organiser)

    assert answer["__typename"] == "EventSuccess"
    assert await starts_at(api, event_id) == ("Another evening", START)


async def test_moved_when_everything_was_given_back(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await bookable(api, organiser)
    order_id = await book(api, event_id)
    refunded = await api.mutate("refundOrder", {"orderId": order_id}, organiser)
    assert refunded["__typename"] == "RefundOrderSuccess"

    answer = await api.mutate("updateEvent", {"eventId": event_id, "startsAt": LATER}, organiser)

    assert answer["__typename"] == "EventSuccess"


async def test_moved_when_nothing_is_booked(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)

    change = {"eventId": event_id, "startsAt": LATER, "endsAt": None}
    assert (await api.mutate("updateEvent", change, organiser))["__typename"] == "EventSuccess"

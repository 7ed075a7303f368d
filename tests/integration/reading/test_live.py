"""Subscriptions as the schema serves them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from graphql import ExecutionResult, parse, subscribe

from devservices.valkey import Valkey
from domain.errors import BoxofficeError
from domain.ids import Kind, public_id
from domain.viewer import Viewer
from payments.gateway import PaymentGateway
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect
from resolvers.context import Services
from schema.context import GraphQLContext, Streams
from schema.schema import schema
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.refund import refund
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.waiting_room.waiting_rooms import WaitingRooms
from subscriptions.event_updates import EventHub
from subscriptions.queue_positions import WaitingRoomHub
from subscriptions.seat_availability import SeatHub
from tests.events import ORGANISER, buyer, open_event, service_context_on
from tests.orders import tickets_on

SEATS = """
subscription ($id: ID!, $since: Int) {
  seatAvailability(eventId: $id, sinceVersion: $since) {
    eventId version previousVersion statuses
    changes { seatId index status } sections { sectionId name available held booked total }
  }
}
"""
ORDER = "subscription ($id: ID!) { orderUpdated(orderId: $id) { status expiresAt tickets { status } } }"
PATIENCE_SECONDS = 10


class Listening:
    """A process with streams, and nobody in particular listening."""

    def __init__(self, context: ServiceContext, channels: Channels) -> None:
        rooms = cast("WaitingRooms", None)
        self.context = context
        self.services = Services(context, cast("Any", None), cast("Any", None), rooms, cast("Any", None))
        self.events = EventHub(context)
        self.streams = Streams(
            SeatHub(context, channels), WaitingRoomHub(rooms, channels), self.events, channels
        )

    async def listen(
        self, query: str, viewer: Viewer | None = None, **variables: Any
    ) -> AsyncIterator[ExecutionResult]:
        """The results of a subscription."""
        request = GraphQLContext(self.services, self.streams, viewer)
        opened: Any = subscribe(
            schema._schema, parse(query), variable_values=variables, context_value=request
        )
        if asyncio.iscoroutine(opened):
            opened = await opened
        if isinstance(opened, ExecutionResult):
            yield opened
            return
        async for result in opened:
            yield result


async def following(results: AsyncIterator[ExecutionResult], field: str) -> dict[str, Any]:
    """The next result's data."""
    result = await asyncio.wait_for(anext(results), PATIENCE_SECONDS)
    assert result.errors is None, result.errors
    assert result.data is not None
    data: dict[str, Any] = result.data[field]
    return data


@pytest.fixture
async def process(postgres_url: str, redis_url: str, redis_server: Valkey) -> AsyncIterator[Listening]:
    client = connect(redis_url, 8)
    channels = Channels(RedisBackend(client))
    await channels.open()
    async with service_context_on(postgres_url, redis_url, cast("PaymentGateway", None)) as context:
        process = Listening(context, channels)
        yield process
        process.streams.seats.close()
    await channels.close()
    await client.aclose()


async def test_seats_come_as_a_snapshot_and_then_as_changes(process: Listening) -> None:
    event_id = await open_event(process.context.database, rows=[4], standing=10)
    key = public_id(Kind.EVENT, event_id)
    results = process.listen(SEATS, id=key)

    snapshot = await following(results, "seatAvailability")
    await reserve(process.context, buyer("ann"), ReserveRequest(event_id, ExactSeats((1, 2))))
    delta = await following(results, "seatAvailability")

    assert (snapshot["eventId"], snapshot["statuses"], snapshot["changes"]) == (key, "AAAA", [])
    assert snapshot["previousVersion"] is None
    assert [section["total"] for section in snapshot["sections"]] == [4, 10]
    assert delta["previousVersion"] == snapshot["version"]
    assert delta["version"] == snapshot["version"] + 1
    assert delta["statuses"] is None
    letters = key.removeprefix("evt_")
    assert delta["changes"] == [
        {"seatId": f"seat_{letters}_{index}", "index": index, "status": "HELD"} for index in (1, 2)
    ]
    assert [(section["name"], section["held"]) for section in delta["sections"]] == [("Stalls", 2)]


async def test_an_order_is_sent_now_and_with_its_tickets_as_they_are_then(process: Listening) -> None:
    event_id = await open_event(process.context.database, rows=[4])
    ann = buyer("ann")
    order = await reserve(process.context, ann, ReserveRequest(event_id, ExactSeats((0,))))
    results = process.listen(ORDER, ann, id=public_id(Kind.ORDER, order.id))

    before = await following(results, "orderUpdated")
    await release(process.context, ann, order.id)
    after = await following(results, "orderUpdated")

    assert (before["status"], before["tickets"]) == ("RESERVED", [{"status": "HELD"}])
    assert after == {"status": "CANCELLED", "expiresAt": None, "tickets": [{"status": "VOID"}]}


async def test_an_order_is_sent_again_when_only_some_of_its_tickets_are_refunded(process: Listening) -> None:
    database, ann = process.context.database, buyer("ann")
    event_id = await open_event(database, rows=[4])
    order = await reserve(process.context, ann, ReserveRequest(event_id, ExactSeats((0, 1))))
    await database.fetch("UPDATE orders SET state = 'BOOKED' WHERE id = $1", order.id)
    await database.fetch("UPDATE claims SET state = 'BOOKED' WHERE order_id = $1", order.id)
    results = process.listen(ORDER, ann, id=public_id(Kind.ORDER, order.id))

    before = await following(results, "orderUpdated")
    await refund(process.context, ORGANISER, order.id, await tickets_on(database, order.id, 1))
    after = await following(results, "orderUpdated")

    assert before["tickets"] == [{"status": "ISSUED"}, {"status": "ISSUED"}]
    assert (after["status"], after["tickets"]) == ("BOOKED", [{"status": "ISSUED"}, {"status": "REFUNDED"}])


@pytest.mark.parametrize(
    ("query", "key", "code"),
    [
        (SEATS, "nonsense", "BAD_USER_INPUT"),
        (SEATS, "evt_01jd3x8k2m9q4r5s6t7v8w9x0y", "NOT_FOUND"),
        (ORDER, "nonsense", "BAD_USER_INPUT"),
        (ORDER, "ord_01jd3x8k2m9q4r5s6t7v8w9x0y", "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_watched_is_refused(process: Listening, query: str, key: str, code: str) -> None:
    with pytest.raises(BoxofficeError) as refused:
        await first_error(process.listen(query, buyer("ann"), id=key))

    assert refused.value.code == code


async def first_error(results: AsyncIterator[ExecutionResult]) -> None:
    """Raise what was raised behind the first result."""
    result = await asyncio.wait_for(anext(results), PATIENCE_SECONDS)
    assert result.errors
    cause = result.errors[0].original_error
    assert cause is not None
    raise cause

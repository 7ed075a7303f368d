"""The statuses of an event as a document for caches, as GET /events/{id}/seats leads to it."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

import pytest

from db.session import Database
from domain.ids import Kind, public_id
from endpoints.seat_statuses import READ_COST
from payments.gateway import PaymentGateway
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.apis import Api, api_on
from tests.events import buyer, open_event, service_context_on

STATUSES = "query ($id: ID!) { event(id: $id) { seatStatusesUrl seatStatuses { version statuses sections {\
 sectionId name available held booked total } } } }"


@pytest.fixture
async def api(postgres_url: str, redis_url: str) -> AsyncIterator[Api]:
    async with api_on(postgres_url, redis_url) as api:
        yield api


@pytest.fixture
async def context(postgres_url: str, redis_url: str) -> AsyncIterator[ServiceContext]:
    async with service_context_on(postgres_url, redis_url, cast("PaymentGateway", None)) as context:
        yield context


async def bounded(database: Database, state: str = "PUBLISHED") -> tuple[UUID, str]:
    event_id = await open_event(database, rows=[4], standing=10, state=state)
    return event_id, public_id(Kind.EVENT, event_id)


async def test_the_document_says_what_the_query_says_and_may_be_kept(
    api: Api, context: ServiceContext
) -> None:
    event_id, key = await bounded(context.database)
    await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats((1, 2))))
    asked = (await api.ask(STATUSES, {"id": key})).data["event"]

    way = await api.client.get(asked["seatStatusesUrl"])
    document = await api.client.get(way.headers["location"])

    assert (way.status_code, way.headers["cache-control"]) == (302, "public, max-age=1")
    assert way.headers["location"] == f"/events/{key}/seats/{asked['seatStatuses']['version']}"
    assert document.status_code == 200
    assert document.json() == {"eventId": key, **asked["seatStatuses"]}
    assert document.json()["statuses"] == "AHHA"
    assert document.headers["cache-control"] == "public, max-age=60, immutable"
    for answer in (way, document):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "authorization" not in answer.headers["vary"]


async def test_an_old_version_leads_to_the_present_one(api: Api, context: ServiceContext) -> None:
    event_id, key = await bounded(context.database)
    first = (await api.client.get(f"/events/{key}/seats")).headers["location"]
    await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats((0,))))
    await asyncio.sleep(1.1)  # what a process has read is used for a second

    old = await api.client.get(first)
    new = await api.client.get(old.headers["location"])

    assert old.status_code == 302
    assert new.json()["statuses"] == "HAAA"
    assert old.headers["location"] != first


async def test_what_a_client_has_is_not_sent_again(api: Api, context: ServiceContext) -> None:
    _, key = await bounded(context.database)
    way = (await api.client.get(f"/events/{key}/seats")).headers["location"]
    sent = await api.client.get(way, headers={"accept-encoding": "gzip"})

    again = await api.client.get(
        way, headers={"accept-encoding": "gzip", "if-none-match": sent.headers["etag"]}
    )

    assert sent.headers["content-encoding"] == "gzip"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "key", ["evt_x", "ord_01jd3x8k2m9q4r5s6t7v8w9x0y", "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz", "%00"]
)
async def test_no_event_is_found_when_the_id_is_none(api: Api, key: str) -> None:
    answer = await api.client.get(f"/events/{key}/seats/1")

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_draft_is_nobodys_to_see(api: Api, context: ServiceContext) -> None:
    _, key = await bounded(context.database, "DRAFT")

    assert (await api.client.get(f"/events/{key}/seats")).status_code == 404


async def test_reading_is_charged_to_the_network_and_what_was_read_is_free(
    postgres_url: str, redis_url: str, context: ServiceContext
) -> None:
    """Nobody makes Redis build one event after the other; a crowd behind one proxy reads one event."""
    keys = [(await bounded(context.database))[1] for _ in range(3)]
    limits = {"rate_limit_address_cost_per_minute": str(2 * READ_COST), "limit_private_networks": "true"}
    async with api_on(postgres_url, redis_url, **limits) as api:
        same = [(await api.client.get(f"/events/{keys[0]}/seats")).status_code for _ in range(20)]
        others = [await api.client.get(f"/events/{key}/seats") for key in keys[1:]]

    assert same == [302] * 20
    assert [answer.status_code for answer in others] == [302, 429]
    assert int(others[1].headers["retry-after"]) > 0
    assert others[1].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"

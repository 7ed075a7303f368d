"""The limits of tickets in the schema: organisers set and change them; LimitExceeded and SlowDown answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from app import create_app
from commands.serve import configured
from devservices.valkey import Valkey
from tests.apis import Api, new_token, settings_on
from tests.integration.reading.events import create_event, event_input, publish_event

EVENT = "query ($id: ID!) { event(id: $id) { maxTicketsPerOrder maxTicketsPerPerson } }"
LIMITED = "... on LimitExceeded { limit have } ... on SlowDown { retryAfterSeconds }"


async def limits(api: Api, event_id: str, token: str = "") -> tuple[int, int]:
    event = (await api.ask(EVENT, {"id": event_id}, token)).data["event"]
    return event["maxTicketsPerOrder"], event["maxTicketsPerPerson"]


async def reserve(api: Api, event_id: str, quantity: int, token: str) -> dict[str, Any]:
    section = event_id.replace("evt_", "sec_") + "_1"
    selection = {"generalAdmission": {"sectionId": section, "quantity": quantity}}
    return await api.mutate("reserve", {"eventId": event_id, "selection": selection}, token, LIMITED)


async def test_person_may_have_what_one_order_may_when_nothing_is_said(api: Api) -> None:
    organiser = new_token("organise")
    plain = await create_event(api, organiser)
    wider = await create_event(api, organiser, maxTicketsPerOrder=4, maxTicketsPerPerson=12)

    assert await limits(api, plain, organiser) == (8, 8)
    assert await limits(api, wider, organiser) == (4, 12)


async def test_limits_change_when_tickets_are_sold(api: Api) -> None:
    organiser, buyer = new_token("organise"), new_token()
    event_id = await publish_event(api, organiser)
    assert (await reserve(api, event_id, 6, buyer))["__typename"] == "ReserveSuccess"

    change = {"eventId": event_id, "maxTicketsPerOrder": 3, "maxTicketsPerPerson": 7}
    assert (await api.mutate("updateEvent", change, organiser))["__typename"] == "EventSuccess"

    assert await limits(api, event_id) == (3, 7)
    assert (await reserve(api, event_id, 1, buyer))["__typename"] == "ReserveSuccess"
    refused = await reserve(api, event_id, 1, buyer)
    assert refused == {
        "__typename": "LimitExceeded",
        "code": "LIMIT_EXCEEDED",
        "message": "One person may have at most 7 tickets of this event.",
        "limit": 7,
        "have": 7,
    }
    assert (await reserve(api, event_id, 4, new_token()))["limit"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"maxTicketsPerPerson": 0},
        {"maxTicketsPerPerson": 10_001},
        {"maxTicketsPerOrder": 0},
        {"maxTicketsPerOrder": 101},
    ],
)
async def test_limit_is_refused_when_it_is_out_of_bounds(api: Api, change: dict[str, int]) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)

    created = await api.mutate("createEvent", event_input(**change), organiser)
    updated = await api.mutate("updateEvent", {"eventId": event_id, **change}, organiser)

    for answer in (created, updated):
        assert (answer["__typename"], answer["code"]) == ("RequestRefused", "INVALID_INPUT")
        assert answer["message"].startswith(f"{next(iter(change))}: must be between 1 and ")
    assert await limits(api, event_id) == (8, 8)


async def test_order_of_more_than_one_order_may_hold_names_that_limit(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))

    refused = await reserve(api, event_id, 9, new_token())

    assert (refused["__typename"], refused["limit"], refused["have"]) == ("LimitExceeded", 8, 0)


@asynccontextmanager
async def behind_a_proxy(postgres_url: str, redis_url: str, network: str) -> AsyncIterator[Api]:
    """The API for one client of a network, behind a proxy that is trusted."""
    settings = settings_on(postgres_url, redis_url, trusted_proxies="10.0.0.7", max_held_per_network="5")
    app = create_app(settings)
    config = configured(app, settings)
    config.load()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=config.loaded_app, client=("10.0.0.7", 1))
        headers = {"x-forwarded-for": network}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://boxoffice.test", headers=headers
        ) as client:
            yield Api(client)


async def test_network_slows_down_when_another_process_held_its_tickets(
    module_postgres_url: str, redis_server: Valkey, api: Api
) -> None:
    event_id = await publish_event(api, new_token("organise"))
    parts = (module_postgres_url, redis_server.url())
    async with (
        behind_a_proxy(*parts, "203.0.113.5") as one,
        behind_a_proxy(*parts, "::ffff:203.0.113.5") as other,
        behind_a_proxy(*parts, "203.0.113.6") as elsewhere,
    ):
        assert (await reserve(one, event_id, 3, new_token()))["__typename"] == "ReserveSuccess"
        refused = await reserve(other, event_id, 3, new_token())
        assert (await reserve(elsewhere, event_id, 3, new_token()))["__typename"] == "ReserveSuccess"

    assert (refused["__typename"], refused["code"], refused["retryAfterSeconds"]) == (
        "SlowDown",
        "SLOW_DOWN",
        30,
    )

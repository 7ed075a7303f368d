"""Guests: stored with the first order, limited by network."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from db.session import Database
from tests.apis import Api, app_on, new_token
from tests.integration.reading.events import publish_event

GUEST = "... on CreateGuestSessionSuccess { token user { id email name } }"
SLOW = "... on SlowDown { retryAfterSeconds }"
ORDER = "... on ReserveSuccess { order { id } }"


@pytest.fixture
async def app(postgres_url: str, redis_url: str) -> AsyncIterator[Starlette]:
    limits = {"rate_limit_guest_sessions_per_minute": "3"}
    async with app_on(postgres_url, redis_url, **limits) as app:
        yield app


def from_address(app: Starlette, address: str) -> Api:
    transport = httpx.ASGITransport(app=app, client=(address, 4711))
    return Api(httpx.AsyncClient(transport=transport, base_url="http://boxoffice.test"))


async def guest(api: Api, email: str = "guest@example.org") -> dict[str, Any]:
    given = {"email": email, "name": "Gast"}
    return await api.mutate("createGuestSession", given, answer=f"{GUEST} {SLOW}")


async def guests_stored(postgres_url: str) -> list[tuple[str, str, bool]]:
    database = Database(postgres_url)
    try:
        rows = await database.fetch("SELECT email, name, guest FROM users WHERE subject LIKE 'guest:%'")
    finally:
        await database.close()
    return [tuple(row) for row in rows]


async def test_nothing_is_stored_when_a_guest_has_no_order(app: Starlette, postgres_url: str) -> None:
    api = from_address(app, "5.6.7.8")

    created = await guest(api)
    query = "{ me { id email name orders { totalCount edges { cursor } } } }"
    me = (await api.ask(query, token=created["token"])).data["me"]

    assert me == created["user"] | {"orders": {"totalCount": 0, "edges": []}}
    assert (me["email"], me["name"]) == ("guest@example.org", "Gast")
    assert await guests_stored(postgres_url) == []


async def test_guest_is_stored_when_the_first_order_is_written(app: Starlette, postgres_url: str) -> None:
    api = from_address(app, "5.6.7.8")
    event_id = await publish_event(api, new_token("organise"))
    token = (await guest(api))["token"]

    floor = f"sec_{event_id.removeprefix('evt_')}_1"
    selection = {"generalAdmission": {"sectionId": floor, "quantity": 1}}
    held = await api.mutate("reserve", {"eventId": event_id, "selection": selection}, token, ORDER)
    order_id = held["order"]["id"]
    seen = (await api.ask("query ($id: ID!) { order(id: $id) { id } }", {"id": order_id}, token)).data

    assert seen == {"order": {"id": order_id}}
    assert await guests_stored(postgres_url) == [("guest@example.org", "Gast", True)]


async def test_guests_wait_when_their_network_created_too_many(app: Starlette) -> None:
    hall, mapped = from_address(app, "5.6.7.8"), from_address(app, "::ffff:5.6.7.8")
    given = [await guest(hall, f"guest{number}@example.org") for number in range(3)]

    refused = await guest(mapped)
    elsewhere = await guest(from_address(app, "5.6.7.9"))

    assert all("token" in each for each in given) and "token" in elsewhere
    assert 1 <= refused.pop("retryAfterSeconds") <= 60
    assert refused == {
        "__typename": "SlowDown",
        "code": "SLOW_DOWN",
        "message": "Too many guests came from your network within this minute; please wait a moment.",
    }

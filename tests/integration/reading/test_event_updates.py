"""eventUpdated: what an open page hears of an event, over a WebSocket of the whole application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from db.session import Database
from domain.ids import Kind, parse_id
from kit.clock import utc_now
from tests.apis import Api, app_on, client_of, new_token
from tests.integration.reading.events import create_event, publish_event
from tests.transport.clients import GraphQLSocket, listening, websocket

WATCH = "subscription ($id: ID!) { eventUpdated(eventId: $id) { name status startsAt venue { name } } }"


class Watcher:
    """One subscriber, and when each of its updates came."""

    def __init__(self, socket: GraphQLSocket) -> None:
        self._socket = socket

    async def next(self) -> dict[str, Any]:
        message = await self._socket.receive()
        assert message["type"] == "next", message
        update: dict[str, Any] = message["payload"]["data"]["eventUpdated"]
        return update

    async def ends(self) -> dict[str, Any]:
        return await self._socket.receive()


@asynccontextmanager
async def watching(address: str, event_id: str, query: str = WATCH) -> AsyncIterator[Watcher]:
    async with websocket(f"{address}/graphql") as socket:
        await socket.initialise()
        await socket.subscribe("w", query, variables={"id": event_id})
        yield Watcher(socket)


@pytest.fixture
async def served(postgres_url: str, redis_url: str) -> AsyncIterator[tuple[str, Api]]:
    """The address of an API, and a client of the same."""
    async with app_on(postgres_url, redis_url) as app, client_of(app) as api, listening(app) as address:
        yield address, api


async def test_status_is_pushed_within_a_second_when_the_clock_reaches_it(
    served: tuple[str, Api], postgres_url: str
) -> None:
    address, api = served
    now = utc_now()
    on_sale, ends = now + timedelta(seconds=1.5), now + timedelta(seconds=3)
    times = {"on_sale_at": on_sale, "starts_at": now - timedelta(hours=1), "ends_at": ends}
    event_id = await publish_event(api, new_token("organise"))
    await set_times(postgres_url, event_id, **times)

    async with watching(address, event_id) as watcher:
        assert (await watcher.next())["status"] == "ANNOUNCED"
        assert (await watcher.next())["status"] == "ON_SALE"
        assert timedelta() <= utc_now() - on_sale < timedelta(seconds=1)
        assert (await watcher.next())["status"] == "ENDED"
        assert timedelta() <= utc_now() - ends < timedelta(seconds=1)


async def test_update_is_sent_when_the_sale_closes(served: tuple[str, Api], postgres_url: str) -> None:
    address, api = served
    event_id = await publish_event(api, new_token("organise"))
    closes = utc_now() + timedelta(seconds=1.5)
    await set_times(postgres_url, event_id, off_sale_at=closes)

    async with watching(address, event_id) as watcher:
        await watcher.next()
        assert (await watcher.next())["status"] == "ON_SALE"
        assert timedelta() <= utc_now() - closes < timedelta(seconds=1)


async def test_change_is_pushed_when_the_organiser_makes_one(served: tuple[str, Api]) -> None:
    address, api = served
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)

    async with watching(address, event_id) as watcher, watching(address, event_id) as second:
        first = await watcher.next()
        assert await second.next() == first
        change = {"eventId": event_id, "startsAt": "2031-05-01T11:00:00Z", "name": "A later evening"}
        assert (await api.mutate("updateEvent", change, organiser))["__typename"] == "EventSuccess"
        changed = await watcher.next()
        assert await second.next() == changed
        await api.mutate("cancelEvent", {"eventId": event_id}, organiser)
        cancelled = await watcher.next()

    assert first == {
        "name": "An evening",
        "status": "ON_SALE",
        "startsAt": "2031-05-01T10:30:00+00:00",
        "venue": {"name": "Olympic Hall"},
    }
    moved = {"name": "A later evening", "startsAt": "2031-05-01T11:00:00+00:00"}
    assert changed == first | moved
    assert cancelled == first | moved | {"status": "CANCELLED"}


async def test_change_is_read_again_when_no_message_tells_of_it(
    served: tuple[str, Api], postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.event_updates.POLL_SECONDS", 0.2)
    address, api = served
    event_id = await publish_event(api, new_token("organise"))

    async with watching(address, event_id) as watcher:
        await watcher.next()
        await set_times(postgres_url, event_id, on_sale_at=utc_now() + timedelta(hours=1))
        assert (await watcher.next())["status"] == "ANNOUNCED"


async def test_nothing_is_sent_when_nothing_changes(
    served: tuple[str, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.event_updates.POLL_SECONDS", 0.1)
    address, api = served
    event_id = await publish_event(api, new_token("organise"))

    async with watching(address, event_id) as watcher:
        await watcher.next()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await watcher.next()


@pytest.mark.parametrize("published", [True, False])
async def test_not_found_when_there_is_no_such_event_or_it_is_a_draft(
    served: tuple[str, Api], published: bool
) -> None:
    address, api = served
    organiser = new_token("organise")
    event_id = await create_event(api, organiser)
    if published:
        event_id = "evt_01jd3x8k2m9q4r5s6t7v8w9x0y"

    async with watching(address, event_id) as watcher:
        ended = await watcher.ends()

    errors = ended["payload"] if ended["type"] == "error" else ended["payload"]["errors"]
    assert errors[0]["extensions"]["code"] == "NOT_FOUND"


async def set_times(postgres_url: str, event_id: str, **times: Any) -> None:
    """Set columns of an event, which tells nobody."""
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(times, 2))
    database = Database(postgres_url)
    await database.fetch(
        f"UPDATE events SET {settings} WHERE id = $1", parse_id(event_id, Kind.EVENT), *times.values()
    )
    await database.close()

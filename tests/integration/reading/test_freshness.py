"""Updates show at once in the process that made them, and as soon as they are heard of in another."""

import asyncio
import hashlib
import json

import pytest

from db.session import Database
from devservices.valkey import Valkey
from domain.ids import Kind, parse_id
from pubsub.document_store import RedisDocuments
from reservations.connection import batcher, connect
from tests.apis import Api, api_on, new_token
from tests.integration.reading.events import publish_event

EVENT = "query ($id: ID!) { event(id: $id) { name venue { name } performers { name } } }"
PAGE = "{ events(first: 100) { edges { node { id name } } } }"


async def names_of(api: Api, event_id: str, token: str) -> tuple[str, str]:
    """The event's name, as the event and as the list of events have it."""
    event = (await api.ask(EVENT, {"id": event_id}, token)).data["event"]
    page = (await api.ask(PAGE, {}, token)).data["events"]["edges"]
    listed = {edge["node"]["id"]: edge["node"]["name"] for edge in page}
    return event["name"], listed[event_id]


async def rename(api: Api, event_id: str, name: str, organiser: str) -> None:
    """Change the event's name."""
    answer = await api.mutate("updateEvent", {"eventId": event_id, "name": name}, organiser)
    assert answer["__typename"] == "EventSuccess", answer


async def test_an_update_shows_at_once_when_the_event_was_just_read(api: Api) -> None:
    organiser, buyer = new_token("organise"), new_token("buy")
    event_id = await publish_event(api, organiser)

    shown = []
    for number in range(5):
        await rename(api, event_id, f"Evening {number}", organiser)
        shown += [await names_of(api, event_id, token) for token in (organiser, buyer, "")]

    assert shown == [(f"Evening {number}",) * 2 for number in range(5) for _ in range(3)]


async def test_an_update_shows_well_within_a_second_when_another_process_made_it(
    api: Api, module_postgres_url: str, redis_server: Valkey
) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    async with api_on(module_postgres_url, redis_server.url()) as other:
        # It hears of changes once it has subscribed, which is when a change first shows at once.
        shown = False
        for number in range(20):
            await names_of(other, event_id, organiser)
            await rename(api, event_id, f"Evening {number}", organiser)
            shown = await shows_within(0.5, other, event_id, f"Evening {number}", organiser)
            if shown and number > 0:
                break

    assert shown


async def shows_within(seconds: float, api: Api, event_id: str, name: str, token: str) -> bool:
    """Whether a name shows in time."""
    try:
        async with asyncio.timeout(seconds):
            while await names_of(api, event_id, token) != (name, name):
                await asyncio.sleep(0.01)
    except TimeoutError:
        return False
    return True


async def test_an_update_shows_at_once_when_its_organiser_has_hung_up(
    api: Api, module_postgres_url: str
) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    database = Database(module_postgres_url)
    shown, committed = [], []
    for milliseconds in range(1, 21):
        await names_of(api, event_id, "")
        renaming = asyncio.create_task(rename(api, event_id, f"Evening {milliseconds}", organiser))
        await asyncio.sleep(milliseconds / 1000)
        renaming.cancel()
        await asyncio.gather(renaming, return_exceptions=True)
        await asyncio.sleep(0.05)
        shown.append((await names_of(api, event_id, ""))[0])
        committed.append(
            await database.fetchval("SELECT name FROM events WHERE id = $1", parse_id(event_id, Kind.EVENT))
        )
    await database.close()

    assert shown == committed
    assert len(set(committed)) > 1


async def test_an_answer_from_before_a_change_is_not_shared_after_it(
    api: Api, redis_server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser, name="Old")
    text = "query ($id: ID!) { event(id: $id) { name } } # registered elsewhere"
    digest = hashlib.sha256(text.encode()).hexdigest()
    client = connect(redis_server.url(), 2)
    await RedisDocuments(batcher(client)).put(digest, text)
    await client.aclose()
    recall, asked, go_on = RedisDocuments.get, asyncio.Event(), asyncio.Event()

    async def recall_late(self: RedisDocuments, document_hash: str) -> str | None:
        asked.set()
        await go_on.wait()
        return await recall(self, document_hash)

    monkeypatch.setattr(RedisDocuments, "get", recall_late)
    parameters = {"documentId": f"sha256:{digest}", "variables": json.dumps({"id": event_id})}

    async def name() -> str:
        response = await api.client.get("/graphql", params=parameters)
        return str(response.json()["data"]["event"]["name"])

    await api.ask("query ($id: ID!) { event(id: $id) { name } }", {"id": event_id})
    begun_before = asyncio.create_task(name())
    await asked.wait()
    await rename(api, event_id, "New", organiser)
    go_on.set()

    assert await begun_before in ("Old", "New")
    assert [await name() for _ in range(3)] == ["New"] * 3

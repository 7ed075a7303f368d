"""Answers that are given again to the person who asked, on real sockets: never old, never another's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from devservices.valkey import Valkey
from resolvers.context import Context
from tests.apis import Api, app_on, somebody
from tests.integration.reading.events import create_event, publish_event
from tests.transport.clients import listening
from transport.connections import bounded

EVENT = """
query ($id: ID!) { event(id: $id) {
  name status venue { name } performers { name } priceFrom { amount } availability { available held }
} }
"""
PAGE = "{ events(first: 100) { edges { node { id name status venue { name } } } } }"


@pytest.fixture
def given_again(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows with every answer that is given again."""
    given: list[Any] = []
    would_read = Context.would_read

    def watched(context: Context, reads: Any) -> bool:
        same = would_read(context, reads)
        given.extend([reads] if same else [])
        return same

    monkeypatch.setattr(Context, "would_read", watched)
    return given


@pytest.fixture
async def api(postgres_url: str, redis_server: Valkey, given_again: list[Any]) -> AsyncIterator[Api]:
    """The API on a port, its short way open."""
    async with app_on(postgres_url, redis_server.url()) as app:
        http = bounded(app.state.admission, 100, 10.0, app.state.direct, "/graphql")
        async with (
            listening(app, http=http) as address,
            httpx.AsyncClient(base_url=f"http://{address}") as client,
        ):
            yield Api(client)


async def again_and_again(ask: Callable[[], Awaitable[Any]], given_again: list[Any]) -> Any:
    """Ask until an answer was given again, and return it."""
    before = len(given_again)
    async with asyncio.timeout(20):
        while len(given_again) == before:
            answer = await ask()
    return answer


async def test_an_answer_is_given_again_when_nothing_changed(api: Api, given_again: list[Any]) -> None:
    organiser = somebody("organise")
    event_id = await publish_event(api, organiser)
    answers = []

    async def ask() -> dict[str, Any]:
        answers.append((await api.ask(EVENT, {"id": event_id}, organiser)).body)
        return answers[-1]

    await again_and_again(ask, given_again)

    assert all(answer == answers[0] for answer in answers)


async def test_a_new_name_shows_at_once_when_answers_were_given_again(
    api: Api, given_again: list[Any]
) -> None:
    organiser = somebody("organise")
    event_id = await publish_event(api, organiser)

    async def names() -> set[str]:
        event = (await api.ask(EVENT, {"id": event_id}, organiser)).data["event"]["name"]
        page = (await api.ask(PAGE, {}, organiser)).data["events"]["edges"]
        return {event, *(edge["node"]["name"] for edge in page)}

    shown = []
    for number in range(4):
        await again_and_again(names, given_again)
        await api.mutate("updateEvent", {"eventId": event_id, "name": f"Evening {number}"}, organiser)
        shown.append(await names())

    assert shown == [{f"Evening {number}"} for number in range(4)]


async def test_held_seats_are_counted_within_seconds_when_answers_were_given_again(
    api: Api, given_again: list[Any]
) -> None:
    organiser = somebody("organise")
    event_id = await publish_event(api, organiser, orphanRule=False)

    async def held() -> int:
        found: int = (await api.ask(EVENT, {"id": event_id}, organiser)).data["event"]["availability"]["held"]
        return found

    before = await again_and_again(held, given_again)
    for count in (1, 2):
        selection = {"bestAvailable": {"quantity": 1}}
        answer = await api.mutate("reserve", {"eventId": event_id, "selection": selection}, somebody())
        assert answer["__typename"] == "ReserveSuccess"
        async with asyncio.timeout(10):
            while await held() != before + count:
                await asyncio.sleep(0.01)
        assert await again_and_again(held, given_again) == before + count


async def test_nobody_is_given_anothers_answer_when_the_requests_are_the_same_bytes(
    api: Api, given_again: list[Any]
) -> None:
    owner, other, buyer = somebody("organise"), somebody("organise"), somebody("buy")
    event_id = await create_event(api, owner)
    seen: dict[str, set[bool]] = {owner: set(), other: set(), buyer: set(), "": set()}

    async def all_ask() -> None:
        for token, found in seen.items():
            found.add((await api.ask(EVENT, {"id": event_id}, token)).data["event"] is not None)

    for _ in range(3):
        await again_and_again(all_ask, given_again)

    assert seen == {owner: {True}, other: {False}, buyer: {False}, "": {False}}


async def test_the_sale_opens_in_time_when_answers_were_given_again(api: Api, given_again: list[Any]) -> None:
    organiser = somebody("organise")
    opening = datetime.now(UTC) + timedelta(seconds=3)
    event_id = await publish_event(api, organiser, onSaleAt=opening.isoformat())

    async def status() -> tuple[str, datetime]:
        asked = datetime.now(UTC)
        found = (await api.ask(EVENT, {"id": event_id}, organiser)).data["event"]["status"]
        return found, asked

    await again_and_again(status, given_again)
    seen: list[tuple[str, datetime]] = []
    async with asyncio.timeout(30):
        while not seen or seen[-1][0] != "ON_SALE":
            seen.append(await status())

    late = [asked for found, asked in seen if found == "ANNOUNCED" and asked > opening]
    assert late == []

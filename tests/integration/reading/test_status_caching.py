"""Caches end when the clock changes a status: nobody is answered ANNOUNCED once the sale has begun."""

import asyncio
from datetime import datetime, timedelta

import httpx

from kit.clock import utc_now
from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event

STATUS = "query ($id: ID!) { event(id: $id) { status } }"
NAME = "query ($id: ID!) { event(id: $id) { name } }"
LIST = "{ events(first: 100) { edges { node { status } } } }"


async def got(api: Api, query: str, event_id: str) -> httpx.Response:
    variables = f'{{"id": "{event_id}"}}'
    return await api.client.get("/graphql", params={"query": query, "variables": variables})


async def on_sale_in(api: Api, seconds: float) -> tuple[str, datetime]:
    at = utc_now() + timedelta(seconds=seconds)
    return await publish_event(api, new_token("organise"), onSaleAt=at.isoformat()), at


async def test_no_answer_says_announced_when_the_sale_has_begun(api: Api) -> None:
    event_id, at = await on_sale_in(api, 1.3)
    answered: list[tuple[datetime, str]] = []
    while utc_now() < at + timedelta(seconds=0.5):
        asked_at = utc_now()
        answer = (await got(api, STATUS, event_id)).json()
        answered.append((asked_at, answer["data"]["event"]["status"]))
        await asyncio.sleep(0.01)

    before = {status for asked_at, status in answered if asked_at < at - timedelta(seconds=0.1)}
    after = {status for asked_at, status in answered if asked_at >= at}
    assert (before, after) == ({"ANNOUNCED"}, {"ON_SALE"})


async def test_other_caches_keep_nothing_when_the_status_changes_before_they_would_forget(api: Api) -> None:
    soon, _ = await on_sale_in(api, 1.9)
    later, _ = await on_sale_in(api, 60)

    controls = {
        (query, event_id): (await got(api, query, event_id)).headers["cache-control"]
        for query in (STATUS, NAME, LIST)
        for event_id in (soon, later)
    }

    assert controls[STATUS, later] == "public, max-age=1"
    assert controls[STATUS, soon] == "no-store"
    assert controls[NAME, soon] == controls[NAME, later] == "public, max-age=1, stale-while-revalidate=10"
    assert controls[LIST, soon] == "no-store"

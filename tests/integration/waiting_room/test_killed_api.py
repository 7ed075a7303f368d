"""An API process dies while people wait: a client that reconnects to another has the same position."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from devservices.ports import free_port
from domain.ids import Kind, public_id, user_id_of
from tests.apis import settings_on, token_of
from tests.integration.waiting_room.venue import Venue, wait_for
from tests.transport.clients import GraphQLSocket

PEOPLE = 2000
WATCHED = 40
START_SECONDS = 60.0
CAP = 4
VISITORS = 12
QUERY = "subscription ($id: ID!) { queuePosition(eventId: $id) { state position admission { token } } }"
JOIN = "mutation ($id: ID!) { it: joinQueue(input: { eventId: $id }) { __typename } }"
LOOK = "query ($id: ID!) { it: queueEntry(eventId: $id) { state } }"
LEAVE = "mutation ($id: ID!) { it: leaveQueue(input: { eventId: $id }) { __typename } }"


@contextmanager
def api_process(postgres_url: str, redis_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`boxoffice serve` and its address."""
    port = free_port()
    settings = settings_on(postgres_url, redis_url, port=str(port))
    environment = os.environ | settings.environment_variables()
    process = subprocess.Popen([sys.executable, "-m", "cli", "serve"], env=environment)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def is_up(address: str) -> bool:
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{address}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def entry_of(socket: GraphQLSocket) -> dict[str, Any]:
    """The next position that a subscriber receives."""
    while True:
        message = await socket.receive()
        assert message["type"] in {"next", "ping"}, message
        if message["type"] == "next":
            entry: dict[str, Any] = message["payload"]["data"]["queuePosition"]
            return entry


async def watched(stack: AsyncExitStack, address: str, venue: Venue, subject: str) -> dict[str, Any]:
    """A new stream's first answer; the stream stays open."""
    url = address.replace("http", "ws", 1) + "/graphql"
    connection = connect(url, subprotocols=[Subprotocol("graphql-transport-ws")])
    socket = GraphQLSocket(await stack.enter_async_context(connection))
    await socket.initialise({"Authorization": f"Bearer {token_of(subject, 'buy')}"})
    await socket.subscribe("1", QUERY, variables={"id": public_id(Kind.EVENT, venue.event_id)})
    return await entry_of(socket)


async def test_places_are_kept_when_an_api_process_is_killed(
    venue: Venue, postgres_url: str, redis_url: str
) -> None:
    await venue.configure(admit_per_minute=100_000, max_active=5)
    subjects = [f"test|waiting {number}" for number in range(PEOPLE)]
    for start in range(0, PEOPLE, 500):
        some = subjects[start : start + 500]
        await asyncio.gather(*(venue.room.join(venue.event_id, user_id_of(each), [0]) for each in some))
    await venue.tick_until(lambda: _admitted(venue, 5))
    watching = subjects[:: PEOPLE // WATCHED]

    async with AsyncExitStack() as stack:
        with (
            api_process(postgres_url, redis_url) as (first, first_address),
            api_process(postgres_url, redis_url) as (_, other_address),
        ):
            for address in (first_address, other_address):
                await wait_for(partial(is_up, address), START_SECONDS)
            before = [await watched(stack, first_address, venue, each) for each in watching]

            first.kill()
            first.wait()
            after = [await watched(stack, other_address, venue, each) for each in watching]

    standings = await venue.room.standings(venue.event_id, [user_id_of(each) for each in watching])
    assert len({standing.position for standing in standings}) >= WATCHED - 5
    assert [entry["position"] for entry in before] == [standing.position for standing in standings]
    assert [entry["admission"] for entry in before].count(None) >= WATCHED - 5
    assert after == before


async def _admitted(venue: Venue, number: int) -> bool:
    state = await venue.room.state(venue.event_id)
    return state is not None and state.admitted >= number


class Shop:
    """The people who are admitted now, by their own subscriptions, and the number of all admissions."""

    def __init__(self, addresses: list[str], event_id: str) -> None:
        self.addresses = addresses
        self.event_id = event_id
        self.inside: set[str] = set()
        self.most = 0
        self.visits = 0

    async def visit(self, client: httpx.AsyncClient, subject: str) -> None:
        """Join, wait, shop for a moment and leave, again and again, by whichever process answers."""
        while True:
            await self._ask(client, subject, JOIN)
            while (await self._ask(client, subject, LOOK) or {}).get("state") != "ADMITTED":
                await asyncio.sleep(0.02)
            self.inside.add(subject)
            self.visits += 1
            self.most = max(self.most, len(self.inside))
            await asyncio.sleep(0.05)
            self.inside.discard(subject)
            await self._ask(client, subject, LEAVE)

    async def _ask(self, client: httpx.AsyncClient, subject: str, query: str) -> Any:
        while True:
            address = random.choice(self.addresses)
            body = {"query": query, "variables": {"id": self.event_id}}
            headers = {"authorization": f"Bearer {token_of(subject, 'buy')}"}
            try:
                answer = (await client.post(f"{address}/graphql", json=body, headers=headers)).json()
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            return answer["data"]["it"]


async def test_no_more_shop_than_the_cap_when_an_api_process_is_killed_under_them(
    venue: Venue, postgres_url: str, redis_url: str
) -> None:
    await venue.configure(admit_per_minute=100_000, max_active=CAP)
    most_active = 0

    async def admit() -> None:
        nonlocal most_active
        while True:
            await venue.tick()
            state = await venue.room.state(venue.event_id)
            most_active = max(most_active, state.active if state else 0)
            await asyncio.sleep(0.02)

    with (
        api_process(postgres_url, redis_url) as (first, first_address),
        api_process(postgres_url, redis_url) as (_, other_address),
    ):
        for address in (first_address, other_address):
            await wait_for(partial(is_up, address), START_SECONDS)
        shop = Shop([first_address, other_address], public_id(Kind.EVENT, venue.event_id))
        async with httpx.AsyncClient(timeout=20) as client:
            people = [f"test|visitor {number}" for number in range(VISITORS)]
            tasks = [asyncio.create_task(shop.visit(client, each)) for each in people]
            tasks.append(asyncio.create_task(admit()))
            await wait_for(partial(_visited, shop, tasks, 15), START_SECONDS)
            first.kill()
            first.wait()
            await wait_for(partial(_visited, shop, tasks, shop.visits + 30), START_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    assert 1 < shop.most <= CAP
    assert most_active == CAP


async def _visited(shop: Shop, tasks: list[asyncio.Task[None]], visits: int) -> bool:
    for task in tasks:
        if task.done():
            task.result()
    return shop.visits >= visits

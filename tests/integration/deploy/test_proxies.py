"""API processes behind each proxy of deploy/, while they are used and while they are rolled."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.apis import Api, new_token
from tests.installations import until
from tests.integration.deploy.proxies import ApiProcess, Proxy, proxied
from tests.integration.reading.events import publish_event
from tests.transport.clients import GraphQLSocket, events_of, next_event

PROXIES = ["nginx", "haproxy", "envoy"]
STREAM_ENDS_SECONDS = 30
SERVICE_RESTART = 1012


@asynccontextmanager
async def api_behind(proxy: Proxy) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(base_url=proxy.url, verify=proxy.trust, trust_env=False) as client:
        yield Api(client)


def watching(event_id: str) -> str:
    return f'subscription {{ seatAvailability(eventId: "{event_id}") {{ version }} }}'


async def watch_by_socket(stack: AsyncExitStack, proxy: Proxy, event_id: str) -> GraphQLSocket:
    """A socket that has its first map."""
    url = f"{proxy.url.replace('https', 'wss')}/graphql"
    connection = connect(url, ssl=proxy.trust, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None)
    socket = GraphQLSocket(await stack.enter_async_context(connection))
    await socket.initialise()
    await socket.subscribe("1", watching(event_id))
    assert await next_result(socket)
    return socket


async def next_result(socket: GraphQLSocket) -> dict[str, Any]:
    while True:
        message = await socket.receive()
        if message["type"] == "next":
            payload: dict[str, Any] = message["payload"]
            return payload


async def watch_by_stream(stack: AsyncExitStack, api: Api, event_id: str) -> AsyncIterator[dict[str, str]]:
    """An event stream that has brought its first map."""
    request = api.client.stream(
        "POST", "/graphql", json={"query": watching(event_id)}, headers={"accept": "text/event-stream"}
    )
    events = events_of(await stack.enter_async_context(request))
    assert (await next_event(events))["event"] == "next"
    return events


async def reserve(api: Api, event_id: str, index: int) -> None:
    seat = f"seat_{event_id.removeprefix('evt_')}_{index}"
    given = {"eventId": event_id, "selection": {"seatIds": [seat]}}
    assert (await api.mutate("reserve", given, new_token()))["__typename"] == "ReserveSuccess"


@pytest.mark.parametrize("name", PROXIES)
async def test_sockets_and_streams_bring_changes_when_a_proxy_is_between(
    name: str, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    with proxied(name, tmp_path, postgres_url, redis_url) as (proxy, _):
        async with api_behind(proxy) as api, AsyncExitStack() as stack:
            event_id = await publish_event(api, new_token("organise"), orphanRule=False)
            socket = await watch_by_socket(stack, proxy, event_id)
            events = await watch_by_stream(stack, api, event_id)

            await reserve(api, event_id, 0)

            assert (await next_result(socket))["data"]["seatAvailability"]["version"] > 0
            assert (await next_event(events))["event"] == "next"
        if name != "envoy":  # whose sample has no plain port
            answer = await asyncio.to_thread(
                httpx.get, f"http://127.0.0.1:{proxy.http_port}/", trust_env=False
            )
            assert (answer.status_code, answer.headers["location"][:8]) == (301, "https://")


async def ask_without_pause(api: Api, event_id: str, stop: asyncio.Event) -> tuple[int, list[str]]:
    """Ask until it is time to stop; returns the answers, and the failures."""
    answers, failures = 0, list[str]()
    while not stop.is_set():
        try:
            answer = await api.client.post(
                "/graphql", json={"query": f'{{ event(id: "{event_id}") {{ name }} }}'}, timeout=20
            )
            answers += 1
            if answer.status_code != 200 or "errors" in answer.json():
                failures.append(f"{answer.status_code} {answer.text[:200]}")
        except httpx.TransportError as failure:
            failures.append(repr(failure))
        await asyncio.sleep(0.005)
    return answers, failures


async def roll(api: ApiProcess) -> None:
    """Stop a process as a service manager does, and start it again."""
    api.begin_to_stop()
    await asyncio.to_thread(api.process.wait, STREAM_ENDS_SECONDS)
    assert api.process.returncode == -signal.SIGTERM, "it ended by itself, after the drain"
    api.start()
    await asyncio.to_thread(until, api.is_ready)


async def drained(events: AsyncIterator[dict[str, str]]) -> None:
    """Read an event stream to its end."""
    async with asyncio.timeout(STREAM_ENDS_SECONDS):
        async for event in events:
            assert event.get("event") != "complete", "the client would not come back"


@pytest.mark.parametrize("name", PROXIES)
async def test_no_request_fails_when_every_process_is_rolled(
    name: str, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    with proxied(name, tmp_path, postgres_url, redis_url) as (proxy, apis):
        async with api_behind(proxy) as api, AsyncExitStack() as stack:
            event_id = await publish_event(api, new_token("organise"), orphanRule=False)
            sockets = [await watch_by_socket(stack, proxy, event_id) for _ in range(4)]
            streams = [await watch_by_stream(stack, api, event_id) for _ in range(4)]
            stop = asyncio.Event()
            asking = [asyncio.create_task(ask_without_pause(api, event_id, stop)) for _ in range(4)]

            for process in apis:
                await roll(process)
                await asyncio.sleep(2.5)  # the longest that a proxy takes to notice that it is back

            stop.set()
            for answers, failures in await asyncio.gather(*asking):
                assert (answers > 100, failures) == (True, [])
            for socket in sockets:
                assert await socket.close_code() == SERVICE_RESTART
            await asyncio.gather(*map(drained, streams))
            await watch_by_socket(stack, proxy, event_id)


@pytest.mark.parametrize("name", PROXIES)
async def test_each_client_has_its_own_address_whatever_it_says(
    name: str, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    limit = {"rate_limit_network_per_minute": "3"}
    with proxied(name, tmp_path, postgres_url, redis_url, **limit) as (proxy, _):

        async def statuses(address: str, number: int) -> list[int]:
            """The answers to a client at an address of this machine, which pretends to have others."""
            transport = httpx.AsyncHTTPTransport(verify=proxy.trust, local_address=address)
            async with httpx.AsyncClient(base_url=proxy.url, transport=transport) as client:
                return [
                    (
                        await client.post(
                            "/graphql",
                            json={"query": "{ __typename }"},
                            headers={"x-forwarded-for": f"203.0.113.{each}"},
                        )
                    ).status_code
                    for each in range(number)
                ]

        assert (await statuses("127.0.0.9", 8))[-1] == 429
        assert await statuses("127.0.0.10", 1) == [200]

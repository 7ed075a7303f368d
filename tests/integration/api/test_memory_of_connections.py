"""The memory of an API process under a thousand hostile sockets, as docs/limits.md states it."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import pytest

from db.session import Database
from devservices.ports import free_port
from domain.ids import Kind, public_id
from tests.apis import new_token, settings_on
from tests.events import open_event
from tests.integration.waiting_room.test_killed_api import api_process, is_up

PAGE = Path(__file__).parents[3] / "docs" / "limits.md"
SOCKETS = 1_000
BATCH = 50
ROWS = (50,) * 100
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
WITHOUT_BUDGET = """
from transport.overload.memory_budget import MemoryBudget
MemoryBudget.take = lambda *_: True
import cli
cli.main(["serve"])
"""
INIT = {"type": "connection_init"}
WATCH = "subscription ($id: ID!) { seatAvailability(eventId: $id) { version statuses changes { index } } }"


def head(size: int) -> bytes:
    """The head of a text frame with a mask of zeros, which changes no byte."""
    return b"\x81" + bytes((0x80 | 127,)) + size.to_bytes(8) + b"\0\0\0\0"


def framed(message: object) -> bytes:
    body = orjson.dumps(message)
    return head(len(body)) + body


def subscription(name: str, query: str, event_id: str) -> bytes:
    payload = {"query": query, "variables": {"id": event_id}}
    return framed({"id": name, "type": "subscribe", "payload": payload})


def own_document(socket: int, operation: int) -> str:
    """A document that nobody else sends, whose answer is large."""
    fields = " ".join(
        f"s{socket}x{operation}x{field}: sections {{ name available held booked total }}"
        for field in range(38)
    )
    return f"subscription ($id: ID!) {{ seatAvailability(eventId: $id) {{ statuses {fields} }} }}"


def sent_by(socket: int, event_id: str) -> bytes:
    """What one of four kinds of hostile clients sends; none of them reads."""
    match socket % 4:
        case 0:
            documents = [own_document(socket, operation) for operation in range(2)]
            asked = [subscription(str(n), query, event_id) for n, query in enumerate(documents)]
            return framed(INIT) + b"".join(asked)
        case 1:
            return framed({**INIT, "payload": {"about": [{} for _ in range(300_000)]}})
        case 2:
            return framed(INIT) + head(900_000) + b"x" * 899_000
        case _:
            return framed(INIT) + b"".join(
                subscription("x" * 100 + str(n), WATCH, event_id) for n in range(10)
            )


@asynccontextmanager
async def hostile_sockets(port: int, event_id: str, storm: int) -> AsyncIterator[None]:
    """A thousand connections that were sent what hostile clients send, and are not read from.

    `storm` is the number of the attack: each has documents of its own.
    """
    writers: list[asyncio.StreamWriter] = []

    async def attack(socket: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writers.append(writer)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent_by(socket + storm * SOCKETS, event_id))

    try:
        for start in range(0, SOCKETS, BATCH):
            await asyncio.gather(*(attack(socket) for socket in range(start, start + BATCH)))
            await asyncio.sleep(0.1)
        yield
    finally:
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1_000


async def sample(pid: int, peaks: list[float]) -> None:
    while True:
        peaks.append(resident_mb(pid))
        await asyncio.sleep(0.5)


async def busy_map(client: httpx.AsyncClient, event_id: str, seconds: float) -> int:
    """Hold seats for a while, each of a new person; the number of those who got some."""
    query = (
        "mutation ($id: ID!) {"
        " reserve(input: { eventId: $id, selection: { bestAvailable: { quantity: 4 } } }) { __typename } }"
    )
    held, until = 0, asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        headers = {"authorization": f"Bearer {new_token()}"}
        body = {"query": query, "variables": {"id": event_id}}
        answer = (await client.post("/graphql", json=body, headers=headers, timeout=60)).json()
        assert "errors" not in answer, answer
        held += answer["data"]["reserve"]["__typename"] == "ReserveSuccess"
    return held


async def bounded_event(postgres_url: str) -> UUID:
    database = Database(postgres_url)
    try:
        return await open_event(database, ROWS)
    finally:
        await database.close()


@contextmanager
def process_without_the_budget(
    postgres_url: str, redis_url: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """As `api_process`, with a budget of memory that has room for everything."""
    port = free_port()
    settings = settings_on(postgres_url, redis_url, port=str(port))
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_BUDGET], env=os.environ | settings.environment_variables()
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def attacked(
    process: subprocess.Popen[bytes], address: str, event_id: str, storms: int
) -> tuple[list[float], float, str]:
    """The highest memory in each attack and the one that is left, both in MB above what it was before.

    With the metrics of the last attack.
    """
    while not await is_up(address):
        assert process.poll() is None
        await asyncio.sleep(0.1)
    async with httpx.AsyncClient(base_url=address) as client:
        assert await busy_map(client, event_id, 1.0) > 0
        before = resident_mb(process.pid)
        highest: list[float] = []
        for storm in range(storms):
            peaks: list[float] = []
            sampling = asyncio.create_task(sample(process.pid, peaks))
            async with hostile_sockets(int(address.rpartition(":")[2]), event_id, storm):
                assert await busy_map(client, event_id, 8.0) > 0, "an honest buyer buys meanwhile"
                figures = (await client.get("/metrics")).text
            sampling.cancel()
            highest.append(max(peaks) - before)
            assert await busy_map(client, event_id, 1.0) > 0
        return highest, resident_mb(process.pid) - before, figures


async def exceeds(process: subprocess.Popen[bytes], address: str, event_id: str, most_mb: int) -> bool:
    """Whether an attack makes the memory grow by more than `most_mb`; it ends as soon as it does."""
    while not await is_up(address):
        assert process.poll() is None
        await asyncio.sleep(0.1)
    async with httpx.AsyncClient(base_url=address) as client:
        assert await busy_map(client, event_id, 1.0) > 0
        before = resident_mb(process.pid)
        attack = asyncio.create_task(attack_for(client, address, event_id, 60.0))
        try:
            while resident_mb(process.pid) - before <= most_mb and not attack.done():
                await asyncio.sleep(0.1)
            return resident_mb(process.pid) - before > most_mb
        finally:
            attack.cancel()
            await asyncio.gather(attack, return_exceptions=True)


async def attack_for(client: httpx.AsyncClient, address: str, event_id: str, seconds: float) -> None:
    """Hostile sockets beside a busy map; nobody asks whether an honest buyer is answered in time."""
    async with hostile_sockets(int(address.rpartition(":")[2]), event_id, 0):
        with suppress(httpx.TimeoutException):
            await busy_map(client, event_id, seconds)


def stated_bounds() -> tuple[int, int]:
    """The bounds of docs/limits.md in MB: during an attack, and after it."""
    stated = re.search(r"at most \*\*(\d+) MB\*\* more .* at most \*\*(\d+) MB\*\*", PAGE.read_text())
    assert stated is not None
    return int(stated[1]), int(stated[2])


@pytest.mark.timeout(300)
async def test_memory_stays_within_its_bound_when_a_thousand_sockets_are_hostile_twice(
    postgres_url: str, redis_url: str
) -> None:
    most_mb, most_left_mb = stated_bounds()
    event_id = public_id(Kind.EVENT, await bounded_event(postgres_url))
    with api_process(postgres_url, redis_url) as (process, address):
        highest, left, figures = await attacked(process, address, event_id, 2)

    assert max(highest) < most_mb
    assert left < most_left_mb, "the second attack used the memory of the first again"
    subscriptions = re.search(r'boxoffice_subscriptions{transport="websocket"} (\d+)', figures)
    assert subscriptions is not None
    assert int(subscriptions[1]) > SOCKETS, "the attack took place"
    assert 'boxoffice_limits_reached_total{limit="memory"' in figures


@pytest.mark.timeout(300)
async def test_control_memory_exceeds_its_bound_when_the_budget_is_gone(
    postgres_url: str, redis_url: str
) -> None:
    most_mb, _ = stated_bounds()
    event_id = public_id(Kind.EVENT, await bounded_event(postgres_url))
    with process_without_the_budget(postgres_url, redis_url) as (process, address):
        assert await exceeds(process, address, event_id, most_mb)

"""A rolling restart during a sale: each API process is stopped in turn while buyers buy.

The tests check one run: the buyers' orders, the database and the payments, the watchers' updates, the
health check, and the logs of all parts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.installations import Installation

BUYERS, ROUNDS, PLACES, PRICE = 8, 1, 3_000, 5_000
CARD_NUMBER = "4242424242424242"
CREATE = """mutation ($input: CreateEventInput!) { createEvent(input: $input) {
  ... on EventSuccess { event { id seatMap { sections { id } } } } ... on UserError { message } } }"""
PUBLISH = "mutation ($id: ID!) { publishEvent(input: {eventId: $id}) { __typename } }"
RESERVE = """mutation ($input: ReserveInput!) { reserve(input: $input) { __typename
  ... on ReserveSuccess { order { id } } ... on UserError { code message } } }"""
PAY = """mutation ($input: PayInput!) { pay(input: $input) { __typename
  ... on PaySuccess { clientSecret order { id status } } ... on UserError { code message } } }"""
GUEST = """mutation ($input: CreateGuestSessionInput!) { createGuestSession(input: $input) {
  ... on CreateGuestSessionSuccess { token user { email } } ... on UserError { message } } }"""
WATCH = """subscription ($id: ID!, $since: Int) { seatAvailability(eventId: $id, sinceVersion: $since) {
  version previousVersion sections { booked held available } } }"""


@dataclass(slots=True)
class Run:
    """The observations during the restart."""

    installation: Installation
    event_id: str = ""
    section_id: str = ""
    bought: list[str] = field(default_factory=list)
    retried: Counter[str] = field(default_factory=Counter)
    secrets: set[str] = field(default_factory=set)
    close_codes: list[int | None] = field(default_factory=list)
    streams_ended: list[str] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    last_seen: dict[str, Any] = field(default_factory=dict)
    not_ready: int = 0
    stop_seconds: list[float] = field(default_factory=list)
    is_over: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.installation.port}"

    def token(self, subject: str, *scopes: str) -> str:
        token = self.installation.token(subject, *(scopes or ("buy",)))
        self.secrets |= {token, f"{subject}@example.org"}
        return token


async def ask(run: Run, client: httpx.AsyncClient, query: str, variables: dict[str, Any], token: str) -> Any:
    """One operation, retried with the same input while it is unavailable."""
    async with asyncio.timeout(30):
        while True:
            try:
                answer = await client.post(
                    "/graphql",
                    json={"query": query, "variables": variables},
                    headers={"authorization": f"Bearer {token}"},
                )
                if answer.status_code != 503:
                    assert answer.status_code == 200, answer.text
                    body = answer.json()
                    assert "errors" not in body, body
                    return next(iter(body["data"].values()))
                run.retried["503"] += 1
            except httpx.TransportError as fault:
                run.retried[type(fault).__name__] += 1
            await asyncio.sleep(0.05)


async def buy_all_the_while(run: Run, number: int) -> None:
    """Holds and pays places repeatedly; every call has its own key."""
    token = run.token(f"buyer-{number}")
    async with httpx.AsyncClient(base_url=run.url, timeout=15) as client:
        while not run.is_over:
            selection = {"generalAdmission": {"sectionId": run.section_id, "quantity": 1}}
            wanted = {
                "eventId": run.event_id,
                "selection": selection,
                "idempotencyKey": uuid.uuid4().hex,
            }
            held = await ask(run, client, RESERVE, {"input": wanted}, token)
            assert held["__typename"] == "ReserveSuccess", held
            order = held["order"]["id"]
            if not run.bought:
                begun = await ask(run, client, PAY, {"input": {"orderId": order}}, token)
                run.secrets.add(begun["clientSecret"])
            payment = {
                "orderId": order,
                "paymentMethodId": "pm_card_visa",
                "idempotencyKey": uuid.uuid4().hex,
            }
            paid = await ask(run, client, PAY, {"input": payment}, token)
            assert paid["__typename"] == "PaySuccess", paid
            run.bought.append(paid["order"]["id"])


async def watch_all_the_while(run: Run) -> None:
    """Follows the counts; when the server closes the connection, reconnects and resumes."""
    version: int | None = None
    token = run.token("watcher")
    while True:
        with contextlib.suppress(OSError, InvalidHandshake, ConnectionClosed):
            async with connect(
                f"ws://127.0.0.1:{run.installation.port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
            ) as socket:
                init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
                await socket.send(json.dumps(init))
                payload = {"query": WATCH, "variables": {"id": run.event_id, "since": version}}
                await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                try:
                    async for message in socket:
                        update = json.loads(message)
                        if update["type"] == "next":
                            version = note(run, update["payload"]["data"]["seatAvailability"], version)
                finally:
                    if socket.close_code is not None:
                        run.close_codes.append(socket.close_code)
        await asyncio.sleep(0.05)


def note(run: Run, seen: dict[str, Any], version: int | None) -> int:
    """Compares an update with the previous one."""
    previous = seen["previousVersion"]
    if previous is not None and previous != version:
        run.gaps.append((version or 0, previous))
    run.last_seen = seen
    latest: int = seen["version"]
    return latest


async def stream_all_the_while(run: Run) -> None:
    """The same over server-sent events: a stream must end whole, and without a complete event."""
    headers = {"accept": "text/event-stream"}
    params = {"query": WATCH, "variables": json.dumps({"id": run.event_id})}
    async with httpx.AsyncClient(base_url=run.url, timeout=None) as client:
        while True:
            last = "nothing"
            with contextlib.suppress(httpx.TransportError):
                async with client.stream("GET", "/graphql", params=params, headers=headers) as response:
                    if response.status_code == 200:
                        async for line in response.aiter_lines():
                            last = line.strip() or last
                        run.streams_ended.append(last.partition(" ")[0])
            await asyncio.sleep(0.05)


async def look_at_health(run: Run) -> None:
    """Polls any process, as a load balancer does."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(base_url=run.url) as client:
                answer = await client.get("/readyz")
                is_stopping = not answer.json()["parts"]["api"]["ok"]
                run.not_ready += answer.status_code == 503 and is_stopping
        await asyncio.sleep(0.02)


async def until(condition: Callable[[], object], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def restart(run: Run, name: str) -> None:
    """Sends SIGTERM and waits until the supervisor's replacement listens."""
    loop = asyncio.get_running_loop()
    old = psutil.Process(run.installation.pids()[name])
    began = loop.time()
    old.send_signal(signal.SIGTERM)
    await until(lambda: run.installation.pids().get(name, old.pid) != old.pid)
    run.stop_seconds.append(loop.time() - began)
    await until(lambda: listens(run.installation.pids()[name], run.installation.port))


def listens(pid: int, port: int) -> bool:
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid).net_connections("inet")
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)
    return False


async def open_sale(run: Run) -> None:
    organiser = run.token("organiser", "organise")
    async with httpx.AsyncClient(base_url=run.url, timeout=15) as client:
        new = {
            "name": "Rolling night",
            "startsAt": "2099-01-01T20:00:00Z",
            "maxTicketsPerPerson": 10_000,  # a few buyers buy again and again
            "venue": {"name": "Hall", "city": "Seoul", "timezone": "Asia/Seoul"},
            "generalAdmission": [
                {"name": "Floor", "capacity": PLACES, "price": {"amount": PRICE, "currency": "USD"}}
            ],
        }
        created = await ask(run, client, CREATE, {"input": new}, organiser)
        run.event_id = created["event"]["id"]
        run.section_id = created["event"]["seatMap"]["sections"][0]["id"]
        await ask(run, client, PUBLISH, {"id": run.event_id}, organiser)
        email = "guest-who-buys@example.net"
        guest = {"input": {"email": email, "name": "Guest Whobuys"}}
        session = await ask(run, client, GUEST, guest, organiser)
        run.secrets |= {session["token"], email}


async def provoke_faults(run: Run) -> None:
    """Kills the parts during requests with secrets: error messages must not contain these."""
    token = run.token("unlucky")
    wanted = {"eventId": run.event_id, "selection": {"seatIds": [run.section_id]}}
    async with httpx.AsyncClient(base_url=run.url, timeout=15) as client:
        naive = {"input": {"orderId": run.bought[0], "paymentMethodId": CARD_NUMBER}}
        headers = {"authorization": f"Bearer {token}"}
        await client.post("/graphql", json={"query": PAY, "variables": naive}, headers=headers)
        for part in ("redis", "postgres", "stripe"):
            os.kill(run.installation.pids()[part], signal.SIGKILL)
            for body in (
                {"query": RESERVE, "variables": {"input": wanted}},
                {"query": "{ me { email orders { totalCount } } }"},
            ):
                with contextlib.suppress(httpx.TransportError):
                    await client.post("/graphql", json=body, headers=headers)
        for bad in (f"Bearer {token}x", "Basic dXNlcjpwYXNz"):
            await client.post("/graphql", json={"query": "{ me { id } }"}, headers={"authorization": bad})
        await client.post("/webhooks/stripe", content=b'{"client_secret":"pi_1_secret_x"}')
    await postgres_answers(run)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    """The run that the tests check."""
    installation = Installation(tmp_path_factory.mktemp("rolling"), log_level="DEBUG", drain_seconds="1")
    await asyncio.to_thread(installation.start)
    run = Run(installation)
    try:
        await open_sale(run)
        watching = [
            asyncio.create_task(work)
            for work in (watch_all_the_while(run), stream_all_the_while(run), look_at_health(run))
        ]
        buying = [asyncio.create_task(buy_all_the_while(run, number)) for number in range(BUYERS)]
        await until(lambda: len(run.bought) > BUYERS or any(task.done() for task in buying))
        assert not [task.exception() for task in buying if task.done()]
        for _ in range(ROUNDS):
            await restart(run, "api-0")
            await restart(run, "api-1")
        run.is_over = True
        await asyncio.gather(*buying)
        # The last test kills parts, and may be the first to run: what was seen is complete before any does.
        await until(lambda: booked(run) == len(run.bought))
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        yield run
    finally:
        await asyncio.to_thread(installation.end, signal.SIGTERM)


def booked(run: Run) -> int:
    """The number of booked places that the watcher knows."""
    return int(run.last_seen["sections"][0]["booked"]) if run.last_seen else 0


async def postgres_answers(run: Run) -> None:
    """Waits until the supervisor has restarted PostgreSQL."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                await rows(run, "SELECT 1")
                return
            await asyncio.sleep(0.1)


async def rows(run: Run, statement: str) -> list[Any]:
    connection = await asyncpg.connect(run.installation.setting("database_url"))
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_every_purchase_is_there_exactly_once_when_processes_were_restarted_under_it(run: Run) -> None:
    async with asyncio.timeout(30):
        while await rows(run, "SELECT 1 FROM payments WHERE state <> 'CAPTURED'"):
            await asyncio.sleep(0.1)

    orders = dict(await rows(run, "SELECT state, count(*) FROM orders GROUP BY state"))
    claims = await rows(run, "SELECT count(*), count(DISTINCT place) FROM claims WHERE state = 'BOOKED'")
    money = await rows(run, "SELECT count(DISTINCT intent_id), sum(captured_minor) FROM payments")

    assert len(set(run.bought)) == len(run.bought) > 2 * BUYERS
    assert orders == {"BOOKED": len(run.bought)}
    assert claims == [(len(run.bought), len(run.bought))]
    assert money == [(len(run.bought), len(run.bought) * PRICE)]


async def test_nothing_but_a_lost_connection_or_a_503_was_seen(run: Run) -> None:
    assert set(run.retried) <= {"503", "ConnectError", "ReadError", "RemoteProtocolError", "WriteError"}


async def test_watcher_was_asked_to_reconnect_and_missed_nothing(run: Run) -> None:
    assert booked(run) == len(run.bought)
    assert run.close_codes
    assert set(run.close_codes) == {1012}
    assert run.gaps == []


async def test_event_stream_ended_without_complete_when_its_process_stopped(run: Run) -> None:
    """The last line is of an update or a comment: a client that reads `complete` would not come back."""
    assert run.streams_ended
    assert set(run.streams_ended) <= {"data:", ":"}


async def test_process_said_that_it_was_not_ready_before_it_closed_its_doors(run: Run) -> None:
    assert run.not_ready > 0


async def test_process_stopped_as_soon_as_it_had_drained(run: Run) -> None:
    assert len(run.stop_seconds) == 2 * ROUNDS
    assert max(run.stop_seconds) < 5


async def test_no_log_holds_a_secret_a_card_or_an_address_when_everything_is_logged(run: Run) -> None:
    await provoke_faults(run)
    settings = ("jwt_secret", "ticket_key", "stripe_api_key", "stripe_webhook_secret", "meilisearch_key")
    secrets = {"eyJ"} | run.secrets | {run.installation.setting(name) for name in settings} | {CARD_NUMBER}
    for address in ("database_url", "redis_url"):
        secrets.add(
            run.installation.setting(address).partition("://")[2].partition("@")[0].rpartition(":")[2]
        )

    logs = {
        path.name: path.read_text(errors="replace") for path in (run.installation.home / "log").glob("*.log")
    }
    leaks = {(name, secret) for name, text in logs.items() for secret in secrets - {""} if secret in text}

    assert set(logs) >= {"api-0.log", "api-1.log", "worker.log", "postgres.log", "redis.log", "stripe.log"}
    assert "Shutting down" in logs["api-0.log"]
    assert len(secrets) > BUYERS
    assert any("_secret_" in secret for secret in secrets)
    assert leaks == set()

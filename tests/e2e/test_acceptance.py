"""Two API processes on one port, checked by a strict client, also after kill -9 of parts."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.conftest import ROOT, LiveServer, serving

CREATE = """mutation ($input: CreateEventInput!) { createEvent(input: $input) {
  ... on EventSuccess { event { id seatMap { sections { id } } } } ... on RequestRefused { message } } }"""
PUBLISH = "mutation ($input: EventIdInput!) { publishEvent(input: $input) { __typename } }"
RESERVE = """mutation ($input: ReserveInput!) { reserve(input: $input) {
  __typename ... on ReserveSuccess { order { id } } ... on UserError { code } } }"""
PAY = """mutation ($input: PayInput!) { pay(input: $input) {
  __typename ... on PaySuccess { order { status } } ... on UserError { code } } }"""
SEATS = "subscription ($id: ID!) { seatAvailability(eventId: $id) { version } }"
TRIES = 100
RETRY_CODES = ("UNAVAILABLE", "OUTCOME_UNKNOWN")  # retry with the same idempotency key


@dataclass(frozen=True)
class Installation:
    """A running `up`, its data dir, and an event on sale in it."""

    server: LiveServer
    home: Path
    event_id: str
    section_id: str

    def pid(self, part: str) -> int:
        return int((self.home / "run" / f"{part}.pid").read_text())

    def post(self, query: str, variables: dict[str, Any], token: str = "", **more: Any) -> httpx.Response:
        """One request on its own connection, so that any process may answer it."""
        headers = {"Accept": "application/graphql-response+json", **more.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = {"query": query, "variables": variables, **more}
        return httpx.post(f"{self.server.base_url}/graphql", json=body, headers=headers, timeout=15)

    def retry(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Retries with the same key until there is an answer, as a client does while parts restart."""
        for _ in range(TRIES):
            try:
                body = self.post(query, variables, self.server.buyer).json()
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if not body.get("errors"):
                answer: dict[str, Any] = next(iter(body["data"].values()))
                return answer
            assert body["errors"][0]["extensions"]["code"] in RETRY_CODES, body
            time.sleep(0.1)
        raise AssertionError("no answer")

    def buy(self) -> str:
        """Buys one standing place; returns the order's id."""
        key = uuid4().hex
        selection = {"generalAdmission": {"sectionId": self.section_id, "quantity": 1}}
        wanted = {"eventId": self.event_id, "selection": selection, "idempotencyKey": key}
        order_id: str = self.retry(RESERVE, {"input": wanted})["order"]["id"]
        card = {"orderId": order_id, "paymentMethodId": "pm_card_visa", "idempotencyKey": key}
        assert self.retry(PAY, {"input": card})["order"]["status"] == "BOOKED"
        return order_id


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("acceptance")
    with serving(home, workers=2) as server:
        venue = {"name": "Hall", "city": "Seoul", "timezone": "Asia/Seoul"}
        floor = {"name": "Floor", "capacity": 500, "price": {"amount": 3000, "currency": "USD"}}
        night = {"name": "Night", "startsAt": "2099-01-01T20:00:00+09:00", "venue": venue}
        event = {**night, "maxTicketsPerPerson": 500}  # one buyer buys again and again
        made = server.ask(CREATE, {"input": {**event, "generalAdmission": [floor]}})["createEvent"]["event"]
        server.ask(PUBLISH, {"input": {"eventId": made["id"]}})
        yield Installation(server, home / "data", made["id"], made["seatMap"]["sections"][0]["id"])


def test_document_is_known_to_all_when_one_process_has_registered_it(installation: Installation) -> None:
    query = "query ($id: ID!) { event(id: $id) { name } }"
    known = {"documentId": f"sha256:{hashlib.sha256(query.encode()).hexdigest()}"}
    variables = {"id": installation.event_id}

    def ask() -> httpx.Response:
        return httpx.post(f"{installation.server.base_url}/graphql", json={**known, "variables": variables})

    assert ask().json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert installation.post(query, variables, **known).status_code == 200
    assert [ask().json() for _ in range(8)] == [{"data": {"event": {"name": "Night"}}}] * 8


def test_event_stream_works_when_its_operations_arrive_at_other_processes(installation: Installation) -> None:
    url = f"{installation.server.base_url}/graphql"
    token = {"X-GraphQL-Event-Stream-Token": httpx.put(url).text}
    got: list[str] = []

    def listen() -> None:
        with httpx.stream("GET", url, headers={**token, "Accept": "text/event-stream"}, timeout=15) as answer:
            for line in answer.iter_lines():
                got.append(line)
                if sum(line.startswith("data:") for line in got) == 8:
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    _wait(lambda: bool(got))

    answers = [
        installation.post(
            SEATS, {"id": installation.event_id}, headers=token, extensions={"operationId": f"o{number}"}
        )
        for number in range(8)
    ]

    listener.join(15)
    assert [answer.status_code for answer in answers] == [202] * 8
    assert sum(line.startswith("data:") for line in got) == 8


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (RESERVE, {"selection": {"bestAvailable": {"quantity": 1}}, "idempotencyKey": "a\0b"}),
        (RESERVE, {"selection": {"seatIds": ["seat_\ufffd"]}}),
        (RESERVE, {"selection": {"generalAdmission": {"sectionId": "sec_x", "quantity": 2147483647}}}),
        (RESERVE, {"selection": {}}),
        (PAY, {"orderId": "ord_" + "z" * 26}),
        (PAY, {"orderId": "", "paymentMethodId": "\0"}),
    ],
)
def test_nothing_is_our_fault_when_the_input_is_bad(
    installation: Installation, query: str, variables: dict[str, Any]
) -> None:
    wanted = {"eventId": installation.event_id, **variables} if query is RESERVE else variables

    answer = installation.post(query, {"input": wanted}, installation.server.buyer)

    assert answer.status_code in (200, 400)
    assert "INTERNAL_SERVER_ERROR" not in answer.text
    assert "Success" not in answer.text


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_bad_token_is_refused_when_no_token_would_do(installation: Installation, token: str) -> None:
    assert installation.post("{ __typename }", {}).status_code == 200
    assert installation.post("{ __typename }", {}, token).status_code == 401


def test_second_up_refuses_when_the_data_dir_is_in_use(installation: Installation) -> None:
    command = [sys.executable, "-m", "cli", "up", "--port", "1", "--data-dir", str(installation.home)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)

    assert done.returncode == 2
    assert "Another `boxoffice up` runs" in done.stderr


@pytest.mark.parametrize("part", ["worker", "redis", "postgres", "stripe", "api-0"])
def test_no_booking_is_lost_when_a_part_is_killed_while_selling(
    installation: Installation, part: str
) -> None:
    before = [installation.buy() for _ in range(2)]
    killed = installation.pid(part)

    os.kill(killed, signal.SIGKILL)
    after = [installation.buy() for _ in range(2)]

    _wait(lambda: installation.pid(part) != killed)
    _wait(lambda: httpx.get(f"{installation.server.base_url}/readyz").status_code == 200)
    states = [
        installation.retry("query ($id: ID!) { order(id: $id) { status } }", {"id": o})
        for o in before + after
    ]
    assert states == [{"status": "BOOKED"}] * 4


def _wait(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (OSError, ValueError, httpx.HTTPError):
            pass
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")

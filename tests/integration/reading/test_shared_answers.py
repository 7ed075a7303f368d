"""Cached public answers: buyers and anonymous clients share them, organisers execute for themselves."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

import app
from devservices.valkey import Valkey
from tests.apis import Api, app_on, new_token
from tests.integration.reading.events import publish_event
from transport import Operation, ServerOptions

EVENT = "query ($id: ID!) { event(id: $id) { id name status } }"


@pytest.fixture
async def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The root fields of the operations that are executed, in order."""
    fields: list[str] = []

    def watching(_: object) -> object:
        async def watch(operation: Operation, work: object) -> object:
            fields.extend(operation.root_fields)
            return await work  # type: ignore[misc]

        return watch

    def server_options(*given: Any) -> ServerOptions:
        # The hint's time to live instead of a second, which a busy machine may exceed.
        return replace(own_options(*given), response_ttl_s=60.0)

    own_options = app._server_options
    monkeypatch.setattr(app, "operation_watch", watching)
    monkeypatch.setattr(app, "_server_options", server_options)
    return fields


@pytest.fixture
async def api(postgres_url: str, redis_server: Valkey, executed: list[str]) -> AsyncIterator[Api]:
    """The API in this process."""
    async with app_on(postgres_url, redis_server.url()) as starlette:
        transport = httpx.ASGITransport(starlette)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield Api(client)


async def test_one_execution_serves_all_when_buyers_and_anonymous_clients_ask(
    api: Api, executed: list[str]
) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    executed.clear()

    callers = [new_token("buy"), "", new_token("buy"), ""]
    answers = [(await api.ask(EVENT, {"id": event_id}, caller)).data for caller in callers]
    shared = list(executed)
    for _ in range(2):
        answers.append((await api.ask(EVENT, {"id": event_id}, organiser)).data)

    assert all(answer == answers[0] for answer in answers)
    assert shared == ["event"]
    assert executed == ["event"] * 3

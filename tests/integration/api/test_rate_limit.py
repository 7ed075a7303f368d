"""The budget of a minute: counted over all processes, refused with Retry-After, answered on request."""

import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import jwt
import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import create_app
from devservices.valkey import Valkey
from pubsub.budgets import Budgets
from reservations.connection import batcher, connect_server
from tests.apis import SECRET, Api, api_on, new_token, settings_on
from tests.transport.clients import events_of, listening, next_event, websocket

CHEAP, DEAR = "{ serverTime }", "{ a: serverTime b: serverTime c: serverTime }"
ASK = {"extensions": {"cost": True}}


def token_for(client_id: str) -> str:
    """A token of a new person, issued to an application."""
    claims = {"sub": f"test-{uuid4().hex}", "exp": int(time.time()) + 60, "client_id": client_id}
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def post(api: Api, query: str, token: str = "", **body: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return await api.client.post("/graphql", json={"query": query, **body}, headers=headers)


def code_of(response: httpx.Response) -> str:
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


async def test_request_is_refused_when_a_user_is_over_the_limit(postgres_url: str, redis_url: str) -> None:
    settings = {"rate_limit_per_minute": "3"}
    async with (
        api_on(postgres_url, redis_url, **settings) as one,
        api_on(postgres_url, redis_url, **settings) as other,
    ):
        hasty, patient = new_token(), new_token()
        answers = [await api.ask(CHEAP, token=hasty) for api in (one, other, one, other)]

        assert [answer.status for answer in answers[:3]] == [200, 200, 200]
        assert (answers[3].status, answers[3].code) == (429, "RATE_LIMITED")
        assert (await one.ask(CHEAP, token=patient)).status == 200


async def test_cost_is_what_counts_when_it_is_limited(postgres_url: str, redis_url: str) -> None:
    settings = {"rate_limit_cost_per_minute": "5"}
    async with (
        api_on(postgres_url, redis_url, **settings) as one,
        api_on(postgres_url, redis_url, **settings) as other,
    ):
        hasty = new_token()
        first = await post(one, DEAR, hasty, **ASK)
        refused = await post(other, DEAR, hasty)
        cheaper = await post(other, CHEAP, hasty, **ASK)

        received = first.json()["extensions"]["cost"]
        assert (received["requested"], received["budget"], received["remaining"]) == (3, 5, 2)
        assert 0 < received["resetSeconds"] <= 60
        assert first.headers["cache-control"] == "no-store"
        assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert refused.json()["errors"][0]["extensions"]["retryAfterSeconds"] <= 60
        assert cheaper.json()["extensions"]["cost"]["remaining"] == 1, "what was refused cost nothing"
        assert (await post(one, DEAR, new_token())).status_code == 200


@pytest.mark.parametrize(
    ("setting", "token"),
    [
        ("rate_limit_cost_per_minute", lambda: ""),
        ("rate_limit_address_cost_per_minute", new_token),
        ("rate_limit_key_cost_per_minute", lambda: token_for("partner")),
    ],
)
async def test_budget_is_shared_when_two_come_from_one_address_or_application(
    postgres_url: str, redis_url: str, setting: str, token: Callable[[], str]
) -> None:
    async with api_on(postgres_url, redis_url, **{setting: "4"}) as api:
        assert (await post(api, DEAR, token())).status_code == 200
        assert (await post(api, DEAR, token())).status_code == 429


async def test_applications_do_not_share_when_their_keys_differ(postgres_url: str, redis_url: str) -> None:
    async with api_on(postgres_url, redis_url, rate_limit_key_cost_per_minute="4") as api:
        answers = [await post(api, DEAR, token_for(name)) for name in ("one", "two")]

        assert [answer.status_code for answer in answers] == [200, 200]


async def test_operations_of_streams_count_when_cost_is_limited(postgres_url: str, redis_url: str) -> None:
    app = create_app(settings_on(postgres_url, redis_url, rate_limit_cost_per_minute="4"))
    token = new_token()
    async with app.router.lifespan_context(app), listening(app) as address:
        async with websocket(f"{address}/graphql") as socket:
            await socket.initialise({"Authorization": f"Bearer {token}"})
            await socket.subscribe("q", DEAR, **ASK)
            assert (await socket.receive())["payload"]["extensions"]["cost"]["remaining"] == 1
            assert (await socket.receive())["type"] == "complete"
            await socket.subscribe("r", DEAR)
            received = await socket.receive()
            assert received["type"] == "error"
            assert received["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=f"http://{address}") as client,
            client.stream("POST", "/graphql", json={"query": DEAR}, headers=headers) as response,
        ):
            assert "RATE_LIMITED" in (await next_event(events_of(response)))["data"]


NOWHERE = "redis://127.0.0.1:1/0"
LONG = "{ " + " ".join(f"name{number}: serverTime" for number in range(40)) + " nope }"
"""It does not validate, and is longer than a document that is free."""


async def test_each_process_counts_alone_when_redis_is_away(postgres_url: str) -> None:
    async with api_on(postgres_url, NOWHERE, rate_limit_cost_per_minute="4") as api:
        answers = [await post(api, DEAR) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 429]


async def test_budget_goes_on_from_the_last_count_when_redis_stops(postgres_url: str, tmp_path: Path) -> None:
    server = Valkey(tmp_path, password="test")
    server.start()
    try:
        async with api_on(postgres_url, server.url(), rate_limit_cost_per_minute="5") as api:
            hasty = new_token()
            assert (await post(api, DEAR, hasty)).status_code == 200
            server.stop()
            answers = [await post(api, query, hasty) for query in (DEAR, CHEAP, CHEAP, CHEAP)]
    finally:
        server.stop()

    assert [answer.status_code for answer in answers] == [429, 200, 200, 429]


@pytest.mark.parametrize("document", ["{ nope }", "{", LONG])
async def test_documents_that_are_refused_count_when_cost_is_limited(
    postgres_url: str, redis_url: str, document: str
) -> None:
    async with api_on(postgres_url, redis_url, rate_limit_cost_per_minute="150") as api:
        hasty = new_token()
        answers = [await post(api, document, hasty) for _ in range(16)]
        limited = [answer.status_code for answer in answers].index(429)
        preparing = 1 + (len(LONG) - 200) // 10 if document == LONG else 0

        assert limited == (150 - preparing) // 10
        assert code_of(answers[limited]) == "RATE_LIMITED"
        assert (await post(api, document, new_token())).status_code == 400


@pytest.mark.parametrize(
    "request_of",
    [
        lambda client, **more: client.post("/graphql", content=b"{", **more),
        lambda client, **more: client.post("/graphql", content=b"[1]", **more),
        lambda client, **more: client.get("/graphql?query={serverTime}&variables={", **more),
        lambda client, **more: client.post(
            "/graphql", json={"documentId": f"sha256:{uuid4().hex * 2}"}, **more
        ),
        lambda client, **more: client.post(
            "/graphql", json={"query": "{ serverTime }", "variables": {"a": [0] * 10_001}}, **more
        ),
        lambda client, **more: client.post(
            "/graphql", json={"query": "query a { serverTime }", "operationName": "b"}, **more
        ),
        lambda client, **more: client.delete("/graphql?token=unknown", **more),
    ],
    ids=["json", "batch", "parameters", "unknown hash", "variables", "operation name", "stopping"],
)
async def test_requests_that_are_refused_count_when_requests_are_limited(
    postgres_url: str, redis_url: str, request_of: Callable[..., Awaitable[httpx.Response]]
) -> None:
    async with api_on(postgres_url, redis_url, rate_limit_per_minute="3") as api:
        headers = {"authorization": f"Bearer {new_token()}", "content-type": "application/json"}
        answers = [await request_of(api.client, headers=headers) for _ in range(4)]
        statuses = [answer.status_code for answer in answers]

        assert statuses[-1] == 429 and 429 not in statuses[:-1] and set(statuses) <= {400, 404, 429}, statuses
        assert (await post(api, "{ serverTime }", new_token())).status_code == 200


async def test_unknown_documents_are_not_parsed_when_the_budget_is_spent(
    postgres_url: str, redis_url: str
) -> None:
    def parsed(figures: str) -> float:
        found = re.search(r'boxoffice_cache_total{cache="document",outcome="miss"[^}]*} (\S+)', figures)
        return float(found[1]) if found else 0.0

    async with api_on(postgres_url, redis_url, rate_limit_per_minute="3") as api:
        hasty = new_token()
        before = parsed((await api.client.get("/metrics")).text)
        answers = [await post(api, f"{{ nope{number} }}", hasty) for number in range(9)]
        after = parsed((await api.client.get("/metrics")).text)

        assert [answer.status_code for answer in answers] == [400] * 3 + [429] * 6
        assert {code_of(answer) for answer in answers[3:]} == {"RATE_LIMITED"}
        assert after - before == 3
        assert (await post(api, "{ serverTime nope }", new_token())).status_code == 400


async def test_redis_is_not_asked_again_when_a_budget_is_spent(redis_url: str) -> None:
    client = connect_server(redis_url, 4)
    budgets, account = Budgets(batcher(client)), uuid4().hex
    assert [(await budgets.spend(account, 2, 4)).fits for _ in range(3)] == [True, True, False]
    before = int((await client.info("commandstats"))["cmdstat_evalsha"]["calls"])
    refused = [await budgets.spend(account, 1, 4) for _ in range(50)]
    after = int((await client.info("commandstats"))["cmdstat_evalsha"]["calls"])
    await client.aclose()

    assert not any(spending.fits for spending in refused)
    assert after == before
    assert not budgets.foresee(account, 1, 4).fits
    assert budgets.foresee(uuid4().hex, 4, 4).fits


async def test_reserved_event_streams_count_when_requests_are_limited(
    postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url, rate_limit_per_minute="2") as api:
        answers = [await api.client.put("/graphql") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert code_of(answers[2]) == "RATE_LIMITED"


async def test_opened_sockets_count_when_the_requests_of_a_network_are_limited(
    postgres_url: str, redis_url: str
) -> None:
    app = create_app(settings_on(postgres_url, redis_url, rate_limit_network_per_minute="2"))
    async with app.router.lifespan_context(app), listening(app) as address:
        for _ in range(2):
            async with websocket(f"{address}/graphql") as socket:
                await socket.initialise()
        async with websocket(f"{address}/graphql") as socket:
            assert await socket.close_code() == 1013


async def test_one_network_counts_together_when_its_addresses_differ_in_form(
    postgres_url: str, redis_url: str
) -> None:
    settings = {"rate_limit_network_per_minute": "3", "trusted_proxies": "127.0.0.0/8"}
    app = create_app(settings_on(postgres_url, redis_url, **settings))
    served: Any = ProxyHeadersMiddleware(cast("Any", app), "127.0.0.0/8")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=served), base_url="http://a") as client,
    ):

        async def status(address: str) -> int:
            headers = {"x-forwarded-for": address}
            return (await client.post("/graphql", json={"query": DEAR}, headers=headers)).status_code

        same = [await status(form) for form in ("203.0.113.7", "::ffff:203.0.113.7", "64:ff9b::cb00:7107")]
        assert same == [200, 200, 200]
        assert await status("2002:cb00:7107::1") == 429
        assert await status("203.0.113.8") == 200


async def test_private_addresses_have_no_network_budget_when_no_proxy_is_declared(
    postgres_url: str, redis_url: str
) -> None:
    settings = {"rate_limit_network_per_minute": "1", "limit_private_networks": "no"}
    async with api_on(postgres_url, redis_url, **settings) as api:
        assert [(await post(api, DEAR)).status_code for _ in range(3)] == [200, 200, 200]


async def test_metrics_name_the_limit_when_a_budget_is_spent(postgres_url: str, redis_url: str) -> None:
    async with api_on(postgres_url, redis_url, rate_limit_network_per_minute="1") as api:
        assert [(await post(api, DEAR)).status_code for _ in range(2)] == [200, 429]
        figures = (await api.client.get("/metrics")).text

        assert 'boxoffice_limits_reached_total{limit="network_requests"' in figures

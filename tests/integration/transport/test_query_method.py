"""The method QUERY (RFC 10008): a query as the body of a safe request, answered as a GET is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.transport.clients import in_process, listening
from tests.transport.toy import make_server

HELLO = {"query": "{ hello }"}


async def queried(client: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await client.request("QUERY", "/", json=body, headers=headers)


async def test_a_query_is_answered_and_may_be_kept_when_it_is_public() -> None:
    async with listening(make_server()) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        found = await queried(client, HELLO)
        asked_by_get = await client.get("/", params=HELLO)
        again = await queried(client, HELLO, **{"if-none-match": found.headers["etag"]})

    assert (found.status_code, found.json()) == (200, {"data": {"hello": "hello world"}})
    same = ("cache-control", "etag", "vary", "content-type")
    assert [found.headers[name] for name in same] == [asked_by_get.headers[name] for name in same]
    assert found.headers["accept-query"] == "application/json"
    assert again.status_code == 304


@pytest.mark.parametrize("query", ["mutation { bump }", "subscription { updates { version } }"])
async def test_a_query_changes_nothing_when_its_operation_is_no_query(query: str) -> None:
    async with in_process(make_server()) as client:
        refused = await queried(client, {"query": query})

    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert refused.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


async def test_a_query_is_refused_and_names_what_is_read_when_its_body_is_no_json() -> None:
    async with in_process(make_server()) as client:
        refused = await client.request(
            "QUERY", "/", content="{ hello }", headers={"content-type": "application/graphql"}
        )
        offered = await client.options("/")

    assert (refused.status_code, refused.headers["accept-query"]) == (415, "application/json")
    assert "QUERY" in offered.headers["allow"] and offered.headers["accept-query"] == "application/json"


async def test_a_persisted_document_is_named_when_it_is_queried() -> None:
    async with in_process(make_server()) as client:
        unknown = await queried(client, {"documentId": f"sha256:{'0' * 64}"})

    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"

"""The compiled executor against graphql-core over the whole served schema, on the real parts."""

from __future__ import annotations

from asyncio import CancelledError
from inspect import isawaitable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from schema.schema import schema
from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event
from tests.profiles import examples
from tests.transport.generate import LEAVES, DocumentStrategies
from transport import BadRequest, ConnectionInfo, GraphQLServer
from transport.protocol.ports import as_awaited
from transport.protocol.request import OperationRequest

SERVED = schema._schema
EVENT_ID = "EVENT-ID"
LEAVES_HERE = {
    **LEAVES,
    "ID": [f'"{EVENT_ID}"', '"evt_unknown"'],
    "DateTime": ['"2030-01-01T00:00:00Z"', '"no time"'],
    "Date": ['"2030-01-01"'],
    "MinorUnits": ["0", "4500", "999999999999", "1.5"],
}
CHANGING = {"Query.serverTime", "EventSearchResult.tookMs"}


def server_of(api: Api) -> GraphQLServer:
    """The GraphQL server behind an API of this process."""
    app: Any = api.client._transport.app  # type: ignore[attr-defined]
    endpoints = [getattr(route, "endpoint", None) for route in app.routes]
    return next(endpoint for endpoint in endpoints if isinstance(endpoint, GraphQLServer))


async def executed(server: GraphQLServer, document: str, compiled: bool) -> tuple[Any, list[str]]:
    """Run a document below the encoder; errors without their traces, in any order."""
    http = server._http
    context = await as_awaited(http.context_factory(ConnectionInfo({})))
    call = await http._engine.prepare(OperationRequest(document, None, None), context)
    run = http._engine._running(call, context)
    result: Any = (
        http._engine._execute(run, call.operation) if compiled else run.whole.execute_operation(False)
    )
    result = await result if isawaitable(result) else result
    return result.data, sorted(repr(error.formatted) for error in result.errors or ())


@pytest.fixture(scope="module")
async def published(api: Api) -> str:
    return await publish_event(api, new_token("organise"))


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(document=DocumentStrategies(SERVED, LEAVES_HERE, CHANGING).documents(4))
async def test_answers_are_equal_when_generated_documents_are_compiled(
    api: Api, published: str, document: str
) -> None:
    server = server_of(api)
    document = document.replace(EVENT_ID, published)
    try:
        compiled = await executed(server, document, compiled=True)
    except BadRequest:
        assume(False)
    try:
        expected = await executed(server, document, compiled=False)
    except CancelledError:
        assume(False)  # graphql-core cancels a failing field's siblings, and whatever shares their loads
    assert compiled == expected

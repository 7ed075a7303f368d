"""A failing field cancels no other: loaders are shared by branches of one document."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.profiles import examples
from tests.transport.generate import DocumentStrategies
from tests.transport.zoo import Context, schema
from tests.unit.transport.test_executor import COMPILED, engine
from transport import BadRequest
from transport.protocol.request import OperationRequest

ANSWER_SECONDS = 5


async def answer(query: str) -> tuple[Any, list[Any]]:
    """The data and the errors, within a deadline."""
    call = await COMPILED.prepare(OperationRequest(query, None, None, {}), None)
    context = Context()
    async with asyncio.timeout(ANSWER_SECONDS):
        result = await COMPILED._execute(COMPILED._running(call, context), call.operation)
    return result.data, [error.formatted for error in result.errors or ()]


async def test_both_branches_are_answered_when_a_field_fails_beside_a_shared_loader_key() -> None:
    query = "{ a: cat { friend { __typename } brokenSoon } b: cat { friend { ... on Dog { name } } } }"

    data, errors = await answer(query)

    assert data == {"a": None, "b": {"friend": {"name": "friend of tom"}}}
    assert [error["path"] for error in errors] == [["a", "brokenSoon"]]


async def test_siblings_in_a_list_are_answered_when_one_of_them_fails() -> None:
    loaded = "friend { __typename }"
    query = f"{{ cat {{ kittens {{ {loaded} brokenSoon }} {loaded} }} b: cat {{ {loaded} }} }}"

    data, errors = await answer(query)

    assert data == {"cat": None, "b": {"friend": {"__typename": "Dog"}}}
    assert [error["path"][-1] for error in errors] == ["brokenSoon"]


@pytest.mark.parametrize(
    "query",
    ["{ cat { name cancelled } }", "{ cat { cancelled friend { __typename } } named { name } }"],
)
async def test_an_error_is_answered_when_a_field_is_cancelled_by_others(query: str) -> None:
    data, errors = await answer(query)

    assert data is None
    assert [error["message"] for error in errors] == [
        "A field was cancelled that its request was still waiting for."
    ]


async def test_the_client_reads_a_masked_error_when_a_field_is_cancelled_by_others() -> None:
    call = await COMPILED.prepare(OperationRequest("{ cat { cancelled } }", None, None, {}), None)

    payload = await COMPILED.run(call, Context())

    assert payload.failed
    assert b"INTERNAL_SERVER_ERROR" in payload.body
    assert b"cancelled" not in payload.body


async def test_an_execution_ends_when_its_own_request_is_cancelled() -> None:
    call = await COMPILED.prepare(OperationRequest("{ cat { waiting } }", None, None, {}), None)
    task = asyncio.create_task(COMPILED.run(call, Context()))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(document=DocumentStrategies(schema._schema, without={"Cat.waiting"}).documents(4))
async def test_every_generated_document_is_answered_when_fields_fail_and_share_keys(document: str) -> None:
    try:
        await COMPILED.prepare(OperationRequest(document, None, None, {}), None)
    except BadRequest:
        assume(False)
    data, errors = await answer(document)
    assert data is not None or errors


async def test_the_interpreted_executor_answers_too_when_a_shared_future_is_cancelled() -> None:
    interpreted = engine(compiled=False)
    call = await interpreted.prepare(OperationRequest("{ cat { name cancelled } }", None, None, {}), None)

    async with asyncio.timeout(ANSWER_SECONDS):
        payload = await interpreted.run(call, Context())

    assert payload.failed
    assert b"INTERNAL_SERVER_ERROR" in payload.body

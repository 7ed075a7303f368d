"""The compiled executor against graphql-core: equal results and errors for generated documents."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.profiles import examples
from tests.transport.generate import DocumentStrategies
from tests.transport.toy import CountingMeters
from tests.transport.zoo import Cat, Context, Dog, Label, schema
from transport import BadRequest, GraphQLServer, Limits, ServerOptions
from transport.execution.engine import Engine
from transport.executor import lists
from transport.protocol.request import OperationRequest


def engine(
    compiled: bool, meters: CountingMeters | None = None, immutable: frozenset[type] = frozenset()
) -> Engine:
    async def context(_info: Any) -> Context:
        return Context()

    limits = Limits(cost=10**9, aliases=1_000, merging=10**6, depth=30)
    options = ServerOptions(compiled=compiled, immutable_types=immutable)
    server = GraphQLServer(schema, context, limits=limits, options=options, meters=meters)
    return server._http._engine


def comparable(error: Any) -> dict[str, Any]:
    return {"message": error["message"], "path": error.get("path"), "locations": error.get("locations")}


async def run(which: Engine, query: str, variables: dict[str, Any]) -> tuple[Any, list[Any], Context]:
    """Execute below the encoder, so that masked messages are compared too."""
    call = await which.prepare(OperationRequest(query, None, None, variables), None)
    context = Context()
    result = await which._execute(which._running(call, context), call.operation)
    errors = [error.formatted for error in result.errors or ()]
    return result.data, sorted(map(comparable, errors), key=repr), context


COMPILED, INTERPRETED = engine(compiled=True), engine(compiled=False)
UNSTABLE = {"Cat.waiting", "Cat.brokenSoon", "Cat.cancelled"}
"""Fields whose siblings graphql-core cancels, or that never end: tested on their own."""
REMEMBERING = engine(compiled=True, immutable=frozenset({Cat, Dog, Label}))


async def assert_equal(query: str, variables: dict[str, Any] | None = None) -> tuple[Any, list[Any], Context]:
    expected = await run(INTERPRETED, query, variables or {})
    for compiled in (COMPILED, COMPILED, REMEMBERING, REMEMBERING):
        data, errors, context = await run(compiled, query, variables or {})
        assert data == expected[0]
        assert list(map(repr, _keys(data))) == list(map(repr, _keys(expected[0])))
        assert errors == expected[1]
        # Beside an error that nulls their parent, siblings may be asked for or not: no client sees which.
        assert context.batches == expected[2].batches or errors
        assert context.words == expected[2].words
    return expected


def _keys(data: Any) -> list[Any]:
    """List every key in order: equal dictionaries may differ in it."""
    if isinstance(data, dict):
        return [(key, _keys(value)) for key, value in data.items()]
    return [_keys(value) for value in data] if isinstance(data, list) else []


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "leaves": ("{ cat { name lives colour weight awake nothing } }", {}),
    "a condition that is null": (
        "query($yes: Boolean = true) { cat { name @skip(if: $yes) } }",
        {"yes": None},
    ),
    "a condition that is null at the root": (
        "query($yes: Boolean = true) { cat @include(if: $yes) { name } }",
        {"yes": None},
    ),
    "aliases and merged fields": (
        "{ a: cat { name } a: cat { lives } cat { kittens { name } kittens { lives } } }",
        {},
    ),
    "an error where null is allowed": ("{ cat { huge name } }", {}),
    "an error where null is not allowed": ("{ cat { name broken } named { name } }", {}),
    "an error in a list": ("{ animals { ... on Cat { broken } } }", {}),
    "nulls in lists": ("{ cat { holes { name } strictHoles } }", {}),
    "errors later": ("{ cat { brokenLater x: brokenLater name } }", {}),
    "batched loads": (
        "{ cat { friend { ... on Dog { name owner } } kittens(first: 3) { friend { __typename } } } }",
        {},
    ),
    "interfaces": ("{ named { __typename name shout ... on Cat { lives } ... on Dog { bones good } } }", {}),
    "unions": (
        "{ animals(dogs: true) { __typename ... on Named { shout } ...d } } fragment d on Dog { good }",
        {},
    ),
    "a stranger in a union": ("{ stranger { __typename } }", {}),
    "permissions": ("{ cat { secret } }", {}),
    "the path": ("query($x: Int = 3) { cat { kittens(first: $x) { path } } }", {}),
    "attributes that fail": ("{ labels { text size } strict: labels { strict } }", {}),
    "an async iterable": ("{ streamed }", {}),
    "a generator": ("{ lazily }", {}),
    "no list at all": ("{ notAList }", {}),
    "awaitable items": ("{ promises }", {}),
    "inputs": ("query($w: Wish) { cat { kittens(wish: $w) { name } } }", {"w": {"tags": ["x"]}}),
    "literal inputs": ('{ cat { kittens(wish: {size: 0, tags: ["a"]}) { name } } }', {}),
    "no inputs": ("query($w: Wish) { cat { kittens(wish: $w) { name } } }", {}),
    "skipped": (
        "query($s: Boolean!) { cat @skip(if: $s) { name } a: cat { name @include(if: $s) lives } }",
        {"s": True},
    ),
    "not skipped": (
        "query($s: Boolean!) { cat @skip(if: $s) { name } a: cat { name @include(if: $s) lives } }",
        {"s": False},
    ),
    "skipped fragments": (
        (
            "query($s: Boolean!) { ...f @skip(if: $s) ... @include(if: $s) { cat { lives } } }"
            " fragment f on Query { cat { name } }"
        ),
        {"s": True},
    ),
    "mutations in order": ('mutation { a: push(word: "1") fail b: push(word: "2") }', {}),
    "introspection": (
        "{ __schema { queryType { name fields { name type { name kind ofType { name } } } } } __typename }",
        {},
    ),
    "nothing": ('{ cat(name: "nobody") { name } }', {}),
}


@pytest.mark.parametrize("name", CASES)
async def test_results_and_errors_are_equal_when_an_operation_is_compiled(name: str) -> None:
    await assert_equal(*CASES[name])


@pytest.mark.parametrize("name", CASES)
async def test_results_and_errors_are_equal_when_lists_are_made_in_turns(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LISTED_AT_ONCE", 1)
    expected, expected_errors, _ = await run(INTERPRETED, *CASES[name])
    data, errors, _ = await run(COMPILED, *CASES[name])

    assert (data, errors) == (expected, expected_errors)
    assert list(map(repr, _keys(data))) == list(map(repr, _keys(expected)))


async def test_others_have_their_turns_when_an_answer_has_long_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LISTED_AT_ONCE", 1)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    await run(COMPILED, "{ cat { kittens(first: 3) { kittens(first: 3) { name } } } }", {})
    counting.cancel()

    assert turns >= 10


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(document=DocumentStrategies(schema._schema, without=UNSTABLE).documents(4), yes=st.booleans())
async def test_results_and_errors_are_equal_when_documents_are_generated(document: str, yes: bool) -> None:
    try:
        await COMPILED.prepare(OperationRequest(document, None, None, {"yes": yes}), None)
    except BadRequest:
        assume(False)
    await assert_equal(document, {"yes": yes})


async def test_each_combination_of_conditions_is_compiled() -> None:
    meters = CountingMeters()
    which = engine(True, meters)
    flags = [f"v{n}" for n in range(5)]
    query = f"query({' '.join(f'${flag}: Boolean!' for flag in flags)}) {{ " + " ".join(
        f"{flag}: __typename @include(if: ${flag})" for flag in flags
    )
    for number in range(32):
        variables = {flag: bool(number >> n & 1) for n, flag in enumerate(flags)}
        data, errors, _ = await run(which, query + " }", variables)
        assert (set(data), errors) == ({flag for flag in flags if variables[flag]}, [])
    assert meters.fallbacks == []

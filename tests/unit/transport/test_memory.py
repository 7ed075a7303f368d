"""The memory that a process keeps of documents, answers and rows."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import FieldNode, NameNode, Token

from tests.transport.clients import in_process
from tests.transport.toy import World, make_server
from transport import GraphQLServer, Limits, Operation, ServerOptions
from transport.executor import rows
from transport.executor.rows import WrittenRows


def alive(kind: type) -> int:
    gc.collect()
    return sum(type(each) is kind for each in gc.get_objects())


@dataclass(frozen=True)
class Row:
    """A row that never changes."""

    name: str


@strawberry.type
class Thing:
    """A row as clients see it."""

    name: str


@strawberry.type
class Query:
    """Reading."""

    @strawberry.field(graphql_type=Thing)  # type: ignore[untyped-decorator]
    @staticmethod
    def thing() -> Any:
        """A row."""
        return Row("a")


async def test_nothing_is_left_of_a_document_when_every_cache_has_evicted_it() -> None:
    options = ServerOptions(compiled=True, immutable_types=frozenset({Row}))
    server = GraphQLServer(
        strawberry.Schema(Query), lambda _: None, options=options, limits=Limits(documents=4)
    )
    before = alive(Operation)
    async with in_process(server) as client:
        for number in range(40):
            query = f"query($yes: Boolean!) {{ a{number}: thing {{ name @include(if: $yes) }} }}"
            for yes in (True, False):
                sent = {"query": query, "variables": {"yes": yes}}
                assert "errors" not in (await client.post("/", json=sent)).json()
        kept = alive(Operation) - before

    assert 0 < kept <= 2 * 4


@pytest.mark.parametrize("kind", ["valid", "invalid"])
async def test_documents_are_evicted_by_weight_when_they_are_many_and_large(kind: str) -> None:
    server = make_server(World(), limits=Limits(document_cache_bytes=500_000))
    before = alive(FieldNode)
    async with in_process(server) as client:
        for number in range(20):
            name = "hello" if kind == "valid" else f"nothing{number}"
            fields = " ".join(f"a{field}: {name}" for field in range(95))
            answer = await client.post("/", json={"query": f"{{ {fields} }} # {number}"})
            assert ("errors" in answer.json()) is (kind == "invalid")
        kept = alive(FieldNode) - before

    # Some 290 tokens of 400 bytes each make four of them; nothing is needed of a tree that was refused.
    assert kept == (4 * 95 if kind == "valid" else 0)


async def test_no_token_is_left_of_a_valid_document_when_no_garbage_is_collected() -> None:
    server = make_server(World(), limits=Limits())
    query = "{ " + " ".join(f"a{field}: hello" for field in range(50)) + " }"
    async with in_process(server) as client:
        assert "errors" not in (await client.post("/", json={"query": "{ hello }"})).json()
        gc.collect()
        before = Counter(map(type, gc.get_objects()))
        gc.disable()
        try:
            answer = await client.post("/", json={"query": query})
            after = Counter(map(type, gc.get_objects()))
        finally:
            gc.enable()

    assert len(answer.json()["data"]) == 50
    assert after[Token] == before[Token]
    assert after[NameNode] - before[NameNode] == 51, "equal names are one node"


async def test_an_error_still_shows_its_place_when_the_tokens_are_gone() -> None:
    server = make_server(World(), limits=Limits())
    async with in_process(server) as client:
        answer = (await client.post("/", json={"query": "{\n  hello\n  broken: count(fail: true)\n}"})).json()

    assert answer["errors"][0]["locations"] == [{"line": 3, "column": 3}]


def test_rows_are_dropped_when_all_selections_together_keep_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "MOST_VALUES", 10)
    memory = WrittenRows(frozenset({Row}))
    first, second = memory.of_selection(), memory.of_selection()
    for number in range(5):
        memory.keep(first, Row(str(number)), {"name": number})
    memory.keep(second, row := Row("last"), {"name": "last"})

    assert (len(first), list(second)) == (0, [id(row)])


def test_a_deleted_selection_is_not_held_by_its_rows() -> None:
    memory = WrittenRows(frozenset({Row}))
    selection = memory.of_selection()
    row = Row("a")
    memory.keep(selection, row, {"name": "a"})
    gone = weakref.ref(row)
    del selection, row
    gc.collect()

    assert gone() is None

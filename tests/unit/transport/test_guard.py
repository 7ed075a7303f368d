"""Documents and variables made to hurt: each refused by its own code, each in under 50 ms of CPU."""

from __future__ import annotations

import time
from typing import Any

import pytest
from graphql import get_introspection_query

from tests.transport.clients import in_process
from tests.transport.toy import World, make_server
from transport import Limits

CPU_LIMIT_MS = 50
MOST_ROUNDS = 10


def fragments(count: int, body: str, last: str) -> str:
    """Chain fragments: each spreads the next as body says."""
    chain = (f"fragment f{n} on Item {{ {body.replace('NEXT', f'...f{n + 1}')} }}" for n in range(count))
    return " ".join((*chain, f"fragment f{count} on Item {{ {last} }}"))


ITEM = 'item(id: "1")'
HOSTILE = {
    "2,000 aliases": ("{ " + " ".join(f"a{n}: hello" for n in range(2_000)) + " }", "ALIAS_LIMIT"),
    "101 aliases": ("{ " + " ".join(f"a{n}: hello" for n in range(101)) + " }", "ALIAS_LIMIT"),
    "aliases by fragments": (
        f"{{ {ITEM} {{ ...f0 }} }} {fragments(9, 'x: whole { NEXT } y: whole { NEXT }', 'id')}",
        "ALIAS_LIMIT",
    ),
    "100,000 tokens": ("{ " + "a " * 100_000 + "}", "DOCUMENT_TOO_LARGE"),
    "30,000 tokens": ("{ " + "a " * 30_000 + "}", "TOO_MANY_TOKENS"),
    "nesting of 200": ("{ " + ITEM + " { whole " * 200 + "{ id }" + " }" * 201, "DEPTH_LIMIT"),
    "depth of 16": ("{ " + ITEM + " { whole" * 14 + " { id" + " }" * 16, "DEPTH_LIMIT"),
    "depth by fragments": (
        f"{{ {ITEM} {{ ...f0 }} }} {fragments(15, 'whole { NEXT }', 'id')}",
        "DEPTH_LIMIT",
    ),
    "5,000 braces": ("{" * 5_000, "DEPTH_LIMIT"),
    "5,000 brackets": ("{ hello(name: " + "[" * 5_000, "DEPTH_LIMIT"),
    "fragment bomb": (
        f"{{ {ITEM} {{ ...f0 }} }} {fragments(45, 'NEXT NEXT NEXT', 'id')}",
        "REPEATED_FIELDS_LIMIT",
    ),
    "fragment bomb by depth": (
        f"{{ {ITEM} {{ ...f0 }} }} {fragments(12, 'whole { NEXT } parts { NEXT }', 'id')}",
        "REPEATED_FIELDS_LIMIT",
    ),
    "fragment cycle": (
        "{ " + ITEM + " { ...a } } fragment a on Item { ...b } fragment b on Item { ...a }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "60 fragments": (f"{{ {ITEM} {{ ...f0 }} }} {fragments(60, 'id', 'id')}", "FRAGMENT_LIMIT"),
    "50 fragments of 10 operations": (
        " ".join(f"query q{n} {{ {ITEM} {{ ...f0 }} }}" for n in range(10)) + fragments(45, "NEXT", "id"),
        "FRAGMENT_LIMIT",
    ),
    "11 operations": (" ".join(f"query q{n} {{ hello }}" for n in range(11)), "OPERATION_LIMIT"),
    "51 directives": ("{ hello " + " ".join("@skip(if: false)" for _ in range(51)) + " }", "DIRECTIVE_LIMIT"),
    "pairs of fields": ("{ " + "hello " * 1_000 + "}", "REPEATED_FIELDS_LIMIT"),
    "pairs beneath pairs": ("{ " + ITEM + "{ " + "whole { id } " * 200 + "} }", "REPEATED_FIELDS_LIMIT"),
    "pairs of arguments": (
        "{ " + ITEM + "{ " + " ".join(f"parts(first: {n}) {{ id }}" for n in range(120)) + "} }",
        "REPEATED_FIELDS_LIMIT",
    ),
    "lists of lists": ("{ " + ITEM + "{ parts(first: 1000) { parts(first: 1000) { id } } } }", "COST_LIMIT"),
    "a size in an input": ("{ search(input: {pageSize: 100000}) { id } }", "COST_LIMIT"),
    "30,000 comments": ("#\n" * 30_000 + "{ hello }", "GRAPHQL_PARSE_FAILED"),
    "open strings": ("{ hello(name: " + '"\\' * 30_000, "GRAPHQL_PARSE_FAILED"),
    "unknown fields": ("{ " + " ".join(f"f{n}" for n in range(1_400)) + " }", "GRAPHQL_VALIDATION_FAILED"),
    "unknown arguments": (
        "{ hello(" + " ".join(f"a{n}: 1" for n in range(400)) + ") }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "unused variables": (
        "query(" + " ".join(f"$v{n}: Int" for n in range(350)) + ") { hello }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
}


async def refused(query: str, variables: dict[str, Any] | None = None) -> tuple[str, float, World]:
    """Return the code and the CPU milliseconds of the quickest of some cold runs: on a machine that others
    slow down, the first that is quick enough has shown what was to be shown."""
    best = float("inf")
    for _ in range(MOST_ROUNDS):
        if best < CPU_LIMIT_MS:
            break
        world = World()
        async with in_process(make_server(world)) as client:
            body = {"query": query, "variables": variables}
            started = time.process_time()
            response = await client.post("/", json=body)
            best = min(best, (time.process_time() - started) * 1_000)
        assert response.status_code == 400
    return response.json()["errors"][0]["extensions"]["code"], best, world


@pytest.mark.parametrize("name", HOSTILE)
async def test_document_is_refused_in_time_when_it_is_hostile(name: str) -> None:
    query, expected = HOSTILE[name]
    code, cpu_ms, world = await refused(query)
    assert code == expected
    assert cpu_ms < CPU_LIMIT_MS
    assert world.calls == 0


DEEP: dict[str, Any] = {"tags": []}
for _ in range(200):
    DEEP = {"tags": [DEEP]}
BOMBS: dict[str, tuple[dict[str, Any], str]] = {
    "200,000 values": ({"f": {"tags": [""] * 200_000}}, "VARIABLES_TOO_LARGE"),
    "empty lists": ({"f": [[[]] * 50_000]}, "VARIABLES_TOO_LARGE"),
    "200 levels": ({"f": DEEP}, "VARIABLES_TOO_LARGE"),
    "9,000 values of a wrong type": ({"f": {"tags": [{}] * 9_000}}, "BAD_USER_INPUT"),
    "9,000 unknown fields": ({"f": {f"k{n}": 1 for n in range(9_000)}}, "BAD_USER_INPUT"),
    "a size by variable": ({"f": {"pageSize": 2_000_000}}, "COST_LIMIT"),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_variables_are_refused_in_time_when_they_are_hostile(name: str) -> None:
    variables, expected = BOMBS[name]
    code, cpu_ms, _ = await refused("query($f: Filter!) { search(input: $f) { id } }", variables)
    assert code == expected
    assert cpu_ms < CPU_LIMIT_MS


@pytest.mark.parametrize(
    "query",
    [
        "{ " + " ".join(f"a{n}: {ITEM} {{ id name }}" for n in range(100)) + " }",
        "{ " + ITEM + " { whole" * 13 + " { id" + " }" * 15,
        get_introspection_query(),
        f"{{ {ITEM} {{ ...f0 }} }} {fragments(9, 'id name NEXT', 'id')}",
        '{ hello(name: "a: {[(") # : { [ (\n}',
        '{ hello(name: """a "quote" \\""" { """) }',
    ],
)
async def test_document_is_answered_when_it_stays_within_every_limit(query: str) -> None:
    async with in_process(make_server()) as client:
        response = await client.post("/", json={"query": query})
    assert response.status_code == 200
    assert "errors" not in response.json()


async def test_rejection_is_cached_when_the_same_document_is_sent_again() -> None:
    query = "{ " + " ".join(f"f{n}" for n in range(300)) + " }"
    async with in_process(make_server()) as client:
        first = await client.post("/", json={"query": query})
        started = time.process_time()
        again = await client.post("/", json={"query": query})
        cpu_ms = (time.process_time() - started) * 1_000
    assert first.json() == again.json()
    assert cpu_ms < 5


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ hello }", {}, 1),
        ("{ items { id name } }", {}, 1 + 20 * 2),
        ("{ items(first: 3) { id } }", {}, 1 + 3),
        ("query($n: Int = 4) { items(first: $n) { id } }", {}, 1 + 4),
        ("query($n: Int = 4) { items(first: $n) { id } }", {"n": 6}, 1 + 6),
        ("query($f: Filter!) { search(input: $f) { id } }", {"f": {"pageSize": 9}}, 1 + 9),
        ("query($f: Filter!) { search(input: $f) { id } }", {"f": {}}, 1 + 20),
        (f"{{ {ITEM} {{ parts(first: 5) {{ parts(first: 5) {{ id }} }} }} }}", {}, 1 + 1 + 5 * (1 + 5)),
        (f"{{ {ITEM} {{ ...f }} }} fragment f on Item {{ id whole {{ id }} }}", {}, 1 + 1 + 1 + 1),
    ],
)
async def test_cost_counts_fields_by_list_size_when_an_operation_is_priced(
    query: str, variables: dict[str, Any], cost: int
) -> None:
    async with in_process(make_server()) as client:
        body = {"query": query, "variables": variables}
        response = await client.post("/", json=body, headers={"x-graphql-cost": "1"})
    received = response.json()["extensions"]["cost"]
    assert (received["requested"], received["limit"]) == (cost, Limits().cost)

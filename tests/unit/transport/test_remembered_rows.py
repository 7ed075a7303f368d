"""Rows that never change: their attributes are written once, everything else for every answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import strawberry

from tests.transport.clients import in_process
from transport import GraphQLServer, ServerOptions


@dataclass(frozen=True)
class Row:
    """A row that counts how often its name is read."""

    key: str
    reads: list[int] = field(default_factory=list)
    missing: str | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        self.reads.append(1)
        return f"row {self.key}"


@dataclass
class Table:
    """What the query reads; `asked` counts its resolvers."""

    rows: list[Row]
    asked: int = 0


@strawberry.type
class Thing:
    """A row as clients see it."""

    name: str
    missing: str | None

    @strawberry.field
    @staticmethod
    def times(info: strawberry.Info[Table, None]) -> int:
        """How often this was resolved."""
        info.context.asked += 1
        return info.context.asked

    @strawberry.field
    @staticmethod
    def of(root: strawberry.Parent[Row]) -> str:
        """The row that is asked."""
        return root.key

    strict: str = strawberry.field(default="")


@strawberry.type
class Query:
    """Reading."""

    @strawberry.field(graphql_type=list[Thing])  # type: ignore[untyped-decorator]
    @staticmethod
    def things(info: strawberry.Info[Table, None]) -> Any:
        """Every row."""
        return info.context.rows


async def answers(table: Table, query: str, number: int, immutable: frozenset[type]) -> list[Any]:
    options = ServerOptions(compiled=True, immutable_types=immutable)
    server = GraphQLServer(strawberry.Schema(Query), lambda _: table, options=options)
    async with in_process(server) as client:
        return [(await client.post("/", json={"query": query})).json() for _ in range(number)]


ALL = "{ things { of missing name times } }"


async def test_attributes_are_read_once_and_resolvers_run_every_time_when_rows_never_change() -> None:
    table = Table([Row("a"), Row("b")])

    given = await answers(table, ALL, 3, frozenset({Row}))

    assert given[2]["data"]["things"] == [
        {"of": "a", "missing": None, "name": "row a", "times": 5},
        {"of": "b", "missing": None, "name": "row b", "times": 6},
    ]
    assert list(given[2]["data"]["things"][0]) == ["of", "missing", "name", "times"]
    assert [len(row.reads) for row in table.rows] == [1, 1]


async def test_attributes_are_read_every_time_when_their_type_is_not_immutable() -> None:
    table = Table([Row("a")])

    await answers(table, ALL, 3, frozenset())

    assert len(table.rows[0].reads) == 3


async def test_another_row_is_written_anew_when_it_replaces_one() -> None:
    table = Table([Row("a")])
    options = ServerOptions(compiled=True, immutable_types=frozenset({Row}))
    server = GraphQLServer(strawberry.Schema(Query), lambda _: table, options=options)
    names = []
    async with in_process(server) as client:
        for number in range(3_000):
            table.rows = [Row(str(number))]
            if number % 300 == 0:
                answer = (await client.post("/", json={"query": ALL})).json()
                names.append(answer["data"]["things"][0]["name"])

    assert names == [f"row {number}" for number in range(0, 3_000, 300)]


async def test_errors_are_reported_every_time_when_a_row_has_some() -> None:
    table = Table([Row("a")])

    given = await answers(table, "{ things { name strict } }", 2, frozenset({Row}))

    assert given[0]["data"] is None and given[1]["data"] is None
    assert len(given[0]["errors"]) == len(given[1]["errors"]) == 1
    assert given[1]["errors"][0]["path"] == ["things", 0, "strict"]

"""How many statements a page takes: a constant number, whatever its size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest
from graphql import graphql

from db.session import Connection, Database
from devservices.valkey import Valkey
from kit.clock import utc_now
from reservations.connection import batcher, connect
from reservations.store import SeatStore
from resolvers.context import Context, Services
from schema.schema import schema
from services.layouts import LayoutCache
from services.truth import truth_loader
from tests.houses import office_on, open_event

PAGE = """
query ($first: Int!) {
  events(first: $first) {
    totalCount
    edges {
      node {
        id name status timezone
        venue { id name city }
        performers { id name genres }
        priceFrom { amount currency } priceTo { amount currency }
        availability { total available sections { name available } }
        seatMap { version seatCount priceLevels { name price { amount } } }
        waitingRoom { phase }
      }
    }
  }
}
"""


class CountingDatabase(Database):
    """A database that remembers the statements sent to it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.statements: list[str] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """See `Database.connection`."""
        async with super().connection() as connection:
            connection.add_query_logger(self._note)
            yield connection
            connection.remove_query_logger(self._note)

    def _note(self, record: asyncpg.connection.LoggedQuery) -> None:
        # asyncpg looks types up once a connection.
        if "typeinfo" not in record.query and "'jit'" not in record.query:
            self.statements.append(record.query)


@pytest.fixture(scope="module")
async def database(module_postgres_url: str) -> AsyncIterator[CountingDatabase]:
    database = CountingDatabase(module_postgres_url)
    for _ in range(50):
        await open_event(database, rows=[4], standing=10)
    yield database
    await database.close()


async def page(database: CountingDatabase, redis_url: str, first: int) -> list[str]:
    """The statements of one page of events in a process that has just started."""
    client = connect(redis_url, 4)
    layouts = LayoutCache(database)
    async with office_on("postgresql://nowhere", redis_url, None, utc_now) as base:  # type: ignore[arg-type]
        seats = SeatStore(batcher(client), truth_loader(database, layouts))
        office = replace(base, database=database, seats=seats, layouts=layouts)
        context = Context(Services(office, None, None, None), None)  # type: ignore[arg-type]
        database.statements.clear()
        answer = await graphql(schema._schema, PAGE, variable_values={"first": first}, context_value=context)
    await client.aclose()
    assert answer.errors is None, answer.errors
    assert answer.data is not None
    assert len(answer.data["events"]["edges"]) == first
    assert answer.data["events"]["edges"][0]["node"]["availability"]["available"] == 14
    return list(database.statements)


async def test_a_page_takes_the_same_statements_whatever_its_size(
    database: CountingDatabase, redis_server: Valkey
) -> None:
    small = await page(database, redis_server.url(), 2)
    large = await page(database, redis_server.url(), 50)

    assert len(large) == len(small), large
    assert len(large) <= 7, large

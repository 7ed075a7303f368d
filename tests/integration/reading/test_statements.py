"""How many statements a page takes: a constant number, whatever its size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import asyncpg
import pytest
from graphql import graphql

from db.session import Connection, Database
from devservices.valkey import Valkey
from domain.ids import Kind, public_id
from domain.viewer import Viewer
from kit.clock import utc_now
from payments.gateway import PaymentGateway
from reservations.connection import batcher, connect
from reservations.store import SeatStore
from resolvers.context import RequestContext, Services
from schema.schema import schema
from services.caches import LayoutCache, SaleCache
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.seat_rebuild import seat_source_loader
from services.ordering.selection import ExactSeats
from tests.events import ORGANISER, buyer, open_event, service_context_on

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


ORDERS = """
query ($first: Int!) {
  me {
    orders(first: $first) {
      totalCount
      edges {
        node {
          id reference status total { amount }
          event { id name venue { name } performers { name } }
          tickets { id status price { amount } section { name } seat { row number } }
          payment { status }
        }
      }
    }
  }
}
"""


EVENT_ORDERS = """
query ($first: Int!) {
  event(id: "ID") {
    orders(first: $first, search: "example") {
      totalCount
      edges {
        node {
          id updatedAt buyer { name email } lines { kind amount { amount } } refunded { amount }
          refunds { id tickets { id } } tickets { id status order { id } event { id } } payment { status }
        }
      }
    }
  }
}
"""


class CountingDatabase(Database):
    """A database that remembers the statements sent to it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url
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


async def statements_of(
    database: CountingDatabase, redis_url: str, query: str, first: int, viewer: Viewer | None = None
) -> tuple[list[str], dict[str, Any]]:
    """The statements of one query in a process that has just started, and its data."""
    client = connect(redis_url, 4)
    layouts = LayoutCache(database)
    async with service_context_on(
        "postgresql://nowhere", redis_url, cast("PaymentGateway", None), utc_now
    ) as base:
        seats = SeatStore(batcher(client), seat_source_loader(database, layouts))
        context = replace(base, database=database, seats=seats, layouts=layouts, sales=SaleCache(database))
        unused: Any = None
        request = RequestContext(Services(context, unused, unused, unused, unused), viewer)
        database.statements.clear()
        answer = await graphql(schema._schema, query, variable_values={"first": first}, context_value=request)
    await client.aclose()
    assert answer.errors is None, answer.errors
    assert answer.data is not None
    return list(database.statements), answer.data


async def test_a_page_of_events_takes_the_same_statements_whatever_its_size(
    database: CountingDatabase, redis_server: Valkey
) -> None:
    small, few = await statements_of(database, redis_server.url(), PAGE, 2)
    large, many = await statements_of(database, redis_server.url(), PAGE, 50)

    assert (len(few["events"]["edges"]), len(many["events"]["edges"])) == (2, 50)
    assert many["events"]["edges"][0]["node"]["availability"]["available"] == 14
    assert len(large) == len(small), large
    assert len(large) <= 7, large


async def test_a_page_of_orders_takes_the_same_statements_whatever_its_size(
    database: CountingDatabase, redis_server: Valkey, redis_url: str
) -> None:
    ann = buyer("ann")
    async with service_context_on(database.url, redis_url, cast("PaymentGateway", None), utc_now) as context:
        for _ in range(6):
            event_id = await open_event(database, rows=[4])
            await reserve(context, ann, ReserveRequest(event_id, ExactSeats((0, 1))))

    small, few = await statements_of(database, redis_server.url(), ORDERS, 1, ann)
    large, many = await statements_of(database, redis_server.url(), ORDERS, 6, ann)

    assert (len(few["me"]["orders"]["edges"]), len(many["me"]["orders"]["edges"])) == (1, 6)
    assert all(len(edge["node"]["tickets"]) == 2 for edge in many["me"]["orders"]["edges"])
    assert len(large) == len(small), large


async def test_a_page_of_an_events_orders_takes_the_same_statements_whatever_its_size(
    database: CountingDatabase, redis_server: Valkey, redis_url: str
) -> None:
    event_id = await open_event(database, rows=[8])
    async with service_context_on(database.url, redis_url, cast("PaymentGateway", None), utc_now) as context:
        for place in range(6):
            request = ReserveRequest(event_id, ExactSeats((place,)))
            await reserve(context, buyer(f"buyer {place}"), request)
    query = EVENT_ORDERS.replace("ID", public_id(Kind.EVENT, event_id), 1)

    small, few = await statements_of(database, redis_server.url(), query, 1, ORGANISER)
    large, many = await statements_of(database, redis_server.url(), query, 6, ORGANISER)

    assert (len(few["event"]["orders"]["edges"]), len(many["event"]["orders"]["edges"])) == (1, 6)
    assert {edge["node"]["buyer"]["email"] for edge in many["event"]["orders"]["edges"]} == {
        f"buyer {place}@example.org" for place in range(6)
    }
    assert len(large) == len(small), large
    assert len(large) <= 8, large

"""SQL and the table of transitions must not differ: each statement runs on an order in every state."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from db.queries.orders import (
    end_lapsed_on_places,
    expire_orders,
    extend_order,
    place_orders,
    set_order_state,
)
from db.queries.refunds import refund_whole_orders
from db.session import Connection, Database
from domain.states import ORDER_TRANSITIONS, OrderState
from kit.clock import utc_now
from kit.ids import new_uuid
from tests.events import open_event
from tests.orders import order_over

DB = Path(__file__).parents[3] / "db"
Statement = Callable[[Connection, UUID, UUID, datetime], Awaitable[object]]


async def expire(connection: Connection, _event: UUID, _order: UUID, now: datetime) -> None:
    await expire_orders(connection, now, 10)


async def end_lapsed(connection: Connection, event: UUID, _order: UUID, now: datetime) -> None:
    await end_lapsed_on_places(connection, event, [0], now)


async def extend(connection: Connection, _event: UUID, order: UUID, now: datetime) -> None:
    await extend_order(connection, order, now + timedelta(minutes=10), now)


async def refund(connection: Connection, _event: UUID, order: UUID, now: datetime) -> None:
    await refund_whole_orders(connection, {order: new_uuid()}, "event cancelled", now, timedelta(seconds=1))


# The statements whose states are written in their text, what they leave and what they set.
STATEMENTS: dict[str, tuple[Statement, OrderState, OrderState]] = {
    "expire_orders.sql": (expire, OrderState.RESERVED, OrderState.EXPIRED),
    "end_lapsed_on_places.sql": (end_lapsed, OrderState.RESERVED, OrderState.EXPIRED),
    "orders.py": (extend, OrderState.RESERVED, OrderState.PAYING),
    "refund_orders.sql": (refund, OrderState.BOOKED, OrderState.REFUNDED),
}


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    yield database
    await database.close()


async def order_in(database: Database, state: str) -> tuple[UUID, UUID]:
    """An event, and an order in a state, past its deadline, that holds place 0."""
    event_id = await open_event(database, rows=[2])
    order = order_over(event_id, [0])
    await place_orders(database, [order])
    await database.fetch("UPDATE orders SET state = $2 WHERE id = $1", order.row.id, state)
    return event_id, order.row.id


async def state_of(database: Database, order_id: UUID) -> str:
    return str(await database.fetchval("SELECT state FROM orders WHERE id = $1", order_id))


def writers_of_a_state() -> list[str]:
    """The files with an UPDATE that sets an order's state to a literal, once for each."""
    files = sorted([*DB.glob("queries/*.py"), *DB.glob("sql/*.sql")])
    return [file.name for file in files for _ in re.findall(r"UPDATE orders SET state = '", file.read_text())]


def test_every_statement_that_sets_an_order_s_state_is_tested_here() -> None:
    assert sorted(writers_of_a_state()) == sorted(STATEMENTS)


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("name", STATEMENTS)
async def test_statement_makes_no_transition_that_the_table_lacks(
    database: Database, name: str, state: OrderState
) -> None:
    statement, _, becomes = STATEMENTS[name]
    event_id, order_id = await order_in(database, state)

    async with database.transaction() as connection:
        await statement(connection, event_id, order_id, utc_now())

    after = await state_of(database, order_id)
    assert after in (state, becomes)
    assert after == state or after in ORDER_TRANSITIONS[state]


@pytest.mark.parametrize("name", STATEMENTS)
async def test_statement_sets_its_state_on_an_order_in_the_state_that_it_leaves(
    database: Database, name: str
) -> None:
    statement, leaves, becomes = STATEMENTS[name]
    event_id, order_id = await order_in(database, leaves)

    async with database.transaction() as connection:
        await statement(connection, event_id, order_id, utc_now())

    assert await state_of(database, order_id) == becomes


@pytest.mark.parametrize("before", OrderState)
@pytest.mark.parametrize("after", OrderState)
async def test_set_order_state_refuses_exactly_the_transitions_that_the_table_lacks(
    database: Database, before: OrderState, after: OrderState
) -> None:
    _, order_id = await order_in(database, before)
    is_in_table = after in ORDER_TRANSITIONS[before]

    async with database.transaction() as connection:
        try:
            changed = await set_order_state(connection, order_id, after, leaving=[before], now=utc_now())
        except ValueError:
            changed = False

    assert changed == is_in_table
    assert await state_of(database, order_id) == (after if is_in_table else before)

"""What buyers and organisers read costs the same, however many orders and past events there are."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from db.queries import event_orders, events, orders, places, upcoming_events
from db.queries.claims import live_claims
from db.queries.doctor import examine_page
from db.queries.event_orders import EventOrders
from db.queries.pages import TimePage
from db.queries.upcoming_events import EventConditions, EventOrder
from db.session import Connection, Database
from kit.clock import utc_now

NOW = utc_now()
PAGE = TimePage(21)
# Six thousand events, two of three of them over; one began long ago and goes on, and has 4,000 orders with
# two claims each. 199 others have 200 orders.
_FILL = """
INSERT INTO users (id, subject)
SELECT md5('user' || n)::uuid, 'user ' || n FROM generate_series(1, 4000) AS n;
INSERT INTO venues (id, name, city, timezone)
SELECT md5('venue' || n)::uuid, 'Hall ' || n, 'City ' || n % 40, 'UTC' FROM generate_series(1, 2000) AS n;
INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)
SELECT 'v' || n, md5('event' || n)::uuid, '{}', 0, 10000
FROM generate_series(1, 6000) AS n;
INSERT INTO events (
  id, venue_id, organiser_id, seat_map_version, name, state, max_tickets_per_order, orphan_rule, starts_at,
  created_at, category
)
SELECT md5('event' || n)::uuid, md5('venue' || (n % 2000 + 1))::uuid, md5('user' || (n % 100 + 1))::uuid,
  'v' || n, 'Concert', 'PUBLISHED', 10, false,
  now() + (CASE WHEN n % 3 = 0 THEN 1 ELSE -1 END) * n * interval '1 hour',
  now() - n * interval '1 minute', 'Rock'
FROM generate_series(1, 6000) AS n;
UPDATE events SET starts_at = now() - interval '90 days', ends_at = now() + interval '90 days'
WHERE id = md5('event1')::uuid;
INSERT INTO orders (
  id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor, expires_at,
  created_at
)
SELECT md5('order' || n)::uuid, 'R' || n,
  md5('event' || CASE WHEN n % 11 = 0 THEN 1 ELSE n % 200 + 1 END)::uuid,
  md5('user' || (n % 4000 + 1))::uuid, CASE WHEN n % 10 = 0 THEN 'EXPIRED' ELSE 'BOOKED' END, 'USD', 0, 0, 0,
  now(), now() - n * interval '1 minute'
FROM generate_series(1, 44000) AS n;
INSERT INTO claims (event_id, place, order_id, state, price_minor, fee_minor)
SELECT event_id, row_number() OVER (PARTITION BY event_id) - 1, id,
  CASE state WHEN 'BOOKED' THEN 'BOOKED' ELSE 'ENDED' END, 0, 0
FROM orders CROSS JOIN generate_series(0, 1) AS each;
"""


class Explaining:
    """A database that counts the rows which its statements read, and those read in the table itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows = 0
        self.from_tables = 0

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """The rows; what the scans of the plan read is counted."""
        explained = await self._connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)
        plans = json.loads(explained) if isinstance(explained, str) else explained
        for each in plans:
            self.rows += _rows_read(each["Plan"])
            self.from_tables += _rows_read(each["Plan"], index_only=False)
        rows: list[Any] = await self._connection.fetch(statement, *arguments)
        return rows

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """The first value."""
        return (await self.fetch(statement, *arguments))[0][0]

    async def fetchrow(self, statement: str, *arguments: Any) -> Any:
        """The first row."""
        return (await self.fetch(statement, *arguments))[0]


def _rows_read(plan: dict[str, Any], *, index_only: bool = True) -> int:
    own = 0
    if "Relation Name" in plan and (index_only or plan["Node Type"] != "Index Only Scan"):
        removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        own = round((plan["Actual Rows"] + removed) * plan["Actual Loops"])
    return own + sum(_rows_read(each, index_only=index_only) for each in plan.get("Plans", ()))


@pytest.fixture(scope="module")
async def connection(module_postgres_url: str) -> AsyncIterator[Connection]:
    """A connection to tables in which a scan would be seen."""
    database = Database(module_postgres_url)
    try:
        async with database.connection() as connection:
            await connection.execute("SET statement_timeout = 0")
            await connection.execute(_FILL, timeout=60)
            await connection.execute("VACUUM ANALYZE", timeout=60)
            yield connection
    finally:
        await database.close()


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
async def reading(connection: Connection, request: pytest.FixtureRequest) -> Explaining:
    await connection.execute(f"SET plan_cache_mode = {request.param}")
    return Explaining(connection)


async def _id(connection: Connection, name: str) -> UUID:
    key: UUID = await connection.fetchval("SELECT md5($1)::uuid", name)
    return key


async def _upcoming(source: Explaining, wanted: EventConditions, order: EventOrder) -> Sequence[Any]:
    return await upcoming_events.upcoming_events(cast("Database", source), wanted, order, PAGE, NOW)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EventConditions(), 21),
        (EventConditions(city="city 5"), 21),
        (EventConditions(city="Nowhere"), 0),
        (EventConditions(category="Nothing"), 0),
        (EventConditions(category="ROCK"), 21),
        (EventConditions(starts_from=NOW + timedelta(days=30)), 21),
    ],
)
async def test_a_page_of_events_reads_about_as_many_rows_as_it_has(
    reading: Explaining, wanted: EventConditions, found: int
) -> None:
    for order in (EventOrder.STARTS_AT_ASC, EventOrder.STARTS_AT_DESC):
        reading.rows = 0

        assert len(await _upcoming(reading, wanted, order)) == found

        assert reading.rows <= 200, order


async def test_upcoming_events_are_counted_from_the_index_alone(
    reading: Explaining, connection: Connection
) -> None:
    ahead = "SELECT count(*) FROM events WHERE coalesce(ends_at, starts_at + interval '6 hours') > $1"

    counted = await upcoming_events.count_upcoming_events(cast("Database", reading), EventConditions(), NOW)

    assert counted == await connection.fetchval(ahead, NOW) > 2_000
    assert reading.from_tables <= 10


async def test_an_events_orders_are_counted_from_the_index_alone(
    reading: Explaining, connection: Connection
) -> None:
    wanted = EventOrders(await _id(connection, "event1"), None, NOW, None)

    assert await event_orders.count_orders_of_event(cast("Database", reading), wanted) == 4_200

    assert reading.from_tables == 0


async def test_an_event_that_began_long_ago_and_goes_on_comes_first(
    reading: Explaining, connection: Connection
) -> None:
    page = await _upcoming(reading, EventConditions(), EventOrder.STARTS_AT_ASC)

    assert page[0].id == await _id(connection, "event1")
    assert [row.starts_at for row in page] == sorted(row.starts_at for row in page)
    assert all((row.ends_at or row.starts_at + timedelta(hours=6)) > NOW for row in page)


@pytest.mark.parametrize("status", [None, "BOOKED", "RESERVED", "EXPIRED"])
async def test_a_page_of_an_events_orders_reads_about_as_many_rows_as_it_has(
    reading: Explaining, connection: Connection, status: str | None
) -> None:
    wanted = EventOrders(await _id(connection, "event1"), status, NOW, None)

    page = await event_orders.orders_of_event(cast("Database", reading), wanted, PAGE)

    assert len(page) == (0 if status == "RESERVED" else 21)
    assert page == sorted(page, key=lambda row: (row.created_at, row.id), reverse=True)
    assert reading.rows <= 200


async def test_a_batch_of_a_cancelled_events_orders_reads_no_others(
    reading: Explaining, connection: Connection
) -> None:
    event_id = await _id(connection, "event1")

    assert len(await orders.live_orders_of_event(cast("Database", reading), event_id, 200)) == 200

    assert reading.rows <= 200


async def test_the_live_claims_of_an_event_read_its_own_orders_alone(
    reading: Explaining, connection: Connection
) -> None:
    event_id = await _id(connection, "event1")
    own = await connection.fetchval("SELECT count(*) FROM orders WHERE event_id = $1", event_id)

    claims = await live_claims(cast("Database", reading), [event_id])

    assert len(claims) == 7_200 == len({claim.place for claim in claims})
    assert own < 5_000 and reading.rows <= len(claims) + own


async def test_places_are_counted_from_the_index_alone(reading: Explaining, connection: Connection) -> None:
    event_ids = [await _id(connection, f"event{number}") for number in range(1, 21)]
    live = "SELECT count(*) FROM claims WHERE event_id = ANY ($1) AND state <> 'ENDED'"
    taken = await connection.fetchval(live, event_ids)

    found = await places.places_of_events(cast("Database", reading), event_ids, NOW)

    assert sum(each.count(b"B") for each in found.values()) == taken
    assert reading.rows <= taken + 2 * len(event_ids)


async def test_a_page_of_an_organisers_events_and_of_a_buyers_orders_reads_only_these(
    reading: Explaining, connection: Connection
) -> None:
    source, user = cast("Database", reading), await _id(connection, "user7")

    assert len(await events.events_of_organiser(source, user, PAGE)) == 21
    assert len(await orders.orders_of_user(source, user, PAGE)) == 11

    assert reading.rows <= 100


async def test_the_doctor_reads_a_page_of_orders_with_their_claims_and_no_others(
    reading: Explaining, connection: Connection
) -> None:
    page, after, number = None, UUID(int=0), 0
    for _ in range(3):
        reading.rows = 0
        page = await examine_page(cast("Database", reading), after, 1_000, NOW)
        assert page is not None
        after, number = page.last, number + page.number
        assert reading.rows <= 1_000 + 2_000 + 100

    assert number == 3_000
    assert page is not None and page.suspects == page.without_payment == ()


async def test_control_many_rows_are_read_when_the_indexes_are_gone(connection: Connection) -> None:
    reading, event_id = Explaining(connection), await _id(connection, "event1")
    source = cast("Database", reading)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(
            "DROP INDEX orders_by_event_and_state, events_by_category, venues_by_city, claims_live"
        )
        for read, least in (
            (lambda: _upcoming(reading, EventConditions(city="Nowhere"), EventOrder.STARTS_AT_ASC), 2_000),
            (lambda: _upcoming(reading, EventConditions(category="No"), EventOrder.STARTS_AT_ASC), 2_000),
            (
                lambda: event_orders.orders_of_event(source, EventOrders(event_id, None, NOW, None), PAGE),
                44_000,
            ),
            (lambda: places.places_of_events(source, [event_id], NOW), 80_000),
        ):
            reading.rows = 0
            await read()
            assert reading.rows >= least
    finally:
        await transaction.rollback()

"""A database as it is after years of sales: 100,000 events, 3 million orders, 6 million claims, by COPY."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

import orjson

from db.session import Connection, Database
from domain.ids import user_id_of
from domain.layout import PriceLevel, SeatMap, Section, SectionKind
from domain.layout_document import make_seat_map, to_document
from domain.money import Money

_CHUNK = 50_000
_PRICE = 5_000
_SMALL_PLACES = 100
_PAST_SHARE = 0.6
_EVENTS_OF_ORGANISER = 100
_FIRST_MS = 0x0190_0000_0000
_RESTORED = ("orders", "claims", "payments", "events", "seat_maps", "price_levels")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much to write. The first three events are large houses with their share of the orders."""

    events: int = 100_000
    orders: int = 3_000_000

    @property
    def houses(self) -> tuple[tuple[int, int], ...]:
        """Places and orders of the large houses: a park, an arena, and a hall to be cancelled."""
        share = min(self.orders / 3_000_000, 1.0)
        return tuple((int(places * share), int(orders * share)) for places, orders in _HOUSES)

    @property
    def users(self) -> int:
        """Buyers, with ten orders each."""
        return max(self.orders // 10, 1)


_HOUSES = ((200_000, 60_000), (60_000, 30_000), (120_000, 50_000))


def row_id(kind: int, number: int) -> UUID:
    """The id of a row: as long as a UUIDv7, in the order of the numbers, the same every time."""
    return UUID(int=(_FIRST_MS + number) << 80 | 7 << 76 | 2 << 62 | kind << 48 | number)


EVENT, ORDER, VENUE, PAYMENT = range(1, 5)


@cache
def user_id(number: int) -> UUID:
    """The id of a user, who signs in as `subject_of`."""
    return user_id_of(subject_of(number))


def subject_of(number: int) -> str:
    """The `sub` of a user's tokens."""
    return f"large-{number}"


async def fill(database: Database, sizes: Sizes) -> None:
    """Write everything into an empty, migrated database; indexes and foreign keys are made at the end."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    async with database.connection() as connection:
        await connection.execute(
            "SET statement_timeout = 0; SET lock_timeout = 0; SET maintenance_work_mem = '512MB'"
        )
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=b"\x01".__add__, decoder=bytes, format="binary"
        )
        restore = await _without_indexes(connection)
        for table, columns, rows in _tables(sizes, now):
            await _copy(connection, table, columns.split(), rows)
        for statement in restore:
            await connection.execute(statement, timeout=1_800)
        await connection.execute("DELETE FROM search_outbox")
        await connection.execute("VACUUM ANALYZE", timeout=1_800)


async def _without_indexes(connection: Connection) -> list[str]:
    """Drop what would be maintained row by row; return the statements that bring it back."""
    wanted = list(_RESTORED)
    keys = await connection.fetch(
        "SELECT conname, conrelid::regclass::text AS name, pg_get_constraintdef(oid) AS definition"
        " FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY ($1)",
        wanted,
    )
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        " AND tablename = ANY ($1) AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        wanted,
    )
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['name']} DROP CONSTRAINT {key['conname']}")
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    back = [f"ALTER TABLE {key['name']} ADD CONSTRAINT {key['conname']} {key['definition']}" for key in keys]
    return [index["indexdef"] for index in indexes] + back


async def _copy(
    connection: Connection, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    left, done = iter(rows), 0
    while chunk := list(islice(left, _CHUNK)):
        await connection.copy_records_to_table(table, columns=columns, records=chunk, timeout=600)
        done += len(chunk)
    print(f"{done:>10,} {table}", flush=True)


def _tables(sizes: Sizes, now: datetime) -> Iterator[tuple[str, str, Iterable[tuple[Any, ...]]]]:
    yield "users", "id subject email name", _users(sizes)
    yield "venues", "id name city timezone", _venues()
    yield "seat_maps", "version event_id layout seat_count place_count", _seat_maps(sizes)
    columns = "id organiser_id name state category starts_at venue_id seat_map_version price_from price_to"
    yield "events", f"{columns} currency max_tickets_per_order created_at", _events(sizes, now)
    columns = "event_id number name price_minor fee_minor currency"
    yield (
        "price_levels",
        columns,
        ((row_id(EVENT, n), 1, "All", _PRICE, 0, "USD") for n in range(sizes.events)),
    )
    columns = "id reference event_id user_id state currency subtotal_minor fees_minor total_minor expires_at"
    yield "orders", f"{columns} booked_at created_at updated_at person_key", _orders(sizes, now)
    yield "claims", "event_id place order_id state price_level price_minor fee_minor", _claims(sizes)
    columns = "id order_id intent_id state amount_minor currency captured_minor"
    yield "payments", f"{columns} created_at updated_at check_at", _payments(sizes, now)


def _users(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    for number in range(sizes.users):
        yield user_id(number), subject_of(number), f"buyer{number}@example.com", f"Buyer {number}"


def _venues() -> Iterator[tuple[Any, ...]]:
    for number in range(2_000):
        yield row_id(VENUE, number), f"Hall {number}", f"City {number % 300}", "Asia/Seoul"


def _places(sizes: Sizes, number: int) -> int:
    return sizes.houses[number][0] if number < len(sizes.houses) else _SMALL_PLACES


def seat_map_of(sizes: Sizes, number: int) -> SeatMap:
    """One standing section; who sits where changes nothing that is measured here."""
    level = PriceLevel(1, "All", None, Money(_PRICE, "USD"), Money(0, "USD"))
    section = Section(1, "Floor", SectionKind.GENERAL_ADMISSION, 0, _places(sizes, number), 1, ())
    return make_seat_map(row_id(EVENT, number), 0, 0, (level,), (section,), ())


def _seat_maps(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    for number in range(sizes.events):
        seat_map, places = seat_map_of(sizes, number), _places(sizes, number)
        yield seat_map.version, seat_map.event_id, orjson.dumps(to_document(seat_map)), 0, places


def _events(sizes: Sizes, now: datetime) -> Iterator[tuple[Any, ...]]:
    chosen = random.Random(20)
    for number in range(sizes.events):
        large = number < len(sizes.houses)
        past = not large and chosen.random() < _PAST_SHARE
        hours = chosen.randrange(1, 24 * 700)
        starts = now + timedelta(hours=-hours - 12 if past else hours + 24)
        yield (
            row_id(EVENT, number),
            user_id(number // _EVENTS_OF_ORGANISER % sizes.users),
            f"Night {number}",
            "PUBLISHED",
            chosen.choice(("Rock", "Jazz", "Pop", None)),
            starts,
            row_id(VENUE, chosen.randrange(2_000)),
            seat_map_of(sizes, number).version,
            _PRICE,
            _PRICE,
            "USD",
            8,
            now - timedelta(days=800) + timedelta(minutes=number),
        )


def _sales(sizes: Sizes) -> Iterator[tuple[int, int, int, bool]]:
    """Number, event, first place and whether it is booked, of each order: events take turns, as in time."""
    large = [(event, turn) for event, (_, orders) in enumerate(sizes.houses) for turn in range(orders)]
    random.Random(21).shuffle(large)
    small, first = sizes.events - len(sizes.houses), len(sizes.houses)
    others = sizes.orders - len(large)
    every = max(others // max(len(large), 1), 1)
    number = 0
    for other in range(others):
        if other % every == 0 and large:
            event, turn = large.pop()
            yield number, event, 2 * turn, True
            number += 1
        turn = other // small
        yield number, first + other % small, 2 * turn % _SMALL_PLACES, turn % 10 != 9
        number += 1
    for event, turn in large:
        yield number, event, 2 * turn, True
        number += 1


def _orders(sizes: Sizes, now: datetime) -> Iterator[tuple[Any, ...]]:
    chosen = random.Random(22)
    for number, event, _, booked in _sales(sizes):
        user = user_id(chosen.randrange(sizes.users))
        at = now - timedelta(seconds=15 * (sizes.orders - number) + 900)
        state, booked_at = ("BOOKED", at) if booked else ("EXPIRED", None)
        identity = (row_id(ORDER, number), f"L{number:011}", row_id(EVENT, event), user, state, "USD")
        yield *identity, 2 * _PRICE, 0, 2 * _PRICE, at + timedelta(minutes=10), booked_at, at, at, user


def _claims(sizes: Sizes) -> Iterator[tuple[Any, ...]]:
    for number, event, place, booked in _sales(sizes):
        event_id, order_id, state = (
            row_id(EVENT, event),
            row_id(ORDER, number),
            "BOOKED" if booked else "ENDED",
        )
        for each in (place, place + 1):
            yield event_id, each, order_id, state, 1, _PRICE, 0


def _payments(sizes: Sizes, now: datetime) -> Iterator[tuple[Any, ...]]:
    for number, _, _, booked in _sales(sizes):
        if booked:
            at = now - timedelta(seconds=15 * (sizes.orders - number) + 890)
            order_id, total = row_id(ORDER, number), 2 * _PRICE
            identity = row_id(PAYMENT, number), order_id, f"pi_large_{number}"
            yield *identity, "CAPTURED", total, "USD", total, at, at, at

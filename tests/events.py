"""Events on sale for the tests, inserted into the database, and a ServiceContext on real parts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from db.session import Database
from domain.errors import Forbidden
from domain.ids import user_id_of
from domain.layout import SeatMap
from domain.layout_document import to_document
from domain.money import Money
from domain.seating import GeneralAdmission, PriceInput, build_seat_map
from domain.seating_plan import Category, Plan, PlanRow, PlanSeat, Zone
from domain.ticket_keys import TicketKeys
from domain.viewer import Viewer
from kit.clock import Clock, utc_now
from kit.ids import new_uuid
from kit.seeds import new_seed
from payments.gateway import PaymentGateway
from reservations.connection import batcher, connect
from reservations.store import SeatStore
from services.caches import LayoutCache, SaleCache
from services.context import ServiceContext
from services.ordering.order_writer import OrderWriter
from services.ordering.seat_rebuild import seat_source_loader

USD = "USD"


def buyer(name: str, *scopes: str) -> Viewer:
    """A signed-in person, with scope buy by default."""
    subject = f"test|{name}"
    return Viewer(user_id_of(subject), subject, f"{name}@example.org", name, frozenset(scopes or {"buy"}))


ORGANISER = buyer("organiser", "buy", "organise")


class ManualClock:
    """A clock that a test moves forward."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.offset

    def advance(self, **amount: float) -> None:
        """E.g. advance(seconds=5)."""
        self.offset += timedelta(**amount)


@dataclass(slots=True)
class RecordingPublisher:
    """A publisher that records its messages."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    async def publish(self, channel: str, message: str) -> None:
        self.sent.append((channel, message))


class NoWaitingRoom:
    """The admission checker of events without a waiting room: every call is a mistake."""

    async def check(self, event_id: UUID, user_id: UUID, token: str | None) -> str:
        raise Forbidden("no waiting room here")

    async def finish(self, event_id: UUID, admission_id: str) -> None:
        raise Forbidden("no waiting room here")


@asynccontextmanager
async def service_context_on(
    postgres_url: str, redis_url: str, gateway: PaymentGateway, clock: Clock = utc_now
) -> AsyncIterator[ServiceContext]:
    """A context on real PostgreSQL and Valkey."""
    database = Database(postgres_url)
    client = connect(redis_url, 20)
    layouts = LayoutCache(database)
    try:
        yield ServiceContext(
            database=database,
            orders=OrderWriter(database),
            seats=SeatStore(batcher(client), seat_source_loader(database, layouts), clock),
            layouts=layouts,
            sales=SaleCache(database),
            gateway=gateway,
            admissions=NoWaitingRoom(),
            publisher=RecordingPublisher(),
            clock=clock,
            hold_time=timedelta(seconds=480),
            payment_time=timedelta(seconds=600),
            public_url="http://127.0.0.1:8000",
            ticket_keys=TicketKeys.parse(new_seed()),
        )
    finally:
        await client.aclose()
        await database.close()


def rows_plan(rows: Sequence[int]) -> Plan:
    """A stalls zone with rows of so many seats, 20 units apart."""
    return Plan(
        name="Test hall",
        width=1000,
        height=1000,
        categories=(Category("Stalls", "#4361ee"),),
        zones=(
            Zone(
                name="Stalls",
                rows=tuple(
                    PlanRow(
                        name=chr(65 + number),
                        seats=tuple(
                            PlanSeat(f"{number}-{seat}", str(seat + 1), seat * 20.0, number * 20.0, "Stalls")
                            for seat in range(seats)
                        ),
                    )
                    for number, seats in enumerate(rows)
                ),
                areas=(),
            ),
        ),
    )


def seat_map_of(
    event_id: UUID, rows: Sequence[int] = (), standing: int = 0, price: int = 5000, fee: int = 250
) -> SeatMap:
    """Rows of numbered seats and a standing section, at one price."""
    money, extra = Money(price, USD), Money(fee, USD)
    return build_seat_map(
        event_id,
        rows_plan(rows) if rows else None,
        [PriceInput("Stalls", money, extra)] if rows else [],
        [GeneralAdmission("Floor", standing, money, extra)] if standing else [],
    )


async def open_event(database: Database, rows: Sequence[int] = (), standing: int = 0, **changes: Any) -> UUID:
    """A published event that is on sale; `changes` are columns of events, or price and fee."""
    event_id = new_uuid()
    prices = {name: changes.pop(name) for name in ("price", "fee") if name in changes}
    seat_map = seat_map_of(event_id, rows, standing, **prices)
    await _insert_organiser(database)
    venue_id = await _insert_venue(database)
    await _insert_seat_map(database, event_id, seat_map)
    columns = {
        "id": event_id,
        "organiser_id": ORGANISER.user_id,
        "name": "Test night",
        "state": "PUBLISHED",
        "starts_at": datetime.now(UTC) + timedelta(days=30),
        "venue_id": venue_id,
        "seat_map_version": seat_map.version,
        "price_from": 5000,
        "price_to": 5000,
        "currency": USD,
        "max_tickets_per_order": 8,
        "orphan_rule": False,
    } | changes
    marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await database.fetch(f"INSERT INTO events ({', '.join(columns)}) VALUES ({marks})", *columns.values())
    return event_id


async def _insert_organiser(database: Database) -> None:
    await database.fetch(
        """
        INSERT INTO users (id, subject, email, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
        """,
        ORGANISER.user_id,
        ORGANISER.subject,
        ORGANISER.email,
        ORGANISER.name,
    )


async def _insert_venue(database: Database) -> UUID:
    venue_id: UUID = await database.fetchval(
        """
        INSERT INTO venues (id, name, city, timezone)
        VALUES ($1, 'Hall', 'Seoul', 'Asia/Seoul') RETURNING id
        """,
        new_uuid(),
    )
    return venue_id


async def _insert_seat_map(database: Database, event_id: UUID, seat_map: SeatMap) -> None:
    await database.fetch(
        """
        INSERT INTO seat_maps (version, event_id, layout, seat_count, place_count)
        VALUES ($1, $2, $3, $4, $5)
        """,
        seat_map.version,
        event_id,
        to_document(seat_map),
        seat_map.seat_count,
        seat_map.place_count,
    )

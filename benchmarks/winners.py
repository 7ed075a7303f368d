"""What winning a hold costs, against a bare transaction that inserts the same rows.

    python -m benchmarks winners

Both run in this process on one pool, against the same PostgreSQL with fsync and synchronous_commit on; the
rounds alternate, so that what else the machine does meets both alike. Goal: at least half the bare rate.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from uuid import UUID

import uvloop
from rich.console import Console
from rich.table import Table

from db.migrate import migrate
from db.session import Database
from devservices.postgres import Postgres
from devservices.valkey import Valkey
from kit.ids import new_uuid
from payments.stripe_gateway import StripeGateway
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import GeneralAdmission
from tests.events import buyer, open_event, service_context_on

AT_ONCE, ORDERS, ROUNDS, TICKETS = 16, 2_000, 5, 2
PARTS_CORE, LOAD_CORE = 0, 1
GOAL = 0.5


async def in_parallel(number: int, work: object) -> float:
    """Calls a second of `work`, so many at once."""
    assert callable(work)
    remaining = iter(range(number))

    async def worker() -> None:
        for index in remaining:
            await work(index)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return number / (time.perf_counter() - started)


async def hold_rate(context: ServiceContext, event_id: UUID) -> float:
    """Orders a second through `reserve`: hold in Valkey, order and claims in PostgreSQL."""
    people = [buyer(f"bench-{number}") for number in range(ORDERS)]

    async def one(index: int) -> None:
        await reserve(context, people[index], ReserveRequest(event_id, GeneralAdmission(0, TICKETS)))

    return await in_parallel(ORDERS, one)


async def bare_rate(database: Database, event_id: UUID, first_place: int) -> float:
    """Transactions a second that insert an order and its claims, and nothing else."""
    user_id = await database.fetchval("SELECT id FROM users LIMIT 1")

    async def one(index: int) -> None:
        order_id, place = new_uuid(), first_place + index * TICKETS
        async with database.connection() as connection, connection.transaction():
            await connection.execute(
                """
                INSERT INTO orders (id, reference, event_id, user_id, state, currency, subtotal_minor,
                  fees_minor, total_minor, expires_at)
                VALUES ($1, $2, $3, $4, 'RESERVED', 'USD', 10000, 500, 10500, now() + interval '8 minutes')
                """,
                order_id,
                order_id.hex,
                event_id,
                user_id,
            )
            await connection.execute(
                """
                INSERT INTO claims (event_id, place, order_id, state, price_level, price_minor, fee_minor)
                SELECT $1, place, $2, 'HELD', 0, 5000, 250 FROM unnest($3::int[]) AS place
                """,
                event_id,
                order_id,
                list(range(place, place + TICKETS)),
            )

    return await in_parallel(ORDERS, one)


async def measure(postgres_url: str, redis_url: str) -> tuple[list[float], list[float]]:
    """Rates of both, round by round."""
    await migrate(postgres_url)
    gateway = StripeGateway("sk_test_unused", api_base="http://127.0.0.1:9")
    holds, bare = [], []
    async with service_context_on(postgres_url, redis_url, gateway) as context:
        for number in range(ROUNDS + 1):
            event_id = await open_event(context.database, standing=ORDERS * TICKETS)
            other = await open_event(context.database, standing=ORDERS * TICKETS)
            rates = await hold_rate(context, event_id), await bare_rate(context.database, other, 0)
            if number:  # the first round warms both up
                holds.append(rates[0])
                bare.append(rates[1])
    await gateway.close()
    return holds, bare


def main() -> None:
    """Start the parts on one core, measure from the other, print the table."""
    os.sched_setaffinity(0, {PARTS_CORE})
    with tempfile.TemporaryDirectory(prefix="boxoffice-bench-") as directory:
        postgres, valkey = Postgres(Path(directory), "bench"), Valkey(Path(directory), password="bench")
        postgres.start()
        valkey.start()
        try:
            os.sched_setaffinity(0, {LOAD_CORE})
            holds, bare = uvloop.run(measure(postgres.url(), valkey.url()))
        finally:
            valkey.stop()
            postgres.stop()
    ratios = [hold / plain for hold, plain in zip(holds, bare, strict=True)]
    table = Table("what", "median a second", title=f"{AT_ONCE} at once, {TICKETS} tickets an order")
    table.add_row("holds won and committed", f"{median(holds):,.0f}")
    table.add_row("bare transactions of the same rows", f"{median(bare):,.0f}")
    table.add_row(f"ratio (goal {GOAL})", f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    Console().print(table)


if __name__ == "__main__":
    main()

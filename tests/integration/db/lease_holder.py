"""A leader that can be frozen before its write: python -m … DATABASE_URL fenced|unfenced.

It says when it leads; then, at a line of its standard input, it writes, and says what became of that.
"""

import asyncio
import sys

from db.leadership import Leadership
from db.queries.leases import LeaseLost, check_lease
from db.session import Database

WORK = "tests"


async def main(url: str, mode: str) -> None:
    database = Database(url, most=2)
    leadership = Leadership(database, WORK, "holder")
    while (lease := await leadership.lease()) is None:
        await asyncio.sleep(0.05)
    print("leads", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    try:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO sweep_marks VALUES ('frozen', now())")
            if mode == "fenced":
                await check_lease(connection, lease)
        print("written", flush=True)
    except LeaseLost:
        print("refused", flush=True)
    await leadership.resign()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

"""A worker process that only indexes, for tests that kill it: python -m … DATABASE_URL ENGINE_URL KEY UID."""

import asyncio
import sys

from db.session import Database
from search.administration import MeilisearchAdministration
from workers.indexing import indexing_loops


async def main(database_url: str, engine_url: str, key: str, uid: str) -> None:
    database = Database(database_url)
    loops = indexing_loops(database, MeilisearchAdministration(engine_url, key, uid=uid))
    await asyncio.gather(*(loop.run() for loop in loops))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

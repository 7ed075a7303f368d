"""An admission worker as a process of its own, to kill: `python -m ... POSTGRES_URL REDIS_URL`."""

import asyncio
import sys

from db.session import Database
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from reservations.connection import batcher, connect
from services.waiting_room.admission_controller import AdmissionController
from waiting_room.store import WaitingRoomStore
from workers.admission import AdmissionRound


async def main(postgres_url: str, redis_url: str) -> None:
    """Rounds without a pause, which is faster than any worker's."""
    redis = connect(redis_url, 4)
    controller = AdmissionController(
        Database(postgres_url), WaitingRoomStore(batcher(redis)), Channels(RedisBackend(redis))
    )
    do_round = AdmissionRound(controller)
    while True:
        await do_round()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

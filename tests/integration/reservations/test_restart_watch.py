"""A Redis that lost its latest writes is built anew, once, by the first process that notices."""

from uuid import UUID

from reservations.keys import event_keys
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import buyer, open_event
from workers.ordering import RestartWatch


async def held(context: ServiceContext) -> UUID:
    event_id = await open_event(context.database, rows=[4])
    await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats((0, 1))))
    await RestartWatch(context)()
    return event_id


async def test_event_is_built_once_when_redis_is_emptied_and_read_before_the_watch(
    context: ServiceContext,
) -> None:
    event_id = await held(context)
    await context.seats._command("FLUSHALL")
    built = await context.seats.snapshot(event_id)

    await RestartWatch(context)()
    await RestartWatch(context)()

    assert await context.seats.snapshot(event_id) == built
    assert built.places == b"HHAA"
    assert await context.seats.new_server_runs() is None


async def test_event_is_built_anew_when_the_server_came_back_with_old_writes(context: ServiceContext) -> None:
    event_id = await held(context)
    before = await context.seats.snapshot(event_id)
    keys = event_keys(event_id)
    await context.seats.remember_server_runs("another")
    await context.seats._command("HSET", keys.meta, "run", "another")
    await context.seats._command("SETRANGE", keys.places, 0, "AA")

    await RestartWatch(context)()

    after = await context.seats.snapshot(event_id)
    assert after.places == b"HHAA"
    assert after.epoch != before.epoch and after.version > before.version

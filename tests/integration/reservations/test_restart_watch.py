"""A Redis that lost its latest writes is built anew, once, whoever comes first."""

from uuid import UUID

from reservations.keys import SERVER_RUNS, event_keys
from services.context import Office
from services.ordering.reserve import ReserveRequest, reserve
from services.ordering.selection import ExactSeats
from tests.houses import buyer, open_event
from workers.ordering import RestartWatch


async def held(office: Office) -> UUID:
    event_id = await open_event(office.database, rows=[4])
    await reserve(office, buyer("ann"), ReserveRequest(event_id, ExactSeats((0, 1))))
    await RestartWatch(office)()
    return event_id


async def test_event_is_built_once_when_redis_is_emptied_and_read_before_the_watch(office: Office) -> None:
    event_id = await held(office)
    await office.seats._command("FLUSHALL")
    built = await office.seats.snapshot(event_id)

    await RestartWatch(office)()
    await RestartWatch(office)()

    assert await office.seats.snapshot(event_id) == built
    assert built.places == b"HHAA"
    assert await office.seats.new_server_runs() is None


async def test_event_is_built_anew_when_the_server_came_back_with_old_writes(office: Office) -> None:
    event_id = await held(office)
    before = await office.seats.snapshot(event_id)
    keys = event_keys(event_id)
    await office.seats._command("SET", SERVER_RUNS, "another")
    await office.seats._command("HSET", keys.meta, "run", "another")
    await office.seats._command("SETRANGE", keys.places, 0, "AA")

    await RestartWatch(office)()

    after = await office.seats.snapshot(event_id)
    assert after.places == b"HHAA"
    assert after.epoch != before.epoch and after.version > before.version

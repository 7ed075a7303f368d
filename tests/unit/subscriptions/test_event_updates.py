"""The updates of a watched event: shared by its subscribers, the latest one for a slow subscriber."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from db.queries.events import EventRow
from domain.errors import NotFound, Unavailable
from domain.states import next_sale_change
from services.context import ServiceContext
from subscriptions import event_updates
from subscriptions.event_updates import EventHub

EVENT = UUID(int=7)
NOW = datetime(2027, 3, 1, 10, tzinfo=UTC)
ROW = EventRow(
    id=EVENT,
    organiser_id=None,
    name="An evening",
    description="",
    state="PUBLISHED",
    category=None,
    starts_at=NOW + timedelta(days=30),
    ends_at=None,
    on_sale_at=None,
    off_sale_at=None,
    venue_id=UUID(int=8),
    timezone="Asia/Seoul",
    seat_map_version="v",
    price_from_minor=None,
    price_to_minor=None,
    currency=None,
    max_tickets_per_order=8,
    max_tickets_per_person=8,
    orphan_rule=True,
    sold_out=False,
    waiting_room_enabled=False,
    waiting_room_admit_per_minute=1,
    waiting_room_max_active=1,
    waiting_room_admission_seconds=1,
    created_at=NOW,
)


class Reads:
    """What the database answers, and a clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.row: EventRow | None = ROW
        self.fails = False
        self.count = 0
        self.now = NOW

    async def event_by_id(self, _database: object, event_id: UUID) -> EventRow | None:
        assert event_id == EVENT
        self.count += 1
        if self.fails:
            raise Unavailable
        return self.row


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    reads = Reads()
    monkeypatch.setattr(event_updates, "event_by_id", reads.event_by_id)
    monkeypatch.setattr(event_updates, "_RETRY_SECONDS", 0.01)
    return reads


@pytest.fixture
async def hub(reads: Reads) -> AsyncIterator[EventHub]:
    context = SimpleNamespace(database=None, now=lambda: reads.now)
    hub = EventHub(cast("ServiceContext", cast("Any", context)))
    yield hub
    hub.close()


async def soon(work: Any) -> Any:
    return await asyncio.wait_for(work, 5)


async def test_one_object_and_one_read_when_many_subscribe(hub: EventHub, reads: Reads) -> None:
    streams = [hub.stream(EVENT) for _ in range(20)]
    first = [await soon(anext(stream)) for stream in streams]
    assert len({id(update.shared) for update in first}) == 1
    assert reads.count == 1

    reads.row = replace(ROW, name="A later evening")
    hub.changed(EVENT)
    second = [await soon(anext(stream)) for stream in streams]

    assert {update.name for update in second} == {"A later evening"}
    assert len({id(update.shared) for update in second}) == 1
    assert second[0].shared is not first[0].shared
    assert reads.count == 2


async def test_latest_update_alone_when_a_subscriber_is_slow(hub: EventHub, reads: Reads) -> None:
    slow, watcher = hub.stream(EVENT), hub.stream(EVENT)
    await soon(anext(slow))
    await soon(anext(watcher))
    for name in ("second", "third"):
        reads.row = replace(ROW, name=name)
        hub.changed(EVENT)
        await soon(anext(watcher))

    assert (await soon(anext(slow))).name == "third"
    assert slow.take() is None


async def test_sent_by_the_clock_when_the_database_is_away(hub: EventHub, reads: Reads) -> None:
    reads.row = replace(ROW, on_sale_at=NOW + timedelta(seconds=2))
    stream = hub.stream(EVENT)
    await soon(anext(stream))
    reads.fails = True
    hub.changed(EVENT)
    await asyncio.sleep(0.05)
    assert stream.take() is None

    reads.now = NOW + timedelta(seconds=2)
    assert (await soon(anext(stream))).on_sale_at == reads.now


async def test_stream_ends_when_the_event_is_gone(hub: EventHub, reads: Reads) -> None:
    stream = hub.stream(EVENT)
    await soon(anext(stream))
    reads.row = None
    hub.changed(EVENT)
    with pytest.raises(StopAsyncIteration):
        await soon(anext(stream))


@pytest.mark.parametrize("row", [None, replace(ROW, state="DRAFT")])
async def test_not_found_when_there_is_nothing_to_see(
    hub: EventHub, reads: Reads, row: EventRow | None
) -> None:
    reads.row = row
    with pytest.raises(NotFound):
        await soon(anext(hub.stream(EVENT)))


async def test_topic_is_closed_when_nobody_watches_any_more(
    hub: EventHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_updates, "_LINGER_SECONDS", 0.01)
    stream, other = hub.stream(EVENT), hub.stream(EVENT)
    await soon(anext(stream))
    await soon(anext(other))
    stream.detach()
    await asyncio.sleep(0.05)
    assert hub.topics == 1
    await other.aclose()
    await asyncio.sleep(0.05)
    assert hub.topics == 0


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (ROW, ROW.starts_at + timedelta(hours=6)),
        (replace(ROW, on_sale_at=NOW + timedelta(hours=1)), NOW + timedelta(hours=1)),
        (replace(ROW, on_sale_at=NOW), ROW.starts_at + timedelta(hours=6)),
        (replace(ROW, off_sale_at=NOW + timedelta(hours=2)), NOW + timedelta(hours=2)),
        (replace(ROW, ends_at=NOW), None),
        (replace(ROW, ends_at=NOW, off_sale_at=NOW + timedelta(hours=2)), None),
        (replace(ROW, state="CANCELLED", on_sale_at=NOW + timedelta(hours=1)), None),
    ],
)
def test_next_change_is_the_first_time_to_come(row: EventRow, wanted: datetime | None) -> None:
    assert next_sale_change(row, NOW) == wanted

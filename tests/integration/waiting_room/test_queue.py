"""The queue: one place for each account, in a fair order, and positions that never get worse."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from db.queries.waiting_rooms import draw_results
from domain.errors import NotFound, NotOnSale
from domain.waiting_room import WaitingRoomSettings, commitment_of, entry_id_of, verify_draw
from kit.ids import new_uuid
from tests.integration.waiting_room.venue import Venue, buyer, insert_event
from waiting_room.keys import waiting_room_keys


async def start_sale(venue: Venue) -> None:
    await venue.database.fetch(
        "UPDATE events SET on_sale_at = $2 WHERE id = $1", venue.event_id, datetime.now(UTC)
    )
    await venue.controller.open(venue.event_id)


async def test_positions_follow_arrival_when_the_sale_is_on(venue: Venue) -> None:
    await venue.configure()

    people = await venue.crowd(5)

    assert await venue.positions(people) == [1, 2, 3, 4, 5]


async def test_one_account_has_one_place_when_it_joins_from_many_tabs(venue: Venue) -> None:
    await venue.configure()
    people = await venue.crowd(2)

    entries = await asyncio.gather(*(venue.rooms.join(people[0], venue.event_id) for _ in range(20)))

    assert {entry.position for entry in entries} == {1}
    assert (await venue.room.state(venue.event_id)).waiting == 2  # type: ignore[union-attr]


async def test_positions_are_unknown_when_the_draw_is_to_come(early_venue: Venue) -> None:
    await early_venue.configure()

    people = await early_venue.crowd(3)
    await early_venue.tick()

    assert await early_venue.positions(people) == [None, None, None]
    assert (await early_venue.rooms.overview(early_venue.event_id)).phase == "PRE_QUEUE"


async def test_queue_cannot_be_joined_before_it_opens_when_its_organiser_says_when(
    early_venue: Venue,
) -> None:
    await early_venue.configure(pre_queue_seconds=600)
    with pytest.raises(NotOnSale):
        await early_venue.crowd(1)
    closed = await early_venue.rooms.overview(early_venue.event_id)

    await early_venue.configure(pre_queue_seconds=7200)
    people = await early_venue.crowd(2)
    opened = await early_venue.rooms.overview(early_venue.event_id)

    assert (closed.phase, closed.pre_queue_seconds) == ("CLOSED", 600)
    assert (opened.phase, opened.pre_queue_seconds, opened.waiting) == ("PRE_QUEUE", 7200, len(people))


async def test_drawn_order_is_verified_when_the_sale_has_started(early_venue: Venue) -> None:
    venue = early_venue
    await venue.configure()
    await venue.crowd(50)
    before = await venue.rooms.overview(venue.event_id)
    await venue.tick()

    await start_sale(venue)
    await venue.tick()

    await venue.rooms.configure(venue.organiser, venue.event_id, _settings())
    after = await venue.rooms.overview(venue.event_id)
    queue = [
        (entry_id_of(venue.event_id, user_id), place)
        for user_id, place in await draw_results(venue.database, venue.event_id)
    ]
    assert before.seed is None
    assert after.phase == "OPEN"
    assert before.commitment is not None
    assert after.seed is not None
    assert before.commitment == commitment_of(bytes.fromhex(after.seed))
    assert len(queue) == 50
    assert verify_draw(before.commitment, bytes.fromhex(after.seed), queue)


def _settings() -> WaitingRoomSettings:
    return WaitingRoomSettings(enabled=True)


async def test_later_accounts_are_behind_the_drawn_ones_when_the_sale_has_started(
    early_venue: Venue,
) -> None:
    venue = early_venue
    await venue.configure()
    early = await venue.crowd(20)
    await start_sale(venue)

    late = await venue.crowd(3)

    assert await venue.positions(late) == [21, 22, 23]
    assert sorted(position or 0 for position in await venue.positions(early)) == list(range(1, 21))


async def test_no_new_place_is_drawn_when_an_account_leaves_and_joins_again(early_venue: Venue) -> None:
    venue = early_venue
    await venue.configure()
    people = await venue.crowd(1)
    first = await venue.room.standing(venue.event_id, people[0].user_id)

    await venue.rooms.leave(people[0], venue.event_id)
    await venue.rooms.join(people[0], venue.event_id)

    again = await venue.room.standing(venue.event_id, people[0].user_id)
    assert again.place == first.place


async def test_places_only_get_better_when_others_leave_and_join(venue: Venue) -> None:
    await venue.configure(admit_per_minute=60, max_active=3)
    people = await venue.crowd(40)
    seen = await venue.positions(people)

    for leaver in people[5:40:7]:
        await venue.rooms.leave(leaver, venue.event_id)
        await venue.crowd(2)
        await venue.tick()
        now = await venue.positions(people)
        assert all(
            after is None or (before is not None and after <= before)
            for before, after in zip(seen, now, strict=True)
        )
        seen = now


async def test_join_is_refused_when_the_room_is_off(venue: Venue) -> None:
    with pytest.raises(NotOnSale):
        await venue.rooms.join(buyer(), venue.event_id)

    assert await venue.redis.keys("wr:*") == []


async def test_join_is_refused_when_the_pre_queue_is_not_open_yet(venue: Venue) -> None:
    await venue.configure()
    await venue.database.fetch(
        "UPDATE events SET on_sale_at = $2 WHERE id = $1",
        venue.event_id,
        datetime.now(UTC) + timedelta(hours=25),
    )
    await venue.controller.open(venue.event_id)

    with pytest.raises(NotOnSale):
        await venue.rooms.join(buyer(), venue.event_id)


async def test_join_is_not_found_when_there_is_no_such_event(venue: Venue) -> None:
    with pytest.raises(NotFound):
        await venue.rooms.join(buyer(), new_uuid())


async def test_place_is_given_up_when_the_grace_time_is_over(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    await venue.tick()
    people = await venue.crowd(4)
    ids = [viewer.user_id for viewer in people]

    await venue.room.mark_away(venue.event_id, ids[1:3], grace_ms=0)
    await venue.room.mark_present(venue.event_id, ids[2:3])
    await venue.tick()

    assert (await venue.states(people))[1:] == ["LEFT", "WAITING", "WAITING"]
    assert venue.announcements.messages[-1]["gone"] == 1


async def test_place_is_kept_when_the_holder_is_back_within_the_grace_time(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    people = await venue.crowd(3)
    await venue.tick()

    await venue.room.mark_away(venue.event_id, [people[2].user_id], grace_ms=60_000)
    await venue.rooms.entry(people[2], venue.event_id)

    assert await venue.redis.zcard(waiting_room_keys(venue.event_id).away) == 0


async def test_a_queue_is_removed_when_its_event_is_long_over(venue: Venue) -> None:
    await venue.configure()
    people = await venue.crowd(2)
    await venue.database.fetch(
        "UPDATE events SET starts_at = now() - interval '3 days' WHERE id = $1", venue.event_id
    )

    rooms = await venue.controller.rows()

    assert rooms == []
    assert await venue.redis.keys("wr:*") == []
    venue.rooms._rows.forget(venue.event_id)
    assert await venue.rooms.entry(people[0], venue.event_id) is None


async def test_queues_are_read_together_when_a_page_shows_many(venue: Venue) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    events = [await insert_event(venue.database, venue.organiser, start) for _ in range(5)]
    for event_id in events:
        await venue.rooms.configure(venue.organiser, event_id, WaitingRoomSettings(enabled=True))
    uses, connection = 0, venue.database.connection

    def counted() -> object:
        nonlocal uses
        uses += 1
        return connection()

    venue.database.connection = counted  # type: ignore[method-assign,assignment]
    overviews = await asyncio.gather(*(venue.rooms.overview(event_id) for event_id in events))

    assert [overview.phase for overview in overviews] == ["OPEN"] * 5
    assert uses == 1

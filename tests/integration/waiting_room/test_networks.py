"""Many accounts behind one network: nobody is shut out, and a flood is bounded."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.queries.waiting_rooms import draw_results, points_before_draw
from domain.errors import RateLimited
from domain.viewer import GUEST_SUBJECT, Viewer
from domain.waiting_room import commitment_of, drawn_place, entry_id_of, verify_draw, weight_class_at
from kit.ids import new_uuid
from kit.lua import LuaScript
from services.waiting_room.draw import draw_of
from tests.integration.waiting_room.venue import Venue
from waiting_room import store
from waiting_room.keys import network_digest, network_key, waiting_room_keys
from waiting_room.scripts import SCRIPTS
from waiting_room.store import ACCOUNT_COST, GUEST_COST, SHARE_POINTS

HALL = "9.9.9.9"
GUESTS = SHARE_POINTS // GUEST_COST
FAST = 100_000


def guest() -> Viewer:
    user_id = new_uuid()
    return Viewer(user_id, f"{GUEST_SUBJECT}{user_id}", "a@example.com", None, frozenset({"buy"}))


def account() -> Viewer:
    user_id = new_uuid()
    return Viewer(user_id, f"user|{user_id}", f"{user_id}@example.com", None, frozenset({"buy"}))


async def join_from(venue: Venue, address: str, viewers: list[Viewer]) -> list[int | None]:
    """Let them join one after the other, and return the positions that they are shown."""
    entries = [await venue.rooms.join(viewer, venue.event_id, address=address) for viewer in viewers]
    return [entry.position for entry in entries]


async def places(venue: Venue, viewers: list[Viewer]) -> list[int]:
    return [(await venue.room.standing(venue.event_id, viewer.user_id)).place for viewer in viewers]


async def lots(venue: Venue, viewers: list[Viewer], classes: list[int]) -> list[int]:
    """The places that the draw gives them in these weight classes."""
    seed = (await venue.row()).seed
    assert seed is not None
    ids = [entry_id_of(venue.event_id, viewer.user_id) for viewer in viewers]
    return [
        drawn_place(seed, entry_id, weight_class) for entry_id, weight_class in zip(ids, classes, strict=True)
    ]


async def waiting(venue: Venue) -> int:
    state = await venue.room.state(venue.event_id)
    assert state is not None
    return state.waiting


# ------------------------------------------------------------ after the start of the sale


@pytest.fixture
def slow_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """No point comes back while a test runs, however slow the machine is."""
    monkeypatch.setattr(store, "POINT_INTERVAL_US", 60_000_000)


@pytest.mark.usefixtures("slow_points")
async def test_the_61st_guest_has_a_place_behind_others_when_a_hall_joins(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    hall = [guest() for _ in range(GUESTS + 2)]

    shown = await join_from(venue, HALL, hall)
    others = await join_from(venue, "9.9.9.10", [guest(), guest()])

    assert shown == [*range(1, GUESTS + 1), None, None]
    assert others == [GUESTS + 1, GUESTS + 2]
    assert await waiting(venue) == GUESTS + 4


async def test_a_position_is_known_and_stays_when_nobody_can_be_ahead_any_more(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "POINT_INTERVAL_US", 50_000)  # 0.2 s a guest
    venue.rooms._share_points = GUEST_COST
    await venue.configure(admit_per_minute=1, max_active=1)
    await venue.tick()
    first, second = guest(), guest()
    assert await join_from(venue, HALL, [first, second]) == [1, None]
    before = await join_from(venue, "9.9.9.10", [guest()])

    async def known() -> bool:
        return (await venue.positions([second]))[0] is not None

    await venue.tick_until(known)
    position = (await venue.positions([second]))[0]
    await join_from(venue, "9.9.9.11", [guest(), guest()])

    assert (before, position) == ([2], 2)  # the first of the hall was admitted by then
    assert await venue.positions([second]) == [2]


async def test_a_hall_is_admitted_at_once_when_nobody_else_waits(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST)
    hall = [guest() for _ in range(GUESTS + 20)]
    await join_from(venue, HALL, hall)

    async def everyone() -> bool:
        return await venue.admitted(hall) == len(hall)

    await venue.tick_until(everyone)


@pytest.mark.usefixtures("slow_points")
async def test_a_flood_is_refused_when_its_network_is_an_hour_behind(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LONGEST_DELAY_US", 2 * GUEST_COST * store.POINT_INTERVAL_US)
    await venue.configure(admit_per_minute=1, max_active=1)
    hall = [guest() for _ in range(GUESTS + 2)]
    await join_from(venue, HALL, hall)
    due = await venue.redis.hget(network_key(venue.event_id, network_digest(HALL)), "due")

    with pytest.raises(RateLimited):
        await join_from(venue, HALL, [guest()])

    assert await waiting(venue) == GUESTS + 2
    assert await venue.redis.hget(network_key(venue.event_id, network_digest(HALL)), "due") == due
    assert await join_from(venue, HALL, hall[:1]) == [1]


async def test_a_farm_is_ahead_of_others_when_the_guard_is_taken_out(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = "+ number + delay"
    assert SCRIPTS["join"].text.count(guard) == 1
    text = SCRIPTS["join"].text.replace(guard, "+ number")
    monkeypatch.setitem(SCRIPTS, "join", LuaScript("join", text, "0" * 40))
    await venue.configure(admit_per_minute=1, max_active=1)

    await join_from(venue, HALL, [guest() for _ in range(GUESTS + 20)])

    assert await join_from(venue, "9.9.9.10", [guest()]) == [GUESTS + 21]


@pytest.mark.usefixtures("slow_points")
@pytest.mark.parametrize(
    ("one", "other"),
    [("2a00:1450::1", "2a00:1450::2"), ("::ffff:9.9.9.9", "9.9.9.9"), ("64:ff9b::909:909", "9.9.9.9")],
)
async def test_forms_of_an_address_share_when_they_are_one_network(
    venue: Venue, one: str, other: str
) -> None:
    venue.rooms._share_points = GUEST_COST
    await venue.configure(admit_per_minute=1, max_active=1)

    assert await join_from(venue, one, [guest()]) == [1]
    assert await join_from(venue, other, [guest()]) == [None]


async def test_buyers_in_mapped_form_do_not_crowd_out_others_when_their_networks_differ(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)

    shown = [
        (await join_from(venue, f"::ffff:9.9.8.{number}", [guest()]))[0] for number in range(1, GUESTS + 5)
    ]

    assert shown == list(range(1, GUESTS + 5))


async def test_a_private_address_does_not_count_when_it_is_a_proxys(venue: Venue) -> None:
    venue.rooms._share_points = GUEST_COST
    await venue.configure(admit_per_minute=1, max_active=1)

    assert await join_from(venue, "10.0.0.1", [guest() for _ in range(5)]) == [1, 2, 3, 4, 5]


# ------------------------------------------------------------ before the draw


async def test_lots_lose_weight_when_a_network_is_beyond_its_share(early_venue: Venue) -> None:
    early_venue.rooms._share_points = 2 * GUEST_COST
    await early_venue.configure()
    hall = [guest() for _ in range(15)]

    await join_from(early_venue, HALL, hall)

    expected = [weight_class_at(GUEST_COST * number, 2 * GUEST_COST) for number in range(1, 16)]
    assert expected == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3]
    assert await places(early_venue, hall) == await lots(early_venue, hall, expected)


async def test_accounts_with_a_verified_address_keep_their_weight_longer(early_venue: Venue) -> None:
    early_venue.rooms._share_points = 2 * GUEST_COST
    await early_venue.configure()
    people = [account() for _ in range(2 * GUEST_COST + 1)]

    await join_from(early_venue, HALL, people)

    classes = [0] * 2 * GUEST_COST + [1]
    assert await places(early_venue, people) == await lots(early_venue, people, classes)


async def test_a_flood_is_refused_when_every_weight_class_of_its_network_is_full(early_venue: Venue) -> None:
    early_venue.rooms._share_points = GUEST_COST
    await early_venue.configure()
    hall = [guest() for _ in range(127)]
    await join_from(early_venue, HALL, hall)

    with pytest.raises(RateLimited):
        await join_from(early_venue, HALL, [guest()])

    assert await waiting(early_venue) == 127
    assert (
        await early_venue.redis.hget(network_key(early_venue.event_id, network_digest(HALL)), "lots")
        == b"508"
    )
    assert await places(early_venue, hall[-1:]) == await lots(early_venue, hall[-1:], [6])


async def test_weighted_draw_is_verified_when_the_sale_has_started(early_venue: Venue) -> None:
    venue = early_venue
    venue.rooms._share_points = 2 * GUEST_COST
    await venue.configure()
    hall = [guest() for _ in range(20)]
    await join_from(venue, HALL, hall)
    await venue.rooms.leave(hall[0], venue.event_id)
    await join_from(venue, HALL, hall[:1])
    drawn = await places(venue, hall)
    await venue.database.fetch(
        "UPDATE events SET on_sale_at = $2 WHERE id = $1", venue.event_id, datetime.now(UTC)
    )
    await venue.controller.open(venue.event_id)
    await venue.tick()

    draw = await draw_of(venue.database, venue.event_id)
    results = dict(await draw_results(venue.database, venue.event_id))

    assert draw.verified
    assert [results[viewer.user_id] for viewer in hall] == drawn


async def test_weighted_places_are_as_before_when_redis_was_emptied(early_venue: Venue) -> None:
    venue = early_venue
    venue.rooms._share_points = 2 * GUEST_COST
    await venue.configure()
    hall = [guest() for _ in range(10)]
    await join_from(venue, HALL, hall)
    await venue.tick()
    before = await places(venue, hall)

    await venue.redis.flushall()
    await venue.tick()

    assert await places(venue, hall) == before


def test_draw_is_not_verified_when_a_place_is_of_no_class() -> None:
    seed, entry = bytes(32), UUID(int=5)

    assert not verify_draw(commitment_of(seed), seed, [(entry, 17)])


async def test_the_share_is_forgotten_when_it_is_whole_again(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)

    await join_from(venue, HALL, [guest()])

    assert 0 < await venue.redis.pttl(network_key(venue.event_id, network_digest(HALL))) <= 2_001
    assert await venue.redis.zcard(waiting_room_keys(venue.event_id).queue) == 1


# ------------------------------------------------------------ a Redis that forgets


async def forget_and_rebuild(venue: Venue) -> None:
    await venue.tick()
    await venue.redis.flushall()
    await venue.tick()


async def test_lots_are_weighed_as_before_when_redis_was_emptied(early_venue: Venue) -> None:
    early_venue.rooms._share_points = 2 * GUEST_COST
    await early_venue.configure()
    hall, others = [guest() for _ in range(15)], [guest() for _ in range(3)]
    await join_from(early_venue, HALL, hall[:6])
    await join_from(early_venue, "9.9.9.10", others[:2])
    await early_venue.rooms.leave(hall[0], early_venue.event_id)

    await forget_and_rebuild(early_venue)
    await join_from(early_venue, HALL, hall[6:])
    await join_from(early_venue, "9.9.9.10", others[2:])

    expected = [weight_class_at(GUEST_COST * number, 2 * GUEST_COST) for number in range(7, 16)]
    assert await places(early_venue, hall[6:]) == await lots(early_venue, hall[6:], expected)
    assert await places(early_venue, others) == await lots(early_venue, others, [0, 0, 1])


async def test_a_network_has_a_new_share_when_the_rebuild_forgets_it(
    early_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgotten(_: object) -> None:
        return None

    monkeypatch.setattr(early_venue.controller, "_restore_networks", forgotten)
    early_venue.rooms._share_points = 2 * GUEST_COST
    await early_venue.configure()
    hall = [guest() for _ in range(7)]
    await join_from(early_venue, HALL, hall[:6])

    await forget_and_rebuild(early_venue)
    await join_from(early_venue, HALL, hall[6:])

    assert await places(early_venue, hall[6:]) == await lots(early_venue, hall[6:], [0])


async def test_a_hall_waits_behind_others_as_before_when_redis_was_emptied(venue: Venue) -> None:
    venue.rooms._share_points = 2 * GUEST_COST
    await venue.configure(admit_per_minute=1, max_active=1)
    await venue.tick()
    key = network_key(venue.event_id, network_digest(HALL))
    await join_from(venue, HALL, [guest() for _ in range(5)])
    await venue.tick()
    due = int(await venue.redis.hget(key, "due") or 0)

    await forget_and_rebuild(venue)

    # The times of joins are kept to the millisecond.
    assert abs(int(await venue.redis.hget(key, "due") or 0) - due) < 10_000
    assert await join_from(venue, HALL, [guest()]) == [None]


async def test_points_count_once_when_worker_and_process_both_write_the_join(early_venue: Venue) -> None:
    await early_venue.configure()
    await join_from(early_venue, HALL, [guest(), account()])
    await early_venue.tick()
    await early_venue.tick()

    found = await points_before_draw(early_venue.database, early_venue.event_id)

    assert found == [(network_digest(HALL), GUEST_COST + ACCOUNT_COST)]

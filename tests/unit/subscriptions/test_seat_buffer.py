"""What waits for one subscriber of a seat map."""

from uuid import UUID

from domain.updates import SeatAvailabilityUpdate
from subscriptions.seat_topic import Merges, SeatBuffer

EVENT = UUID(int=1)


def changed(version: int, *places: int) -> SeatAvailabilityUpdate:
    changes = tuple((place, "H") for place in places)
    return SeatAvailabilityUpdate(EVENT, version, version - 1, None, changes, ())


def whole(version: int) -> SeatAvailabilityUpdate:
    return SeatAvailabilityUpdate(EVENT, version, None, "AAA", (), ())


def test_two_slow_subscribers_share_their_merged_update() -> None:
    first, second = (SeatBuffer(lambda: whole(9), 256) for _ in range(2))
    for update in (changed(2, 1), changed(3, 2), changed(4, 1)):
        merges: Merges = {}
        first.put(update, merges)
        second.put(update, merges)
    merged = first.take()

    assert merged is not None
    assert (merged.previous_version, merged.version, merged.changes) == (1, 4, ((1, "H"), (2, "H")))
    assert second.take() is merged
    assert first.take() is None


def test_the_whole_map_is_taken_when_too_many_changes_wait() -> None:
    map_now = whole(5)
    buffer = SeatBuffer(lambda: map_now, 3)
    buffer.put(changed(2, 1, 2), {})
    buffer.put(changed(3, 3, 4), {})
    assert not buffer.is_empty
    taken = buffer.take()

    assert taken is map_now
    assert buffer.is_empty


def test_updates_that_the_whole_map_holds_are_not_taken_again() -> None:
    buffer = SeatBuffer(lambda: whole(5), 1)
    for version in (2, 3):
        buffer.put(changed(version, version), {})
    assert buffer.take() == whole(5)
    for version in (4, 5, 6):
        buffer.put(changed(version, version), {})
    taken = buffer.take()

    assert taken is not None
    assert (taken.previous_version, taken.version) == (5, 6)


def test_changes_are_taken_again_when_versions_begin_anew() -> None:
    buffer = SeatBuffer(lambda: whole(5), 1)
    for version in (4, 5):
        buffer.put(changed(version, version), {})
    buffer.take()
    buffer.put(whole(1), {})
    assert buffer.take() == whole(1)
    buffer.put(changed(2, 7), {})
    taken = buffer.take()

    assert taken is not None
    assert taken.version == 2

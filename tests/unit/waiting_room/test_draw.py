"""The draw: fair, fixed by its seed, and open to anyone's check."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import InvalidInput
from domain.waiting_room import (
    FIRST_UNDRAWN_PLACE,
    PRE_QUEUE,
    Phase,
    WaitingRoomSettings,
    commitment_of,
    drawn_place,
    entry_id_of,
    new_seed,
    phase_of,
    verify_draw,
)
from kit.ids import new_uuid

SALE = datetime(2027, 3, 1, 10, tzinfo=UTC)


def queue(seed: bytes, people: int) -> list[tuple[UUID, int]]:
    event_id = new_uuid()
    ids = [entry_id_of(event_id, new_uuid()) for _ in range(people)]
    return sorted(((entry_id, drawn_place(seed, entry_id)) for entry_id in ids), key=lambda row: row[1])


def test_draw_is_verified_when_order_seed_and_commitment_agree() -> None:
    seed = new_seed()

    assert verify_draw(commitment_of(seed), seed, queue(seed, 100))


def test_draw_is_refused_when_two_people_are_swapped() -> None:
    seed = new_seed()
    entries = queue(seed, 100)
    entries[3], entries[4] = entries[4], entries[3]

    assert not verify_draw(commitment_of(seed), seed, entries)


def test_draw_is_refused_when_another_seed_is_shown() -> None:
    seed, other = new_seed(), new_seed()

    assert not verify_draw(commitment_of(seed), other, queue(other, 10))


def test_every_third_of_arrivals_gets_its_share_when_drawn() -> None:
    seed = bytes(32)
    event_id = UUID(int=7)
    early = [drawn_place(seed, entry_id_of(event_id, UUID(int=n))) for n in range(3000)]
    cut = sorted(early)[1000]

    share = sum(place < cut for place in early[:1000])

    assert 270 <= share <= 400  # a third of the first thousand, within 4 standard deviations


def test_places_are_exact_numbers_for_a_sorted_set_when_drawn() -> None:
    place = drawn_place(new_seed(), new_uuid())

    assert 0 <= place < FIRST_UNDRAWN_PLACE
    assert int(float(place)) == place


@pytest.mark.parametrize(
    ("before_sale", "drawn", "enabled", "phase"),
    [
        (timedelta(minutes=1), False, True, Phase.PRE_QUEUE),
        (PRE_QUEUE + timedelta(minutes=1), False, True, Phase.CLOSED),
        (timedelta(0), False, True, Phase.OPEN),
        (timedelta(minutes=1), True, True, Phase.OPEN),
        (timedelta(0), True, False, Phase.CLOSED),
    ],
)
def test_phase_follows_the_clock_until_the_draw(
    before_sale: timedelta, drawn: bool, enabled: bool, phase: Phase
) -> None:
    now = SALE - before_sale

    assert phase_of(enabled=enabled, drawn=drawn, on_sale_at=SALE, now=now) is phase


@pytest.mark.parametrize(
    ("pre_queue", "phase"),
    [
        (timedelta(minutes=30), Phase.CLOSED),
        (timedelta(hours=1), Phase.PRE_QUEUE),
        (timedelta(0), Phase.CLOSED),
    ],
)
def test_line_opens_as_long_before_the_sale_as_its_organiser_says(pre_queue: timedelta, phase: Phase) -> None:
    now = SALE - timedelta(hours=1)

    assert phase_of(enabled=True, drawn=False, on_sale_at=SALE, now=now, pre_queue=pre_queue) is phase


@pytest.mark.parametrize("number", [-1, 30 * 86_400 + 1])
def test_settings_are_refused_when_the_line_opens_too_early_or_after_the_sale(number: int) -> None:
    with pytest.raises(InvalidInput, match="preQueueSeconds"):
        WaitingRoomSettings(enabled=True, pre_queue_seconds=number)


@pytest.mark.parametrize("number", [0, -1, 100_001])
def test_settings_are_refused_when_the_rate_is_out_of_bounds(number: int) -> None:
    with pytest.raises(InvalidInput, match="admitPerMinute"):
        WaitingRoomSettings(enabled=True, admit_per_minute=number)

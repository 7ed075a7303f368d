from uuid import UUID

from domain.references import reference_of
from kit.ids import new_uuid


def test_first_draw_stays_what_it_was_when_other_draws_are_possible() -> None:
    assert reference_of(UUID(int=7)) == reference_of(UUID(int=7), 0) == "D44J-G448WM"


def test_draws_differ_from_one_another() -> None:
    order_id = new_uuid()

    assert len({reference_of(order_id, draw) for draw in range(8)}) == 8

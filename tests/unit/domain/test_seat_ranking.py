"""Best available by the distance to what the audience looks at, whatever the order of the file."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.best_available import candidates
from domain.focal_point import focal_point, is_stage
from domain.free_seats import SeatFilter, clean_starts, offered, runs
from domain.layout import SeatMap
from domain.seat_ranking import ranking_of
from domain.seating import GeneralAdmission, PriceInput, build_seat_map
from domain.seating_plan import parse_seating_plan
from tests.profiles import examples
from tests.unit.domain.seat_maps import EVENT, plan_document, seat_map_of, statuses, won
from tests.unit.domain.test_best_available import scenes

PRICES = {"Stalls": 3000, "Premium": 5000, "Wheelchair": 1000, "Restricted view": 1000, "Companion": 1000}
CORNERS = [{"x": 0, "y": 0}, {"x": 10, "y": 0}, {"x": 4, "y": 8}]


def area(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    """A rectangle of 40 by 20 units."""
    return {"text": text, "position": {"x": x, "y": y}, "width": 40, "height": 20} | more


def drawn(shape: str, text: str, measures: dict[str, Any]) -> dict[str, Any]:
    """An area in the form of today's editor."""
    at = {"position": {"x": 5, "y": 6}, "text": {"text": text, "position": {"x": 0, "y": 0}}}
    return at | {"shape": shape, shape: measures}


def hall(document: dict[str, Any], prices: dict[str, int] | None = None) -> SeatMap:
    """A plan with prices."""
    plan = parse_seating_plan(json.dumps(document))
    used = [name for name, seats in plan.seats_by_category().items() if seats]
    return build_seat_map(EVENT, plan, [PriceInput(name, won((prices or PRICES)[name])) for name in used])


def rows_with(*areas: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Three rows of seven seats, 20 units apart, with drawings in the second zone."""
    document = plan_document(["sssssss"] * 3, ["s"]) | more
    document["zones"][1]["areas"] = list(areas)
    return document


def spots(seat_map: SeatMap, blocks: list[tuple[int, ...]]) -> list[set[tuple[float, float]]]:
    """Where the seats of blocks stand."""
    return [{(seat_map.seats[place].x, seat_map.seats[place].y) for place in block} for block in blocks]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (rows_with(), (60, 0)),
        (rows_with(area("Stage", 100, -300)), (120, -90)),
        (rows_with(area("B\u00dcHNE", 100, 0), area("Bar", 0, 0, width=900, height=900)), (120, 210)),
        (rows_with(area("무대", 0, 0), area("Main stage", 0, 0, width=100)), (50, 210)),
        (rows_with(area("Stage door", 0, 0)), (60, 0)),
        (rows_with(area("Stage", 100, 0, rotation=90)), (90, 220)),
        (rows_with(drawn("circle", "Escenario", {"radius": 9})), (5, 206)),
        (rows_with(drawn("polygon", "Scene", {"points": CORNERS})), (10, 210)),
        (rows_with(area("Stage", 100, -300), focal_point={"x": 1, "y": 2}), (1, 2)),
    ],
)
def test_the_audience_looks_at_the_focal_point_else_the_stage_else_the_first_row(
    document: dict[str, Any], expected: tuple[float, float]
) -> None:
    assert focal_point(hall(document)) == pytest.approx(expected)


def test_a_standing_area_with_a_stages_name_is_no_stage() -> None:
    document = rows_with(area("Stage", 500, 500))
    plan = parse_seating_plan(json.dumps(document))
    standing = [GeneralAdmission("Stage", 5, won(100))]
    assert focal_point(build_seat_map(EVENT, plan, [PriceInput("Stalls", won(100))], standing)) == (60, 0)


@pytest.mark.parametrize(
    "text", ["STAGE", "Scène", "Palcoscenico", "Сцена", "ステージ", "舞台", "Catwalk", "Podium"]
)
def test_a_stage_is_known_in_many_languages(text: str) -> None:
    assert is_stage(text)


@pytest.mark.parametrize("text", ["Backstage", "Stage left", "Bar", "Stager", "", "Obscene"])
def test_other_areas_are_no_stage(text: str) -> None:
    assert not is_stage(text)


def test_the_last_row_is_the_best_when_the_stage_is_behind_it() -> None:
    # The file begins with the row that is furthest from the stage.
    seat_map = hall(rows_with(area("Stage", 40, -120)))
    best = candidates(seat_map, statuses(seat_map), 3, section=0)
    assert spots(seat_map, best[:1]) == [{(40, 40), (60, 40), (80, 40)}]


def test_the_cheaper_of_equally_near_seats_comes_first() -> None:
    document = plan_document(["ps sp"], ["psp"])
    document["focal_point"] = {"x": 40, "y": 0}
    for prices, expected in ((PRICES, [1, 2]), (PRICES | {"Premium": 1000, "Stalls": 2000}, [1, 2])):
        seat_map = hall(document, prices)
        assert [block[0] for block in candidates(seat_map, statuses(seat_map), 1)][:2] == expected
    apart = plan_document(["s"], ["p"])
    apart["focal_point"] = {"x": 0, "y": 100}
    assert candidates(hall(apart), b"AA", 1)[0] == (0,)
    assert candidates(hall(apart, PRICES | {"Premium": 1000}), b"AA", 1)[0] == (1,)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("quantity", [1, 2, 3, 5])
def test_the_same_seats_are_the_best_in_whatever_order_the_file_has_them(seed: int, quantity: int) -> None:
    pictures = ["ssssssss", "sspppss", "ssspppsss"], ["ssss ssss", "ssssssss"], ["pppppp"]
    document = plan_document(*pictures)
    document["zones"][0]["areas"] = [area("Stage", 70, -60)]
    mixed = json.loads(json.dumps(document))
    random = Random(seed)
    random.shuffle(mixed["zones"])
    for zone in mixed["zones"]:
        random.shuffle(zone["rows"])
        for row in zone["rows"]:
            random.shuffle(row["seats"])
    one, other = hall(document), hall(mixed)
    best = [candidates(each, statuses(each), quantity, limit=24)[:8] for each in (one, other)]
    assert spots(one, best[0]) == spots(other, best[1])


@settings(deadline=None, max_examples=examples(150))
@given(scenes(), st.sampled_from([None, (0.0, -50.0), (110.0, 95.0), (70.0, 3.0)]))
def test_no_block_that_leaves_no_orphan_is_nearer_than_the_first(
    scene: tuple[SeatMap, bytes, int], focus: tuple[float, float] | None
) -> None:
    drawn, taken, quantity = scene
    seat_map = SeatMap(
        drawn.event_id, f"{drawn.version} {focus}", drawn.width, drawn.height, drawn.price_levels,
        drawn.sections, drawn.areas, focus,
    )  # fmt: skip
    ranking = ranking_of(seat_map)
    free = offered(seat_map, taken, SeatFilter(restricted_view=False, companion=False))
    blocks = [
        ranking.rank(start, quantity)
        for run in runs(seat_map, free, range(seat_map.seat_count), quantity)
        for start in clean_starts(run, taken, quantity, run.start)
    ]
    if blocks:
        best = candidates(seat_map, taken, quantity)[0]
        assert ranking.rank(best[0], quantity)[0] == min(blocks)[0]


def test_the_best_are_exact_in_a_house_of_many_equal_rows() -> None:
    big = seat_map_of(["s" * 40] * 30, ["s" * 40] * 30)
    free = statuses(big, taken=set(range(0, 2400, 7)))
    ranking = ranking_of(big)
    every = sorted(
        ranking.rank(start, 2)
        for run in runs(big, free, range(big.seat_count), 2)
        for start in clean_starts(run, free, 2, run.start)
    )
    found = [ranking.rank(block[0], 2) for block in candidates(big, free, 2)]
    assert found[0] == every[0]
    assert found == sorted(found)

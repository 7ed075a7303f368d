"""Events from a seating plan that was imported: the arena, which is too large for a request."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from services.catalogue.demo.seating_plans import arena
from services.catalogue.import_files import import_plan
from tests.apis import Api, new_token
from tests.integration.reading.events import event_input, plan

CREATED = "... on EventSuccess { event { seatMap { seatCount sections { name } } } }"
UNKNOWN = "pln_01jd3x8k2m9q4r5s6t7v8w9x0y"
CATEGORIES = ("Lower A", "Lower B", "Upper A", "Upper B", "Wheelchair")
PRICES = [{"category": name, "price": {"amount": 9000, "currency": "USD"}} for name in CATEGORIES]


@dataclass(frozen=True)
class Address:
    """Where the database is."""

    database_url: str


@pytest.fixture
async def arena_id(module_postgres_url: str, tmp_path: Path) -> str:
    """The id that the command printed for the arena."""
    file = tmp_path / "arena.json"
    file.write_bytes(orjson.dumps(arena()))
    summary = await import_plan(Address(module_postgres_url), file)
    return summary.splitlines()[-1].removeprefix("plan: ")


async def create(api: Api, **changes: Any) -> dict[str, Any]:
    wanted = event_input(generalAdmission=[], priceLevels=PRICES) | changes
    return await api.mutate("createEvent", wanted, new_token("organise"), CREATED)


async def events_in(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM events")
        return count
    finally:
        await connection.close()


async def test_event_has_every_seat_when_made_from_an_imported_plan(api: Api, arena_id: str) -> None:
    answer = await create(api, seatingPlan=None, seatingPlanId=arena_id)

    assert answer["__typename"] == "EventSuccess", answer
    seat_map = answer["event"]["seatMap"]
    assert seat_map["seatCount"] == 17_760
    assert seat_map["sections"][0]["name"] == "Block 101"


async def test_two_events_are_made_when_they_share_an_imported_plan(api: Api, arena_id: str) -> None:
    for _ in range(2):
        answer = await create(api, seatingPlan=None, seatingPlanId=arena_id)
        assert answer["__typename"] == "EventSuccess", answer


@pytest.mark.parametrize(
    ("plan_id", "code", "message"),
    [
        (UNKNOWN, "NOT_FOUND", "There is no such seating plan; boxoffice import plan FILE stores one."),
        ("arena", "INVALID_INPUT", "'arena' is not the id of a seating plan."),
        (UNKNOWN.replace("pln", "evt"), "INVALID_INPUT", None),
    ],
)
async def test_event_is_refused_when_there_is_no_such_plan(
    api: Api, module_postgres_url: str, plan_id: str, code: str, message: str | None
) -> None:
    before = await events_in(module_postgres_url)

    answer = await create(api, seatingPlan=None, seatingPlanId=plan_id)

    assert answer["code"] == code
    assert message is None or answer["message"] == message
    assert await events_in(module_postgres_url) == before


async def test_event_is_refused_when_it_brings_a_plan_and_names_one(
    api: Api, module_postgres_url: str, arena_id: str
) -> None:
    before = await events_in(module_postgres_url)

    answer = await create(api, seatingPlan=plan(), seatingPlanId=arena_id)

    assert answer["code"] == "INVALID_INPUT"
    assert answer["message"] == "seatingPlanId: give either seatingPlan or seatingPlanId, not both."
    assert await events_in(module_postgres_url) == before


async def test_a_category_of_an_imported_plan_is_left_out_when_it_has_no_price(
    api: Api, arena_id: str
) -> None:
    answer = await create(api, seatingPlan=None, seatingPlanId=arena_id, priceLevels=PRICES[:-1])

    assert answer["__typename"] == "EventSuccess", answer
    # Every fourth of the 24 lower blocks has four places for wheelchairs.
    assert answer["event"]["seatMap"]["seatCount"] == 17_760 - 24

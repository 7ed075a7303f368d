"""Reading goes on while Redis is away."""

from collections.abc import AsyncIterator

import pytest

from db.session import Database
from devservices.ports import free_port
from domain.ids import Kind, public_id
from tests.apis import Api, api_on
from tests.events import open_event

QUERY = """
query ($id: ID!) {
  event(id: $id) { status availability { total available sections { name available } } seatMap { url } }
}
"""


@pytest.fixture
async def api(postgres_url: str) -> AsyncIterator[Api]:
    async with api_on(postgres_url, f"redis://127.0.0.1:{free_port()}/0") as api:
        yield api


async def test_places_are_counted_by_the_database(api: Api, postgres_url: str) -> None:
    database = Database(postgres_url)
    event_id = await open_event(database, rows=[4], standing=6)
    await database.fetch(
        "INSERT INTO claims (event_id, place, state, price_minor, fee_minor) VALUES ($1, 0, 'BLOCKED', 0, 0)",
        event_id,
    )

    answer = await api.ask(QUERY, {"id": public_id(Kind.EVENT, event_id)})

    assert answer.data["event"]["availability"] == {
        "total": 10,
        "available": 9,
        "sections": [{"name": "Stalls", "available": 3}, {"name": "Floor", "available": 6}],
    }
    await database.close()


async def test_exact_statuses_are_unavailable_and_say_so(api: Api, postgres_url: str) -> None:
    database = Database(postgres_url)
    event_id = await open_event(database, rows=[4])

    answer = await api.ask(
        "query ($id: ID!) { event(id: $id) { seatStatuses { statuses } } }",
        {"id": public_id(Kind.EVENT, event_id)},
    )

    assert answer.code == "UNAVAILABLE"
    await database.close()

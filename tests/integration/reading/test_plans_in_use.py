"""Events from plans as they are in use: repeated guids, labels, closed categories, zones of one name."""

from typing import Any

import orjson

from tests.apis import Api, new_token
from tests.integration.reading.events import create_event, event_input, publish_event, seat

PARTS = """{ seatMap { seatCount priceLevels { name price { amount } }
  sections { name capacity seats { row number accessible } } }
  availability { total available } }"""
PRICE = {"amount": 5000, "currency": "USD"}


def tables() -> str:
    """Two zones called Parkett with a table each, a closed table, and a place for a wheelchair."""
    zones = [
        {
            "name": "Parkett",
            "position": {"x": 0, "y": 100 * number},
            "rows": [
                {
                    "row_number": str(number + 1),
                    "row_label": "Table %s",
                    "seat_label": "Chair %s",
                    "seats": [seat("a guid", n + 1, n * 20, category) for n in range(3)],
                }
            ],
            "areas": [],
        }
        for number, category in enumerate(("Parkett", "Rollstuhl", "Closed"))
    ]
    names = [{"name": name, "color": "#4361ee"} for name in ("Parkett", "Rollstuhl", "Closed")]
    plan: dict[str, Any] = {
        "name": "Tables",
        "categories": names,
        "zones": zones,
        "size": {"width": 400, "height": 400},
    }
    return orjson.dumps(plan).decode()


async def test_a_plan_in_use_becomes_an_event_and_its_closed_category_is_not_for_sale(api: Api) -> None:
    token = new_token("organise")
    prices = [{"category": name, "price": PRICE} for name in ("Parkett", "Rollstuhl")]

    event_id = await publish_event(api, token, seatingPlan=tables(), priceLevels=prices, generalAdmission=[])

    event = (await api.ask(f"query($id: ID!) {{ event(id: $id) {PARTS} }}", {"id": event_id})).data["event"]
    assert event["availability"] == {"total": 6, "available": 6}
    assert [level["name"] for level in event["seatMap"]["priceLevels"]] == ["Parkett", "Rollstuhl"]
    sections = event["seatMap"]["sections"]
    assert [(section["name"], section["capacity"]) for section in sections] == [("Parkett", 3)] * 2
    rows = [[(s["row"], s["number"], s["accessible"]) for s in section["seats"]] for section in sections]
    assert rows == [
        [("Table 1", f"Chair {n}", False) for n in (1, 2, 3)],
        [("Table 2", f"Chair {n}", True) for n in (1, 2, 3)],
    ]


async def test_an_event_without_any_price_is_refused_and_nothing_is_stored(api: Api) -> None:
    token = new_token("organise")
    await create_event(api, token)
    wanted = event_input(seatingPlan=tables(), priceLevels=[], generalAdmission=[])

    answer = await api.mutate("createEvent", wanted, token)

    assert answer["code"] == "INVALID_INPUT"
    assert answer["message"].startswith("priceLevels: nothing is for sale: there is no price for 'Parkett'")
    mine = await api.ask("{ me { organisedEvents { totalCount } } }", token=token)
    assert mine.data["me"]["organisedEvents"]["totalCount"] == 1

"""Events on sale with numbered seats and a floor, published by the campaign's organiser."""

import asyncio
import json
import random
from typing import Any

from faults.buyers import EventOnSale, Workload
from faults.client import RecordingClient
from faults.history import Outcome
from faults.target import Target

ORGANISER = "organiser"
TICKETS_PER_PERSON = 4


def seating_plan(rows: int, seats: int) -> str:
    """A block of straight rows as a seating plan in pretix's format."""
    block = [
        {
            "row_number": str(row + 1),
            "position": {"x": 0, "y": row * 30},
            "seats": [
                {
                    "seat_guid": f"{row}-{seat}",
                    "seat_number": str(seat + 1),
                    "position": {"x": seat * 20, "y": 0},
                    "category": "Hall",
                }
                for seat in range(seats)
            ],
        }
        for row in range(rows)
    ]
    zone = {"name": "Hall", "position": {"x": 0, "y": 0}, "rows": block, "areas": []}
    categories = [{"name": "Hall", "color": "#3f88c5"}]
    size = {"width": seats * 20 + 40, "height": rows * 30 + 40}
    return json.dumps({"name": "Hall", "categories": categories, "zones": [zone], "size": size})


async def open_event(
    api: RecordingClient, token: str, name: str, *, rows: int = 4, seats: int = 12, standing: int = 40
) -> EventOnSale:
    """Create and publish an event.

    Raises:
        RuntimeError: the API refused.
    """
    price = {"amount": 5000, "currency": "USD"}
    given: dict[str, Any] = {
        "name": name,
        "startsAt": "2099-01-01T20:00:00+09:00",
        "venue": {"name": "Hall", "city": "Seoul", "timezone": "Asia/Seoul"},
        "generalAdmission": [{"name": "Floor", "capacity": standing, "price": price}],
        "orphanRule": False,
        # Buyers who want more at once than a person may have reach it (`Behaviour.greedy`).
        "maxTicketsPerOrder": TICKETS_PER_PERSON,
        "maxTicketsPerPerson": TICKETS_PER_PERSON,
    }
    if rows:
        fee = {"amount": 250, "currency": "USD"}
        given["seatingPlan"] = seating_plan(rows, seats)
        given["priceLevels"] = [{"category": "Hall", "price": price, "fee": fee}]
    made = await api.call(ORGANISER, "create", given, token)
    if made.outcome is not Outcome.OK:
        raise RuntimeError(f"no event could be created: {made.code}")
    event = made.detail["event"]
    floor = next(section["id"] for section in event["seatMap"]["sections"] if section["name"] == "Floor")
    await api.call(ORGANISER, "publish", {"eventId": event["id"]}, token)
    return EventOnSale(event["id"], floor, rows * seats, token)


async def rush_and_cancel(target: Target) -> None:
    """Opens an event, starts a rush of buyers, cancels the event meanwhile."""
    token = target.workload.on_sale.organiser
    on_sale = await open_event(target.api, token, "Off", rows=2, seats=10, standing=20)
    workload = Workload(target.api, target.installation, on_sale, random.Random(target.rng.random()))
    workload.open.set()
    buyers = [asyncio.create_task(workload.buyer(1000 + number)) for number in range(8)]
    try:
        await asyncio.sleep(1.5)
        while True:
            given = {"eventId": on_sale.event_id}
            call = await target.api.call(ORGANISER, "cancel", given, token, event_id=on_sale.event_id)
            if call.outcome is Outcome.OK:
                break
        await asyncio.sleep(0.5)
    finally:
        workload.open.clear()
        for buyer in buyers:
            buyer.cancel()
        await asyncio.gather(*buyers, return_exceptions=True)
        await workload.close()

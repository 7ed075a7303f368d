"""Events as organisers create them through the API."""

from typing import Any

import orjson

from tests.apis import Api

VENUE = {"name": "Olympic Hall", "city": "Seoul", "timezone": "Asia/Seoul", "lat": 37.5, "lng": 127.1}
GA = {"name": "Floor", "capacity": 30, "price": {"amount": 4500, "currency": "USD"}}


def seat(guid: str, number: int, x: float, category: str = "Stalls") -> dict[str, Any]:
    """A seat of a plan."""
    return {
        "seat_guid": guid,
        "seat_number": str(number),
        "position": {"x": x, "y": 0},
        "category": category,
    }


def plan(rows: int = 2, seats: int = 6) -> str:
    """A small hall in pretix's format."""
    zone = {
        "name": "Stalls",
        "position": {"x": 0, "y": 0},
        "rows": [
            {
                "row_number": chr(65 + row),
                "position": {"x": 0, "y": row * 20},
                "seats": [seat(f"{row}-{n}", n + 1, n * 20) for n in range(seats)],
            }
            for row in range(rows)
        ],
        "areas": [],
    }
    document = {
        "name": "Small hall",
        "categories": [{"name": "Stalls", "color": "#4361ee"}],
        "zones": [zone],
        "size": {"width": 400, "height": 300},
    }
    return orjson.dumps(document).decode()


def event_input(**changes: Any) -> dict[str, Any]:
    """A good CreateEventInput: twelve seats and thirty places on the floor."""
    return {
        "name": "An evening",
        "description": "Songs.",
        "category": "concert",
        "startsAt": "2031-05-01T19:30:00+09:00",
        "endsAt": "2031-05-01T22:00:00+09:00",
        "venue": VENUE,
        "performers": ["The Band", "A Guest"],
        "seatingPlan": plan(),
        "priceLevels": [
            {
                "category": "Stalls",
                "price": {"amount": 9000, "currency": "USD"},
                "fee": {"amount": 350, "currency": "USD"},
            }
        ],
        "generalAdmission": [GA],
    } | changes


async def create_event(api: Api, token: str, **changes: Any) -> str:
    """A draft; its id."""
    answer = await api.mutate(
        "createEvent", event_input(**changes), token, "... on EventSuccess { event { id } }"
    )
    assert answer["__typename"] == "EventSuccess", answer
    event_id: str = answer["event"]["id"]
    return event_id


async def publish_event(api: Api, token: str, **changes: Any) -> str:
    """An event that is on sale; its id."""
    event_id = await create_event(api, token, **changes)
    answer = await api.mutate("publishEvent", {"eventId": event_id}, token)
    assert answer["__typename"] == "EventSuccess", answer
    return event_id

"""Events to sell in the benchmarks, made through the API as an organiser makes them."""

import json
from typing import Any

import httpx

from benchmarks.installation import Installation

PRICE = {"amount": 5000, "currency": "USD"}
ORGANISER = "bench-organiser"
ON_SALE_SINCE = "2020-01-01T10:00:00Z"

RESERVE = """
mutation Reserve($input: ReserveInput!) {
  reserve(input: $input) {
    __typename
    ... on ReserveSuccess { order { id status expiresAt total { amount currency } } }
    ... on SeatsUnavailable { code seatIds alternatives { id } }
    ... on UserError { code message }
  }
}
"""
CREATE = """
mutation Create($input: CreateEventInput!) {
  createEvent(input: $input) {
    ... on EventSuccess { event { id seatMap { sections { id seats { id } } } } }
    ... on UserError { code message }
  }
}
"""
SEATS = """
subscription Seats($id: ID!) {
  seatAvailability(eventId: $id) {
    eventId version previousVersion statuses changes { seatId index status }
    sections { name available held booked }
  }
}
"""
PUBLISH = "mutation P($id: ID!) { publishEvent(input: {eventId: $id}) { __typename } }"


def create_event(installation: Installation, **terms: Any) -> dict[str, Any]:
    """A published event; `terms` are createEvent's own."""
    new = {
        "name": "Benchmark night",
        "startsAt": "2099-01-01T20:00:00Z",
        "venue": {"name": "Hall", "city": "Seoul", "timezone": "Asia/Seoul"},
        "maxTicketsPerOrder": 8,
        **terms,
    }
    if limits_persons(installation):
        new.setdefault("maxTicketsPerPerson", 1_000)  # a buyer of a benchmark buys one ticket after another
    token = installation.token(ORGANISER, "organise")
    event: dict[str, Any] = ask(installation, CREATE, {"input": new}, token)["createEvent"]["event"]
    ask(installation, PUBLISH, {"id": event["id"]}, token)
    return event


def limits_persons(installation: Installation) -> bool:
    """Whether this build has the field; an older one may be measured beside it."""
    query = '{ __type(name: "CreateEventInput") { inputFields { name } } }'
    fields = ask(installation, query, {}, installation.token(ORGANISER, "organise"))["__type"]["inputFields"]
    return any(field["name"] == "maxTicketsPerPerson" for field in fields)


def ask(installation: Installation, query: str, variables: dict[str, Any], token: str) -> dict[str, Any]:
    """The data of one answer, which has no errors."""
    response = httpx.post(
        f"http://127.0.0.1:{installation.port}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": f"Bearer {token}"},
        timeout=30,
    )
    answer = response.json()
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def numbered_seats(seats: int) -> dict[str, Any]:
    """So many numbered seats of one price, as createEvent takes them."""
    levels = [{"category": "Hall", "price": PRICE}]
    return {"seatingPlan": seating_plan(seats), "priceLevels": levels}


def seating_plan(seats: int, seats_per_row: int = 50) -> str:
    """A hall of so many seats in straight rows, as a pretix plan."""
    rows = [
        {
            "row_number": str(row + 1),
            "seats": [
                {
                    "seat_guid": f"{row}-{seat}",
                    "seat_number": str(seat + 1),
                    "position": {"x": seat * 20, "y": row * 20},
                    "category": "Hall",
                }
                for seat in range(seats_per_row)
            ],
        }
        for row in range(seats // seats_per_row)
    ]
    zone = {"name": "Hall", "position": {"x": 0, "y": 0}, "rows": rows, "areas": []}
    plan = {"name": "Hall", "categories": [{"name": "Hall", "color": "#4361ee"}], "zones": [zone]}
    return json.dumps({**plan, "size": {"width": 1000, "height": 1000}})


def standing(capacity: int) -> dict[str, Any]:
    """A general-admission section, as createEvent takes it."""
    return {"name": "Floor", "capacity": capacity, "price": PRICE}

"""Blocked seats leave the sale and come back."""

from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event


async def test_blocked_seats_leave_the_sale_and_come_back(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    wanted = "seatMap { sections { seats { id } } } seatStatuses { statuses }"
    query = f"query ($id: ID!) {{ event(id: $id) {{ {wanted} }} }}"
    event = (await api.ask(query, {"id": event_id})).data["event"]
    seats = [seat["id"] for seat in event["seatMap"]["sections"][0]["seats"][2:4]]

    for blocked, available, statuses in ((True, 40, "AAXXAAAAAAAA"), (False, 42, "A" * 12)):
        answer = await api.mutate(
            "blockSeats",
            {"eventId": event_id, "seatIds": seats, "blocked": blocked},
            organiser,
            "... on EventSuccess { event { availability { available } } }",
        )
        assert answer["event"] == {"availability": {"available": available}}
        event = (await api.ask(query, {"id": event_id})).data["event"]
        assert event["seatStatuses"]["statuses"] == statuses

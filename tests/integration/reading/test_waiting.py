"""The waiting room through the API."""

from typing import Any

from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event

ROOM = "query ($id: ID!) { event(id: $id) { waitingRoom { enabled phase waiting admitPerMinute } } }"
ENTRY = "id state position ahead etaSeconds admission { token expiresAt }"


async def opened(api: Api, **settings: Any) -> str:
    """An event whose line is open."""
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    answer = await api.mutate(
        "configureWaitingRoom",
        {"eventId": event_id, "enabled": True} | settings,
        organiser,
        "... on EventSuccess { event { waitingRoom { enabled phase admitPerMinute } } }",
    )
    assert answer["event"]["waitingRoom"]["enabled"] is True, answer
    return event_id


async def test_a_room_shows_its_settings_when_it_is_opened(api: Api) -> None:
    event_id = await opened(api, admitPerMinute=60)

    room = (await api.ask(ROOM, {"id": event_id})).data["event"]["waitingRoom"]

    assert room == {"enabled": True, "phase": "OPEN", "waiting": 0, "admitPerMinute": 60}


async def test_one_account_has_one_place_in_line(api: Api) -> None:
    event_id, token = await opened(api), new_token()
    selected = f"... on JoinQueueSuccess {{ entry {{ {ENTRY} }} }}"

    first = await api.mutate("joinQueue", {"eventId": event_id}, token, selected)
    again = await api.mutate("joinQueue", {"eventId": event_id}, token, selected)
    query = f"query ($id: ID!) {{ queueEntry(eventId: $id) {{ {ENTRY} }} }}"
    seen = (await api.ask(query, {"id": event_id}, token)).data["queueEntry"]

    assert first["entry"]["state"] == "WAITING"
    assert (first["entry"]["position"], first["entry"]["ahead"]) == (1, 0)
    assert again["entry"]["id"] == first["entry"]["id"] == seen["id"]
    assert (await api.ask(query, {"id": event_id})).data == {"queueEntry": None}
    assert (await api.ask(query, {"id": event_id}, new_token())).data == {"queueEntry": None}


async def test_leaving_says_whether_there_was_a_place(api: Api) -> None:
    event_id, token = await opened(api), new_token()
    await api.mutate("joinQueue", {"eventId": event_id}, token)

    left = [
        (await api.mutate("leaveQueue", {"eventId": event_id}, token, "... on LeaveQueueSuccess { left }"))[
            "left"
        ]
        for _ in range(2)
    ]

    assert left == [True, False]


async def test_buying_wants_an_admission_while_the_room_is_open(api: Api) -> None:
    event_id = await opened(api)
    wanted = {"eventId": event_id, "selection": {"bestAvailable": {"quantity": 1}}}

    without = await api.mutate("reserve", wanted, new_token())
    wrong = await api.mutate("reserve", wanted | {"queueToken": "nonsense"}, new_token())

    assert without["code"] == "QUEUE_TOKEN_REQUIRED"
    assert wrong["code"] == "QUEUE_TOKEN_INVALID"


async def test_only_the_organiser_configures_a_room(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))

    answer = await api.ask(
        "mutation ($id: ID!) { configureWaitingRoom(input: {eventId: $id, enabled: true}) { __typename } }",
        {"id": event_id},
        new_token("organise"),
    )

    assert answer.code == "FORBIDDEN"
    room = (await api.ask(ROOM, {"id": event_id})).data["event"]["waitingRoom"]
    assert room["phase"] == "CLOSED"


async def test_an_event_without_a_room_has_no_line_to_join(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))

    assert (await api.mutate("joinQueue", {"eventId": event_id}, new_token()))["code"] == "NOT_ON_SALE"

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


async def buy(
    api: Api, event_id: str, quantity: int, token: str, admission: str | None = None
) -> dict[str, Any]:
    selection = {
        "generalAdmission": {"sectionId": event_id.replace("evt_", "sec_") + "_1", "quantity": quantity}
    }
    given = {"eventId": event_id, "selection": selection}
    return await api.mutate("reserve", given, token, "... on ReserveSuccess { order { id } }")


async def guest_token(api: Api, email: str) -> str:
    made = await api.mutate(
        "createGuestSession", {"email": email}, "", "... on CreateGuestSessionSuccess { token }"
    )
    return str(made["token"])


async def holders_event(api: Api, *tokens: str) -> tuple[str, str]:
    """An event whose room opens after these buyers have all the tickets of a person; and its organiser."""
    organiser = new_token("organise", "buy")
    event_id = await publish_event(api, organiser, maxTicketsPerPerson=2)
    for token in tokens:
        assert (await buy(api, event_id, 2, token))["__typename"] == "ReserveSuccess"
    await api.mutate("configureWaitingRoom", {"eventId": event_id, "enabled": True}, organiser)
    return event_id, organiser


async def test_joining_is_refused_when_the_person_has_no_room_for_another_ticket(api: Api) -> None:
    full, email = new_token(), "Someone+tag@example.org"
    guest = await guest_token(api, email)
    event_id, organiser = await holders_event(api, full, guest)
    another_session = await guest_token(api, "someone@example.org")

    for token in (full, guest, another_session):
        refused = await api.mutate("joinQueue", {"eventId": event_id}, token)
        assert (refused["__typename"], refused["code"]) == ("RequestRefused", "LIMIT_EXCEEDED")
        assert refused["message"] == "One person may have at most 2 tickets of this event, and you have them."
    waiting = (await api.ask(ROOM, {"id": event_id})).data["event"]["waitingRoom"]["waiting"]

    assert waiting == 0
    for token in (organiser, new_token()):
        assert (await api.mutate("joinQueue", {"eventId": event_id}, token))[
            "__typename"
        ] == "JoinQueueSuccess"


async def test_joining_again_answers_the_entry_when_the_limit_is_reached_meanwhile(api: Api) -> None:
    """A page that reloads asks again: the limit refuses a new place, not the one that there is."""
    token, organiser = new_token(), new_token("organise", "buy")
    event_id = await publish_event(api, organiser, maxTicketsPerPerson=2)
    assert (await buy(api, event_id, 1, token))["__typename"] == "ReserveSuccess"
    await api.mutate("configureWaitingRoom", {"eventId": event_id, "enabled": True}, organiser)
    selected = f"... on JoinQueueSuccess {{ entry {{ {ENTRY} }} }}"
    first = await api.mutate("joinQueue", {"eventId": event_id}, token, selected)

    await api.mutate("updateEvent", {"eventId": event_id, "maxTicketsPerPerson": 1}, organiser)
    again = await api.mutate("joinQueue", {"eventId": event_id}, token, selected)
    left = await api.mutate("leaveQueue", {"eventId": event_id}, token, "... on LeaveQueueSuccess { left }")
    anew = await api.mutate("joinQueue", {"eventId": event_id}, token)

    assert first["entry"]["state"] == "WAITING"
    assert again["entry"]["id"] == first["entry"]["id"]
    assert (left["left"], anew["code"]) == (True, "LIMIT_EXCEEDED")

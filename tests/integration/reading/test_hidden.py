"""Drafts and their documents are hidden, and names show what they are."""

from typing import Any

import httpx
import pytest

from tests.apis import Api, new_token, token_of
from tests.integration.reading.events import GA, create_event, event_input

ORGANISED = "{ me { organisedEvents { totalCount } } }"


@pytest.mark.parametrize("shape", ["url", "rowsUrl"])
async def test_a_drafts_seat_map_is_its_organisers_alone_until_it_is_published(api: Api, shape: str) -> None:
    organiser = new_token("organise")
    event_id = await create_event(api, organiser)
    query = f'{{ event(id: "{event_id}") {{ seatMap {{ address: {shape} }} }} }}'
    address = (await api.ask(query, token=organiser)).data["event"]["seatMap"]["address"]

    async def fetched(token: str) -> httpx.Response:
        return await api.client.get(address, headers={"authorization": f"Bearer {token}"} if token else {})

    for token in ("", new_token(), new_token("organise"), token_of("somebody", "check_in")):
        hidden = await fetched(token)
        assert (hidden.status_code, hidden.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
    assert (await fetched("no.token.at.all")).status_code == 401
    own = await fetched(organiser)
    await api.mutate("publishEvent", {"eventId": event_id}, organiser)
    published = await fetched("")

    assert (own.status_code, own.headers["cache-control"]) == (200, "private, no-store")
    assert "access-control-allow-origin" not in own.headers
    assert (published.status_code, published.content) == (200, own.content)
    assert published.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": "Adele\u202elive"}),
        ("venue.name", {"venue": {"name": "The O\u200b2", "city": "London", "timezone": "Europe/London"}}),
        ("performers[1]", {"performers": ["Adele", "Adele\u200e"]}),
        ("generalAdmission[0].name", {"generalAdmission": [{**GA, "name": "Fl\u2066oor"}]}),
    ],
)
async def test_a_name_with_a_hidden_character_is_refused_and_no_event_is_made(
    api: Api, field: str, change: dict[str, Any]
) -> None:
    organiser = new_token("organise")

    answer = await api.mutate("createEvent", event_input(**change), organiser)

    assert (answer["code"], answer["message"].partition(":")[0]) == ("INVALID_INPUT", field)
    assert (await api.ask(ORGANISED, token=organiser)).data["me"]["organisedEvents"]["totalCount"] == 0

"""Events from creation to every field of the contract."""

import pytest

from tests.apis import Api, new_token
from tests.integration.reading.events import create_event, event_input, publish_event

EVERYTHING = """
query ($id: ID!) {
  event(id: $id) {
    __typename id name description status category startsAt endsAt timezone onSaleAt offSaleAt
    venue { __typename id name address city country lat lng timezone }
    performers { __typename id name bio genres }
    priceFrom { amount currency } priceTo { amount currency } maxTicketsPerOrder orphanRule
    availability { total available held booked sections { sectionId name available held booked total } }
    seatMap {
      id version width height seatCount url
      priceLevels { id name color price { amount currency } fee { amount currency } }
      sections {
        id name kind capacity
        seats { id index row number x y priceLevelId accessible restrictedView }
      }
    }
    seatStatuses { version statuses sections { sectionId name available held booked total } }
    places(first: 500) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges {
        cursor
        node { id section { id name } seat { id row number } price { amount } fee { amount } status }
      }
    }
    waitingRoom { enabled phase waiting admitPerMinute }
  }
}
"""


async def test_every_field_is_answered_when_an_event_was_created_and_published(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))

    event = (await api.ask(EVERYTHING, {"id": event_id})).data["event"]

    assert event["status"] == "ON_SALE"
    assert event["startsAt"] == "2031-05-01T10:30:00+00:00"
    assert event["timezone"] == "Asia/Seoul"
    assert event["venue"]["city"] == "Seoul"
    assert [performer["name"] for performer in event["performers"]] == ["The Band", "A Guest"]
    assert event["priceFrom"] == {"amount": 4500, "currency": "USD"}
    assert event["priceTo"] == {"amount": 9350, "currency": "USD"}
    assert event["maxTicketsPerOrder"] == 8
    availability = event["availability"]
    assert (availability["total"], availability["available"], availability["held"]) == (42, 42, 0)
    assert [(part["name"], part["total"]) for part in availability["sections"]] == [
        ("Stalls", 12),
        ("Floor", 30),
    ]
    seat_map = event["seatMap"]
    assert (seat_map["seatCount"], seat_map["width"], seat_map["height"]) == (12, 400, 300)
    assert [section["kind"] for section in seat_map["sections"]] == ["SEATED", "GENERAL_ADMISSION"]
    assert [seat["index"] for seat in seat_map["sections"][0]["seats"]] == list(range(12))
    assert seat_map["sections"][1]["seats"] == []
    assert event["seatStatuses"]["statuses"] == "A" * 12
    assert [part["name"] for part in event["seatStatuses"]["sections"]] == ["Floor"]
    places = event["places"]
    assert places["totalCount"] == 42
    assert places["edges"][0]["node"]["seat"]["row"] == "A"
    assert places["edges"][0]["node"]["fee"] == {"amount": 350}
    assert places["edges"][41]["node"]["seat"] is None
    assert event["waitingRoom"]["phase"] == "CLOSED"


async def test_a_draft_is_its_organisers_alone(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await create_event(api, organiser)
    query = "query ($id: ID!) { event(id: $id) { status } node(id: $id) { id } }"

    assert (await api.ask(query, {"id": event_id}, organiser)).data == {
        "event": {"status": "DRAFT"},
        "node": {"id": event_id},
    }
    for token in ("", new_token("organise")):
        assert (await api.ask(query, {"id": event_id}, token)).data == {"event": None, "node": None}


async def test_an_event_is_announced_when_its_sale_opens_later(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"), onSaleAt="2031-01-01T00:00:00Z")

    answer = await api.ask("query ($id: ID!) { event(id: $id) { status } }", {"id": event_id})

    assert answer.data == {"event": {"status": "ANNOUNCED"}}


async def test_everything_with_an_id_is_read_again_by_it(api: Api) -> None:
    organiser = new_token("organise", "buy")
    event_id = await publish_event(api, organiser)
    found = await api.ask(
        "query ($id: ID!) { me { id } event(id: $id) { venue { id } performers { id } "
        "places(first: 1) { edges { node { id } } } } }",
        {"id": event_id},
        organiser,
    )
    event = found.data["event"]
    ids = {
        "Event": event_id,
        "Venue": event["venue"]["id"],
        "Performer": event["performers"][0]["id"],
        "Place": event["places"]["edges"][0]["node"]["id"],
        "User": found.data["me"]["id"],
    }

    for name, node_id in ids.items():
        answer = await api.ask(
            "query ($id: ID!) { node(id: $id) { __typename id } }", {"id": node_id}, organiser
        )
        assert answer.data["node"] == {"__typename": name, "id": node_id}


async def test_another_persons_node_is_null(api: Api) -> None:
    mine, theirs = new_token(), new_token()
    me = (await api.ask("{ me { id email } }", token=mine)).data["me"]

    answer = await api.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": me["id"]}, theirs)

    assert answer.data == {"node": None}


async def test_pages_follow_one_another_without_gap_or_repeat(api: Api) -> None:
    organiser = new_token("organise")
    city = "Paging"
    wanted = [
        await publish_event(
            api, organiser, name=f"Night {n}", seatingPlan=None, priceLevels=[], endsAt=None,
            startsAt=f"2032-01-0{1 + n // 2}T20:00:00Z",
            venue={"name": "Club", "city": city, "timezone": "Europe/Vienna"},
        )
        for n in range(5)
    ]  # fmt: skip
    query = """
    query ($after: String, $order: EventOrder) {
      events(first: 2, after: $after, filter: {city: "paging"}, orderBy: $order) {
        totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { node { id } cursor }
      }
    }
    """

    for order, expected in (
        ("STARTS_AT_ASC", None),
        ("STARTS_AT_DESC", None),
        ("CREATED_AT_DESC", wanted[::-1]),
    ):
        seen: list[str] = []
        after = None
        while True:
            page = (await api.ask(query, {"after": after, "order": order})).data["events"]
            assert page["totalCount"] == 5
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            seen += [edge["node"]["id"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert sorted(seen) == sorted(wanted)
        assert expected is None or seen == expected


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ('{city: "FILTERING"}', True),
        ('{city: "elsewhere"}', False),
        ('{category: "Opera"}', True),
        ('{category: "rock"}', False),
        ("{onSale: true}", True),
        ("{onSale: false}", False),
        ('{startsFrom: "2033-01-01T00:00:00Z", startsTo: "2033-02-01T00:00:00Z"}', True),
        ('{startsFrom: "2033-02-01T00:00:00Z"}', False),
        ('{startsTo: "2033-01-01T00:00:00Z"}', False),
    ],
)
async def test_a_filter_keeps_what_fits(api: Api, condition: str, matches: bool) -> None:
    event_id = await publish_event(
        api, new_token("organise"), startsAt="2033-01-15T20:00:00Z", endsAt=None, category="opera",
        venue={"name": "House", "city": "Filtering", "timezone": "Europe/Vienna"},
    )  # fmt: skip

    answer = await api.ask(f"{{ events(first: 100, filter: {condition}) {{ edges {{ node {{ id }} }} }} }}")

    found = [edge["node"]["id"] for edge in answer.data["events"]["edges"]]
    assert (event_id in found) is matches


async def test_events_of_a_venue_and_of_a_performer_are_found(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"), performers=["Only Here"])
    event = (
        await api.ask(
            "query ($id: ID!) { event(id: $id) { venue { id } performers { id } } }", {"id": event_id}
        )
    ).data["event"]

    for condition in (
        {"performerId": event["performers"][0]["id"]},
        {"venueId": event["venue"]["id"], "performerId": event["performers"][0]["id"]},
    ):
        answer = await api.ask(
            "query ($filter: EventFilter) { events(filter: $filter) { edges { node { id } } } }",
            {"filter": condition},
        )
        assert answer.data["events"]["edges"] == [{"node": {"id": event_id}}]


async def test_drafts_and_cancelled_events_are_not_listed(api: Api) -> None:
    organiser = new_token("organise")
    venue = {"name": "House", "city": "Unlisted", "timezone": "Europe/Vienna"}
    await create_event(api, organiser, venue=venue)
    cancelled = await publish_event(api, organiser, venue=venue)
    answer = await api.mutate("cancelEvent", {"eventId": cancelled}, organiser)
    assert answer["__typename"] == "EventSuccess"

    listed = await api.ask('{ events(filter: {city: "Unlisted"}) { totalCount edges { node { id } } } }')
    shown = await api.ask("query ($id: ID!) { event(id: $id) { status } }", {"id": cancelled})

    assert listed.data["events"] == {"totalCount": 0, "edges": []}
    assert shown.data["event"] == {"status": "CANCELLED"}


async def test_an_update_changes_what_is_given_and_clears_what_is_null(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)

    answer = await api.mutate(
        "updateEvent",
        {"eventId": event_id, "name": "Another evening", "endsAt": None},
        organiser,
        "... on EventSuccess { event { name endsAt category description startsAt } }",
    )

    assert answer["event"] == {
        "name": "Another evening",
        "endsAt": None,
        "category": "concert",
        "description": "Songs.",
        "startsAt": "2031-05-01T10:30:00+00:00",
    }


async def test_only_the_organiser_may_change_an_event(api: Api) -> None:
    event_id = await publish_event(api, new_token("organise"))
    draft = await create_event(api, new_token("organise"))
    change = '{eventId: $id, name: "Mine"}'
    query = f"mutation ($id: ID!) {{ updateEvent(input: {change}) {{ ... on UserError {{ code }} }} }}"

    assert (await api.ask(query, {"id": event_id})).code == "UNAUTHENTICATED"
    assert (await api.ask(query, {"id": event_id}, new_token("buy"))).code == "FORBIDDEN"
    assert (await api.ask(query, {"id": event_id}, new_token("organise"))).code == "FORBIDDEN"
    answer = await api.ask(query, {"id": draft}, new_token("organise"))
    assert answer.data["updateEvent"] == {"code": "NOT_FOUND"}
    shown = await api.ask("query ($id: ID!) { event(id: $id) { name } }", {"id": event_id})
    assert shown.data["event"] == {"name": "An evening"}


async def test_nobody_is_me_without_a_token(api: Api) -> None:
    assert (await api.ask("{ me { id } }")).data == {"me": None}


async def test_a_created_event_is_a_draft(api: Api) -> None:
    answer = await api.mutate(
        "createEvent",
        event_input(seatingPlan=None, priceLevels=[]),
        new_token("organise"),
        "... on EventSuccess { event { status seatMap { seatCount } } }",
    )

    assert answer["event"] == {"status": "DRAFT", "seatMap": {"seatCount": 0}}


ORGANISED = """
query ($after: String) {
  me {
    organisedEvents(first: 2, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { id status } }
    }
  }
}
"""


async def test_organised_events_are_the_callers_own_when_drafts_are_among_them(api: Api) -> None:
    organiser = new_token("organise")
    made = [await publish_event(api, organiser), await create_event(api, organiser)]
    made.append(await create_event(api, organiser))
    await create_event(api, new_token("organise"))

    first = (await api.ask(ORGANISED, token=organiser)).data["me"]["organisedEvents"]
    after = {"after": first["pageInfo"]["endCursor"]}
    second = (await api.ask(ORGANISED, after, organiser)).data["me"]["organisedEvents"]

    seen = [edge["node"] for page in (first, second) for edge in page["edges"]]
    assert [event["id"] for event in seen] == made[::-1]
    assert [event["status"] for event in seen] == ["DRAFT", "DRAFT", "ON_SALE"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (3, False)


async def test_nobody_reads_what_another_organises_when_they_know_the_id(api: Api) -> None:
    organiser = new_token("organise")
    await create_event(api, organiser)
    user_id = (await api.ask("{ me { id } }", token=organiser)).data["me"]["id"]
    query = "query ($id: ID!) { node(id: $id) { ... on User { organisedEvents { totalCount } } } }"

    assert (await api.ask(query, {"id": user_id}, new_token("organise"))).data == {"node": None}
    own = (await api.ask(query, {"id": user_id}, organiser)).data["node"]
    assert own == {"organisedEvents": {"totalCount": 1}}

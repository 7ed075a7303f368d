"""Every connection from both ends, and many nodes at once."""

from typing import Any

import pytest

from kit.ids import new_uuid
from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event

INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PAGE = "$first: Int, $after: String, $last: Int, $before: String"
ARGUMENTS = "first: $first, after: $after, last: $last, before: $before"
# The field that holds each list, and where it is.
LISTS = {
    "events soonest first": "events(%s, filter: {city: $city}) { %s }",
    "events latest first": "events(%s, filter: {city: $city}, orderBy: STARTS_AT_DESC) { %s }",
    "events newest first": "events(%s, filter: {city: $city}, orderBy: CREATED_AT_DESC) { %s }",
    "places": "event(id: $event) { places(%s) { %s } }",
    "places of a status": "event(id: $event) { places(%s, status: HELD) { %s } }",
    "orders of an event": "event(id: $event) { orders(%s) { %s } }",
    "orders of a buyer": "me { orders(%s) { %s } }",
    "events of an organiser": "me { organisedEvents(%s) { %s } }",
}
NUMBER = 5


class Lists:
    """Five of everything, of one person who organises and buys."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.token = new_token("organise", "buy")
        self.event_id = ""
        self.city = f"Both ends {new_uuid()}"

    async def fill(self) -> None:
        venue = {"name": "Hall", "city": self.city, "timezone": "Asia/Seoul"}
        floor = {"name": "Floor", "capacity": NUMBER, "price": {"amount": 500, "currency": "USD"}}
        for number in range(NUMBER):
            self.event_id = await publish_event(
                self.api, self.token, name=f"Night {number}", seatingPlan=None, priceLevels=[], endsAt=None,
                generalAdmission=[floor], venue=venue, startsAt=f"2032-02-0{1 + number // 2}T20:00:00Z",
            )  # fmt: skip
        section = self.event_id.replace("evt_", "sec_") + "_0"
        for _ in range(NUMBER):
            selection = {"generalAdmission": {"sectionId": section, "quantity": 1}}
            held = await self.api.mutate(
                "reserve", {"eventId": self.event_id, "selection": selection}, self.token
            )
            assert held["__typename"] == "ReserveSuccess", held

    async def page(self, name: str, **arguments: Any) -> dict[str, Any]:
        more = {"$event": ", $event: ID!", "$city": ", $city: String"}
        declared = PAGE + "".join(text for word, text in more.items() if word in LISTS[name])
        selected = f"totalCount {INFO} edges {{ cursor node {{ id }} }}"
        document = f"query ({declared}) {{ {LISTS[name] % (ARGUMENTS, selected)} }}"
        answer = await self.api.ask(
            document, {"event": self.event_id, "city": self.city, **arguments}, self.token
        )
        found = next(iter(answer.data.values()))
        while "edges" not in found:
            found = next(iter(found.values()))
        page: dict[str, Any] = found
        return page


@pytest.fixture
async def lists(api: Api) -> Lists:
    lists = Lists(api)
    await lists.fill()
    return lists


def ids(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


async def test_every_list_is_the_same_from_both_ends(lists: Lists) -> None:
    for name in LISTS:
        whole = ids(await lists.page(name, first=100))
        assert len(whole) == NUMBER, name

        backward: list[str] = []
        before = None
        while True:
            page = await lists.page(name, last=2, before=before)
            backward = ids(page) + backward
            info = page["pageInfo"]
            assert info["hasNextPage"] is (before is not None), name
            assert (info["startCursor"], info["endCursor"]) == (
                page["edges"][0]["cursor"],
                page["edges"][-1]["cursor"],
            )
            before = info["startCursor"]
            if not info["hasPreviousPage"]:
                break

        assert backward == whole, name


async def test_a_page_between_two_cursors_is_what_stands_between_them(lists: Lists) -> None:
    for name in LISTS:
        whole = await lists.page(name, first=100)
        cursors = [edge["cursor"] for edge in whole["edges"]]

        forward = await lists.page(name, first=10, after=cursors[0], before=cursors[4])
        backward = await lists.page(name, last=2, after=cursors[0], before=cursors[4])

        assert ids(forward) == ids(whole)[1:4], name
        assert ids(backward) == ids(whole)[2:4], name
        assert backward["pageInfo"]["hasPreviousPage"] is True
        assert forward["totalCount"] == backward["totalCount"] == NUMBER


async def test_a_cursor_that_is_none_is_refused_by_its_name(lists: Lists) -> None:
    document = 'query { events(last: 2, before: "x") { totalCount } }'

    answer = await lists.api.ask(document)

    assert answer.errors[0]["message"] == "before: 'x' is not a cursor of this list."
    assert answer.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_many_nodes_are_answered_in_the_order_of_their_ids(lists: Lists) -> None:
    place = ids(await lists.page("places", first=1))[0]
    order = ids(await lists.page("orders of a buyer", first=1))[0]
    wanted = [order, "evt_01jd3x8k2m9q4r5s6t7v8w9x0y", lists.event_id, place, lists.event_id]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    own = await lists.api.ask(document, {"ids": wanted}, lists.token)
    others = await lists.api.ask(document, {"ids": wanted}, new_token())

    kinds = ["Order", None, "Event", "Place", "Event"]
    assert [node and node["__typename"] for node in own.data["nodes"]] == kinds
    assert [node and node["id"] for node in own.data["nodes"] if node] == [
        order, lists.event_id, place, lists.event_id
    ]  # fmt: skip
    assert [node and node["__typename"] for node in others.data["nodes"]] == [None, *kinds[1:]]


async def test_one_bad_id_among_nodes_is_an_error_of_its_own(lists: Lists) -> None:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    answer = await lists.api.ask(document, {"ids": ["nonsense", lists.event_id]})

    assert answer.body["data"] == {"nodes": [None, {"id": lists.event_id}]}
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["nodes", 0], "BAD_USER_INPUT")
    ]


async def test_more_than_a_hundred_nodes_at_once_are_refused(lists: Lists) -> None:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    answer = await lists.api.ask(document, {"ids": [lists.event_id] * 101})

    assert answer.errors[0]["message"] == "ids: at most 100 at once."


async def test_cost_counts_the_page_from_the_end_and_each_node(lists: Lists) -> None:
    async def cost(document: str, **variables: Any) -> int:
        answer = await lists.api.client.post(
            "/graphql", json={"query": document, "variables": variables}, headers={"x-graphql-cost": "1"}
        )
        return int(answer.json()["extensions"]["cost"]["requested"])

    forward = await cost("{ events(first: 100) { edges { node { id } } } }")
    assert await cost("{ events(last: 100) { edges { node { id } } } }") == forward
    assert await cost("query ($n: Int) { events(last: $n) { edges { node { id } } } }", n=100) == forward
    assert await cost("{ events(last: 5) { edges { node { id } } } }") < forward
    one = await cost("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[lists.event_id])
    many = await cost("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[lists.event_id] * 50)
    assert many > 20 * one

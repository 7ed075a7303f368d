"""Event.orders: what an organiser finds of an event's orders, and who else finds nothing."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from db.session import Database
from devservices.valkey import Valkey
from domain.ids import Kind, parse_id, user_id_of
from domain.viewer import Viewer
from kit.clock import utc_now
from services.identity.personal_data import erase_person, find_accounts
from services.identity.tokens import SecretTokens
from tests.apis import SECRET, Api, api_on, new_token
from tests.integration.reading.events import publish_event

FOUND = """
query ($id: ID!, $search: String, $status: OrderStatus, $first: Int, $after: String) {
  event(id: $id) {
    orders(search: $search, status: $status, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { node { id reference status buyer { name email } tickets { seat { row number } } } }
    }
  }
}
"""
BUYERS = {
    "ada": ("Ada Lovelace", "ada@analytical.example"),
    "kim": ("김민수", "minsu.kim@example.org"),
    "tom": ("Tom 100%_Off", "tom+concert@example.org"),
    "eve": ("Eve Adams", "eve@example.org"),
}


def token_of_buyer(subject: str) -> str:
    name, email = BUYERS[subject]
    viewer = Viewer(user_id_of(subject), subject, email, name, frozenset({"buy"}))
    return SecretTokens(SECRET).mint(viewer, utc_now() + timedelta(minutes=10))


class Box:
    """An event with an order of each buyer, in the order of BUYERS, made one after another."""

    def __init__(self, api: Api, database: Database) -> None:
        self.api = api
        self.database = database
        self.organiser = new_token("organise")
        self.event_id = ""
        self.orders: dict[str, dict[str, Any]] = {}

    async def sell(self) -> None:
        self.event_id = await publish_event(self.api, self.organiser, orphanRule=False)
        letters = self.event_id.removeprefix("evt_")
        for index, subject in enumerate(BUYERS):
            given = {"eventId": self.event_id, "selection": {"seatIds": [f"seat_{letters}_{index}"]}}
            answer = await self.api.mutate(
                "reserve",
                given,
                token_of_buyer(subject),
                "... on ReserveSuccess { order { id reference } }",
            )
            self.orders[subject] = answer["order"]

    async def page(self, **variables: Any) -> dict[str, Any]:
        answer = await self.api.ask(FOUND, {"id": self.event_id} | variables, self.organiser)
        page: dict[str, Any] = answer.data["event"]["orders"]
        return page

    async def found(self, search: str | None, **variables: Any) -> list[str]:
        """The buyers of the orders that a search finds; totalCount agrees."""
        page = await self.page(search=search, **variables)
        names = {order["id"]: subject for subject, order in self.orders.items()}
        found = [names[edge["node"]["id"]] for edge in page["edges"]]
        assert page["totalCount"] == len(found)
        return found

    async def set_state(self, subject: str, state: str) -> None:
        await self.database.fetch("UPDATE orders SET state = $2 WHERE id = $1", self.key_of(subject), state)

    def key_of(self, subject: str) -> UUID:
        return parse_id(self.orders[subject]["id"], Kind.ORDER)


@pytest.fixture(scope="module")
async def api(module_postgres_url: str, redis_server: Valkey) -> AsyncIterator[Api]:
    async with api_on(module_postgres_url, redis_server.url()) as api:
        yield api


@pytest.fixture
async def box(api: Api, module_postgres_url: str) -> AsyncIterator[Box]:
    database = Database(module_postgres_url)
    box = Box(api, database)
    await box.sell()
    yield box
    await database.close()


async def test_all_orders_are_listed_newest_first_in_pages(box: Box) -> None:
    everyone = list(reversed(BUYERS))

    first = await box.page(first=3)
    second = await box.page(first=3, after=first["pageInfo"]["endCursor"])

    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    assert (second["totalCount"], second["pageInfo"]["hasNextPage"]) == (4, False)
    ids = [edge["node"]["id"] for page in (first, second) for edge in page["edges"]]
    assert ids == [box.orders[subject]["id"] for subject in everyone]
    assert first["edges"][0]["node"]["buyer"] == {"name": "Eve Adams", "email": "eve@example.org"}
    assert await box.found("  ") == everyone


# What is typed, and whose orders it finds. Seats A1 to A4 are sold in the order of BUYERS.
SEARCHES = {
    "Lovelace": ["ada"],
    "lovelace ADA": ["ada"],
    "ada": ["eve", "ada"],
    "김민수": ["kim"],
    "민수": ["kim"],
    "minsu.kim@example.org": ["kim"],
    "MINSU.KIM@": ["kim"],
    "example.org": ["eve", "tom", "kim"],
    "100%_off": ["tom"],
    "%": ["tom"],
    "a_a": [],
    "Row A Seat 2": ["kim"],
    "A-2": ["kim"],
    "a2": ["kim"],
    "Stalls A 3": ["tom"],
    "A열 3번": ["tom"],
    "A-6": [],
    "---": [],
    "nobody": [],
    "\\": [],
}


@pytest.mark.parametrize("text", SEARCHES)
async def test_orders_are_found_by_name_address_or_seat(box: Box, text: str) -> None:
    assert await box.found(text) == SEARCHES[text]


async def test_an_order_is_found_by_its_reference(box: Box) -> None:
    reference = box.orders["kim"]["reference"]

    for typed in (reference, reference.lower(), reference.replace("-", ""), f" {reference[:6]} "):
        assert await box.found(typed) == ["kim"]
    assert await box.found(f"{reference[:9]}{'2' if reference[9] != '2' else '3'}{reference[10:]}") == []


async def test_orders_of_other_events_are_not_found(box: Box, api: Api) -> None:
    other = Box(api, box.database)
    other.organiser = box.organiser
    await other.sell()

    assert await box.found("Lovelace") == ["ada"]
    assert await other.found("Lovelace") == ["ada"]
    assert await other.found(box.orders["ada"]["reference"]) == []


async def test_orders_are_filtered_by_the_status_that_is_shown(box: Box) -> None:
    await box.set_state("ada", "BOOKED")
    await box.set_state("kim", "EXPIRED")
    await box.database.fetch(
        "UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = $1", box.key_of("tom")
    )

    assert await box.found(None, status="BOOKED") == ["ada"]
    assert await box.found(None, status="RESERVED") == ["eve"]
    assert await box.found(None, status="EXPIRED") == ["tom", "kim"]
    assert await box.found("adams", status="BOOKED") == []
    assert await box.found("ada", status="BOOKED") == ["ada"]


async def test_a_refunded_ticket_is_still_found_by_its_seat(box: Box) -> None:
    await box.set_state("ada", "REFUNDED")
    await box.database.fetch("UPDATE claims SET state = 'ENDED' WHERE order_id = $1", box.key_of("ada"))

    assert await box.found("A-1") == ["ada"]
    assert await box.found("A-1", status="REFUNDED") == ["ada"]


async def test_an_erased_person_is_not_found_any_more_and_the_order_stays(box: Box) -> None:
    await box.set_state("kim", "BOOKED")
    await box.database.fetch(
        "UPDATE orders SET state = 'EXPIRED' WHERE user_id = $1 AND state = 'RESERVED'", user_id_of("kim")
    )
    accounts = await find_accounts(box.database, user="kim", email=None)

    await erase_person(box.database, accounts, utc_now())

    for text in ("김민수", "minsu.kim@example.org"):
        assert await box.found(text) == []
    assert await box.found("A-2") == ["kim"]
    page = await box.page(search=box.orders["kim"]["reference"])
    assert [edge["node"]["buyer"] for edge in page["edges"]] == [{"name": None, "email": None}]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "UNAUTHENTICATED"),
        (new_token("buy"), "FORBIDDEN"),
        (new_token("check_in"), "FORBIDDEN"),
        (new_token("organise"), "FORBIDDEN"),
    ],
)
async def test_nobody_else_reads_or_counts_the_orders(box: Box, token: str, code: str) -> None:
    for query in (FOUND, "query ($id: ID!) { event(id: $id) { orders { totalCount } } }"):
        answer = await box.api.ask(query, {"id": box.event_id}, token)

        assert answer.code == code
        assert answer.body["data"] == {"event": None}


@pytest.mark.parametrize(
    "arguments",
    [
        {"search": "x" * 101},
        {"search": "a\u0000b"},
        {"first": 0},
        {"first": 101},
        {"after": "bm90aGluZw"},
    ],
)
async def test_bad_pages_and_searches_are_refused(box: Box, arguments: dict[str, Any]) -> None:
    answer = await box.api.ask(FOUND, {"id": box.event_id} | arguments, box.organiser)

    assert answer.code == "BAD_USER_INPUT"

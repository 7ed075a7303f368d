"""Everything malformed: one sentence, a stable code, nothing written, never a 500."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest
from graphql import get_introspection_query

from tests.apis import Api, somebody
from tests.integration.reading.events import GA, VENUE, create_event, event_input, plan, publish_event

EVENT = "evt_01jd3x8k2m9q4r5s6t7v8w9x0y"
ORDER = "ord_01jd3x8k2m9q4r5s6t7v8w9x0y"
MONEY = {"amount": 4500, "currency": "USD"}

BAD_QUERIES = {
    "event: not an id": '{ event(id: "nonsense") { id } }',
    "event: an empty id": '{ event(id: "") { id } }',
    "event: another type's id": f'{{ event(id: "{ORDER}") {{ id }} }}',
    "event: one letter short": f'{{ event(id: "{EVENT[:-1]}") {{ id }} }}',
    "event: a letter that base32 lacks": f'{{ event(id: "{EVENT[:-1]}u") {{ id }} }}',
    "event: capital letters": f'{{ event(id: "{EVENT.upper()}") {{ id }} }}',
    "event: more than 128 bits": '{ event(id: "evt_81jd3x8k2m9q4r5s6t7v8w9x0y") { id } }',
    "event: a space behind": f'{{ event(id: "{EVENT} ") {{ id }} }}',
    "event: a NUL inside": '{ event(id: "evt_\\u0000") { id } }',
    "event: a number": "{ event(id: 17) { id } }",
    "event: 10,000 letters": f'{{ event(id: "{"x" * 10_000}") {{ id }} }}',
    "node: an unknown prefix": '{ node(id: "abc_01jd3x8k2m9q4r5s6t7v8w9x0y") { id } }',
    "node: a seat is no node": '{ node(id: "seat_01jd3x8k2m9q4r5s6t7v8w9x0y_3") { id } }',
    "node: a ticket without a number": '{ node(id: "tkt_01jd3x8k2m9q4r5s6t7v8w9x0y_") { id } }',
    "node: a ticket below zero": '{ node(id: "tkt_01jd3x8k2m9q4r5s6t7v8w9x0y_-1") { id } }',
    "node: a ticket with leading zeros": '{ node(id: "tkt_01jd3x8k2m9q4r5s6t7v8w9x0y_007") { id } }',
    "order: not an id": '{ order(id: "1; DROP TABLE orders") { id } }',
    "queueEntry: not an id": '{ queueEntry(eventId: "q") { id } }',
    "events: a page of none": "{ events(first: 0) { totalCount } }",
    "events: a page below zero": "{ events(first: -1) { totalCount } }",
    "events: a page too large": "{ events(first: 101) { totalCount } }",
    "events: a page of text": '{ events(first: "ten") { totalCount } }',
    "events: a page of a fraction": "{ events(first: 1.5) { totalCount } }",
    "events: a page beyond 32 bits": "{ events(first: 2147483648) { totalCount } }",
    "events: not a cursor": '{ events(after: "nonsense!") { totalCount } }',
    "events: an empty cursor": '{ events(after: "") { totalCount } }',
    "events: a cursor of garbage": '{ events(after: "AAAA") { totalCount } }',
    "events: a cursor that is not ASCII": '{ events(after: "좌석") { totalCount } }',
    "events: a foreign cursor": '{ events(after: "dGlja2V0czox") { totalCount } }',
    "events: a long cursor": f'{{ events(after: "{"A" * 5_000}") {{ totalCount }} }}',
    "events: a cursor beyond all years": (
        '{ events(after: "U1RBUlRTX0FUX0FTQzo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OmFh") { totalCount } }'
    ),
    "events: an order that there is not": "{ events(orderBy: PRICE) { totalCount } }",
    "events: a date without an offset": (
        '{ events(filter: {startsFrom: "2031-01-01T00:00:00"}) { totalCount } }'
    ),
    "events: a date alone": '{ events(filter: {startsFrom: "2031-01-01"}) { totalCount } }',
    "events: a day that there is not": (
        '{ events(filter: {startsFrom: "2031-02-30T00:00:00Z"}) { totalCount } }'
    ),
    "events: a moment before all calendars": (
        '{ events(filter: {startsFrom: "0001-01-01T00:00:00+14:00"}) { totalCount } }'
    ),
    "events: a date as a number": "{ events(filter: {startsFrom: 1893456000}) { totalCount } }",
    "events: a venue's id that is none": '{ events(filter: {venueId: "x"}) { totalCount } }',
    "events: a performer's id that is a venue's": (
        '{ events(filter: {performerId: "ven_01jd3x8k2m9q4r5s6t7v8w9x0y"}) { totalCount } }'
    ),
    "events: a city with a NUL": '{ events(filter: {city: "Se\\u0000oul"}) { totalCount } }',
    "events: an endless city": f'{{ events(filter: {{city: "{"x" * 300}"}}) {{ totalCount }} }}',
    "events: a condition that there is not": "{ events(filter: {price: 3}) { totalCount } }",
    "search: a page of none": "{ searchEvents(input: {pageSize: 0}) { total } }",
    "search: a page too large": "{ searchEvents(input: {pageSize: 1000}) { total } }",
    "search: page zero": "{ searchEvents(input: {pageNum: 0}) { total } }",
    "search: a page beyond all results": "{ searchEvents(input: {pageNum: 2000000000}) { total } }",
    "search: an endless keyword": f'{{ searchEvents(input: {{keyword: "{"x" * 3_000}"}}) {{ total }} }}',
    "search: a NUL": '{ searchEvents(input: {keyword: "\\u0000"}) { total } }',
    "search: north of the pole": "{ searchEvents(input: {near: {lat: 91, lng: 0}}) { total } }",
    "search: beyond the date line": "{ searchEvents(input: {near: {lat: 0, lng: 181}}) { total } }",
    "search: no radius": "{ searchEvents(input: {near: {lat: 0, lng: 0, radiusKm: 0}}) { total } }",
    "search: distance from nowhere": "{ searchEvents(input: {sort: DISTANCE}) { total } }",
    "search: a price below zero": "{ searchEvents(input: {priceMax: -1}) { total } }",
    "search: an end before its start": (
        '{ searchEvents(input: {start: "2031-02-01T00:00:00Z", end: "2031-01-01T00:00:00Z"}) { total } }'
    ),
    "suggest: none of them": '{ suggest(prefix: "a", limit: 0) { text } }',
    "suggest: too many": '{ suggest(prefix: "a", limit: 1000) { text } }',
    "suggest: an endless prefix": f'{{ suggest(prefix: "{"x" * 3_000}") {{ text }} }}',
    "me: orders after a foreign cursor": '{ me { orders(after: "dGlja2V0czox") { totalCount } } }',
    "me: a page of none": "{ me { orders(first: 0) { totalCount } } }",
}
REFUSED_BEFORE_EXECUTION = {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}


@pytest.fixture(scope="module")
async def rows(module_postgres_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(module_postgres_url)
    yield connection
    await connection.close()


async def everything(rows: "asyncpg.Connection[Any]") -> tuple[int, ...]:
    """How many rows there are of what a mutation could write."""
    tables = "events seat_maps price_levels venues performers users orders claims payments outbox".split()
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    return tuple((await rows.fetchrow(f"SELECT {counts}")) or ())


@pytest.mark.parametrize("name", BAD_QUERIES)
async def test_a_bad_query_is_refused(api: Api, name: str) -> None:
    answer = await api.ask(BAD_QUERIES[name], token=somebody())

    assert answer.status < 500
    assert answer.code in REFUSED_BEFORE_EXECUTION
    assert answer.message
    assert "Traceback" not in answer.message


def changed_plan(**changes: Any) -> str:
    """The small hall's plan with other parts."""
    return orjson.dumps(orjson.loads(plan()) | changes).decode()


BAD_EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": "  "}, "name"),
    "an endless name": ({"name": "x" * 201}, "name"),
    "a name with a NUL": ({"name": "An\u0000evening"}, "name"),
    "an endless description": ({"description": "x" * 20_001}, "description"),
    "an end before its start": ({"endsAt": "2031-05-01T09:00:00Z"}, "endsAt"),
    "an end at its start": ({"endsAt": "2031-05-01T10:30:00Z"}, "endsAt"),
    "a sale that closes first": (
        {"onSaleAt": "2031-04-01T00:00:00Z", "offSaleAt": "2031-03-01T00:00:00Z"},
        "offSaleAt",
    ),
    "a start in the year 1066": ({"startsAt": "1066-10-14T09:00:00Z", "endsAt": None}, "startsAt"),
    "a timezone that there is not": ({"venue": VENUE | {"timezone": "Asia/Atlantis"}}, "venue.timezone"),
    "a timezone that is a path": ({"venue": VENUE | {"timezone": "../../etc/passwd"}}, "venue.timezone"),
    "no city": ({"venue": VENUE | {"city": ""}}, "venue.city"),
    "north of the pole": ({"venue": VENUE | {"lat": 90.5}}, "venue.lat"),
    "a latitude alone": ({"venue": VENUE | {"lng": None}}, "venue"),
    "a performer without a name": ({"performers": ["The Band", " "]}, "performers[1]"),
    "too many performers": ({"performers": [f"P{n}" for n in range(101)]}, "performers"),
    "no tickets an order": ({"maxTicketsPerOrder": 0}, "maxTicketsPerOrder"),
    "too many tickets an order": ({"maxTicketsPerOrder": 101}, "maxTicketsPerOrder"),
    "orders that no card can pay": (
        {
            "maxTicketsPerOrder": 100,
            "generalAdmission": [GA | {"price": MONEY | {"amount": 99_999_999}}],
        },
        "maxTicketsPerOrder",
    ),
    "nothing to sell": ({"seatingPlan": None, "priceLevels": [], "generalAdmission": []}, "plan"),
    "a plan that is not JSON": ({"seatingPlan": "{"}, "seatingPlan"),
    "a plan that is a list": ({"seatingPlan": "[]"}, "seatingPlan"),
    "a plan without zones": ({"seatingPlan": '{"name": "x", "categories": []}'}, "zones"),
    "a plan with a seat of no category": ({"seatingPlan": changed_plan(categories=[])}, "zones[0].rows[0]"),
    "a category without a price": ({"priceLevels": []}, "priceLevels"),
    "a price for no category": ({"priceLevels": [{"category": "Balcony", "price": MONEY}]}, "priceLevels[0]"),
    "a price below zero": (
        {"priceLevels": [{"category": "Stalls", "price": MONEY | {"amount": -1}}]},
        "priceLevels[0].price",
    ),
    "a currency that there is not": (
        {"generalAdmission": [GA | {"price": MONEY | {"currency": "DOL"}}]},
        "generalAdmission[0].price",
    ),
    "two currencies": ({"generalAdmission": [GA | {"price": MONEY | {"currency": "EUR"}}]}, "currency"),
    "a floor for nobody": ({"generalAdmission": [GA | {"capacity": 0}]}, "generalAdmission[0].capacity"),
    "two floors of one name": ({"generalAdmission": [GA, GA]}, "generalAdmission[1]"),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
async def test_a_bad_event_is_refused_and_nothing_is_written(
    api: Api, rows: "asyncpg.Connection[Any]", name: str
) -> None:
    changes, path = BAD_EVENTS[name]
    before = await everything(rows)

    answer = await api.mutate("createEvent", event_input(**changes), somebody("organise"))

    assert (answer["__typename"], answer["code"]) == ("RequestRefused", "INVALID_INPUT")
    assert path in answer["message"]
    assert await everything(rows) == before


SEATS = {"seatIds": ["seat_01jd3x8k2m9q4r5s6t7v8w9x0y_0"]}
FLOOR = {"generalAdmission": {"sectionId": "sec_01jd3x8k2m9q4r5s6t7v8w9x0y_0", "quantity": 1}}
BAD_MUTATIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "reserve: no event's id": ("reserve", {"eventId": "x", "selection": SEATS}, "INVALID_INPUT"),
    "reserve: no such event": ("reserve", {"eventId": EVENT, "selection": SEATS}, "NOT_FOUND"),
    "reserve: no such floor": ("reserve", {"eventId": EVENT, "selection": FLOOR}, "NOT_FOUND"),
    "reserve: a key with a NUL": (
        "reserve",
        {"eventId": EVENT, "selection": SEATS, "idempotencyKey": "a\u0000"},
        "INVALID_INPUT",
    ),
    "reserve: an endless key": (
        "reserve",
        {"eventId": EVENT, "selection": SEATS, "idempotencyKey": "x" * 256},
        "INVALID_INPUT",
    ),
    "refundOrder: a reason with a NUL": (
        "refundOrder",
        {"orderId": ORDER, "reason": "a\u0000"},
        "INVALID_INPUT",
    ),
    "refundOrder: tickets of two events": (
        "refundOrder",
        {"orderId": ORDER, "ticketIds": ["tkt_01jd3x8k2m9q4r5s6t7v8w9x0y_1", f"tkt_{'0' * 26}_1"]},
        "INVALID_INPUT",
    ),
    "pay: no order's id": ("pay", {"orderId": "x"}, "INVALID_INPUT"),
    "pay: no such order": ("pay", {"orderId": ORDER}, "NOT_FOUND"),
    "releaseOrder: no order's id": ("releaseOrder", {"orderId": EVENT}, "INVALID_INPUT"),
    "releaseOrder: no such order": ("releaseOrder", {"orderId": ORDER}, "NOT_FOUND"),
    "refundOrder: no order's id": ("refundOrder", {"orderId": "x"}, "INVALID_INPUT"),
    "refundOrder: no such order": ("refundOrder", {"orderId": ORDER}, "NOT_FOUND"),
    "refundOrder: no ticket's id": ("refundOrder", {"orderId": ORDER, "ticketIds": ["x"]}, "INVALID_INPUT"),
    "updateEvent: no event's id": ("updateEvent", {"eventId": "x"}, "INVALID_INPUT"),
    "updateEvent: no such event": ("updateEvent", {"eventId": EVENT}, "NOT_FOUND"),
    "publishEvent: no event's id": ("publishEvent", {"eventId": ""}, "INVALID_INPUT"),
    "publishEvent: no such event": ("publishEvent", {"eventId": EVENT}, "NOT_FOUND"),
    "cancelEvent: no such event": ("cancelEvent", {"eventId": EVENT}, "NOT_FOUND"),
    "blockSeats: no such event": (
        "blockSeats",
        {"eventId": EVENT, "seatIds": SEATS["seatIds"], "blocked": True},
        "NOT_FOUND",
    ),
    "joinQueue: no event's id": ("joinQueue", {"eventId": "x"}, "INVALID_INPUT"),
    "joinQueue: no such event": ("joinQueue", {"eventId": EVENT}, "NOT_FOUND"),
    "leaveQueue: no such event": ("leaveQueue", {"eventId": EVENT}, "NOT_FOUND"),
    "configureWaitingRoom: no such event": (
        "configureWaitingRoom",
        {"eventId": EVENT, "enabled": True},
        "NOT_FOUND",
    ),
    "configureWaitingRoom: nobody a minute": (
        "configureWaitingRoom",
        {"eventId": EVENT, "enabled": True, "admitPerMinute": 0},
        "INVALID_INPUT",
    ),
    "createGuestSession: no address": ("createGuestSession", {"email": ""}, "INVALID_INPUT"),
    "createGuestSession: no host": ("createGuestSession", {"email": "guest@"}, "INVALID_INPUT"),
    "createGuestSession: two addresses": (
        "createGuestSession",
        {"email": "a@example.org, b@example.org"},
        "INVALID_INPUT",
    ),
    "createGuestSession: a line end": (
        "createGuestSession",
        {"email": "a@example.org\nBcc: b@example.org"},
        "INVALID_INPUT",
    ),
    "createGuestSession: an endless name": (
        "createGuestSession",
        {"email": "a@example.org", "name": "x" * 300},
        "INVALID_INPUT",
    ),
}


@pytest.mark.parametrize("name", BAD_MUTATIONS)
async def test_a_bad_mutation_is_refused_and_nothing_is_written(
    api: Api, rows: "asyncpg.Connection[Any]", name: str
) -> None:
    field, given, code = BAD_MUTATIONS[name]
    before = await everything(rows)

    answer = await api.mutate(field, given, somebody("organise", "buy"))

    assert (answer["__typename"], answer["code"]) == ("RequestRefused", code)
    assert answer["message"].endswith(".")
    assert await everything(rows) == before


BAD_SELECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no seats": ({"seatIds": []}, "INVALID_INPUT"),
    "one seat twice": ({"seatIds": ["seat_{}_3", "seat_{}_3"]}, "INVALID_INPUT"),
    "a seat that there is not": ({"seatIds": ["seat_{}_12"]}, "INVALID_INPUT"),
    "a place on the floor as a seat": ({"seatIds": ["seat_{}_20"]}, "INVALID_INPUT"),
    "another event's seat": ({"seatIds": SEATS["seatIds"]}, "INVALID_INPUT"),
    "a ticket's id for a seat's": ({"seatIds": ["tkt_{}_1"]}, "INVALID_INPUT"),
    "more seats than an order holds": ({"seatIds": [f"seat_{{}}_{n}" for n in range(9)]}, "LIMIT_EXCEEDED"),
    "nobody on the floor": ({"generalAdmission": {"sectionId": "sec_{}_1", "quantity": 0}}, "INVALID_INPUT"),
    "fewer than nobody": ({"generalAdmission": {"sectionId": "sec_{}_1", "quantity": -2}}, "INVALID_INPUT"),
    "a crowd on the floor": (
        {"generalAdmission": {"sectionId": "sec_{}_1", "quantity": 9}},
        "LIMIT_EXCEEDED",
    ),
    "general admission to numbered seats": (
        {"generalAdmission": {"sectionId": "sec_{}_0", "quantity": 1}},
        "INVALID_INPUT",
    ),
    "a section that there is not": (
        {"generalAdmission": {"sectionId": "sec_{}_7", "quantity": 1}},
        "INVALID_INPUT",
    ),
    "the best of nothing": ({"bestAvailable": {"quantity": 0}}, "INVALID_INPUT"),
    "the best of a floor": ({"bestAvailable": {"quantity": 1, "sectionId": "sec_{}_1"}}, "INVALID_INPUT"),
    "the best at no price": ({"bestAvailable": {"quantity": 1, "priceLevelId": "plv_{}_9"}}, "INVALID_INPUT"),
    "the best of no section": ({"bestAvailable": {"quantity": 1, "sectionId": "here"}}, "INVALID_INPUT"),
}


def _of_event(value: Any, letters: str) -> Any:
    return orjson.loads(orjson.dumps(value).replace(b"_{}_", f"_{letters}_".encode()))


@pytest.mark.parametrize("name", BAD_SELECTIONS)
async def test_a_bad_selection_is_refused_and_nothing_is_held(
    api: Api, rows: "asyncpg.Connection[Any]", name: str
) -> None:
    selection, code = BAD_SELECTIONS[name]
    event_id = await publish_event(api, somebody("organise"))
    before = await everything(rows)

    answer = await api.mutate(
        "reserve",
        {"eventId": event_id, "selection": _of_event(selection, event_id.removeprefix("evt_"))},
        somebody(),
    )

    assert (answer["__typename"], answer["code"]) == ("RequestRefused", code)
    assert await everything(rows) == before


@pytest.mark.parametrize(
    "selection",
    [{}, {"seatIds": [], "bestAvailable": {"quantity": 1}}, {"seatIds": None}, {"bestAvailable": {}}],
    ids=["none", "two", "null", "unfinished"],
)
async def test_a_selection_that_is_not_one_kind_is_refused_before_anything_runs(
    api: Api, selection: dict[str, Any]
) -> None:
    query = "mutation ($input: ReserveInput!) { reserve(input: $input) { __typename } }"

    answer = await api.ask(query, {"input": {"eventId": EVENT, "selection": selection}}, somebody())

    assert answer.status == 400
    assert answer.code in REFUSED_BEFORE_EXECUTION


async def test_a_draft_cannot_be_bought(api: Api) -> None:
    organiser = somebody("organise", "buy")
    event_id = await create_event(api, organiser)

    answer = await api.mutate(
        "reserve", {"eventId": event_id, "selection": {"bestAvailable": {"quantity": 1}}}, organiser
    )

    assert answer["code"] == "NOT_FOUND"


async def test_an_event_that_is_over_cannot_be_published(api: Api) -> None:
    organiser = somebody("organise")
    event_id = await create_event(api, organiser, startsAt="2020-01-01T00:00:00Z", endsAt=None)

    answer = await api.mutate("publishEvent", {"eventId": event_id}, organiser)

    assert answer["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("field", ["startsAt", "name"])
async def test_what_an_event_must_have_cannot_be_cleared(api: Api, field: str) -> None:
    organiser = somebody("organise")
    event_id = await create_event(api, organiser)

    answer = await api.mutate("updateEvent", {"eventId": event_id, field: None}, organiser)

    assert answer["code"] == "INVALID_INPUT"
    assert field in answer["message"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("reserve", {"eventId": EVENT, "selection": SEATS}),
        ("pay", {"orderId": ORDER}),
        ("releaseOrder", {"orderId": ORDER}),
        ("joinQueue", {"eventId": EVENT}),
        ("createEvent", event_input()),
        ("cancelEvent", {"eventId": EVENT}),
        ("refundOrder", {"orderId": ORDER}),
    ],
)
async def test_nobody_may_write_without_a_token(
    api: Api, rows: "asyncpg.Connection[Any]", field: str, given: dict[str, Any]
) -> None:
    name = "EventIdInput" if field == "cancelEvent" else f"{field[0].upper()}{field[1:]}Input"
    before = await everything(rows)

    answer = await api.ask(
        f"mutation ($input: {name}!) {{ {field}(input: $input) {{ __typename }} }}", {"input": given}
    )

    assert answer.code == "UNAUTHENTICATED"
    assert await everything(rows) == before


async def test_whole_seat_maps_are_refused_when_a_document_asks_for_many(api: Api) -> None:
    seats = (
        "seatMap { sections { seats { id index row number x y priceLevelId accessible restrictedView } } }"
    )
    for number, code in ((1, None), (3, "COST_LIMIT")):
        aliases = " ".join(f"a{each}: {seats}" for each in range(number))
        query = f'{{ event(id: "{EVENT}") {{ {aliases} }} }}'
        answer = (await api.client.post("/graphql", json={"query": query})).json()
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert codes == ([] if code is None else [code])


async def test_the_schema_is_told_when_it_is_asked_for_once(api: Api) -> None:
    fields = "{ queryType { name } types { name fields { name } } }"
    for query, code in (
        (
            get_introspection_query(descriptions=True, specified_by_url=True, input_value_deprecation=True),
            None,
        ),
        (f"{{ a: __schema {fields} b: __schema {fields} }}", "COST_LIMIT"),
        ('{ a: __type(name: "Event") { name } b: __type(name: "Venue") { name } }', None),
        ("{ " + " ".join(f'a{n}: __type(name: "Event") {{ name }}' for n in range(10)) + " }", "COST_LIMIT"),
    ):
        answer = (await api.client.post("/graphql", json={"query": query})).json()
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert codes == ([] if code is None else [code])

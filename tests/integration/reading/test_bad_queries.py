"""Malformed and expensive queries: one sentence, a stable code, never a 500."""

import pytest
from graphql import get_introspection_query

from tests.apis import Api, new_token

EVENT = "evt_01jd3x8k2m9q4r5s6t7v8w9x0y"
ORDER = "ord_01jd3x8k2m9q4r5s6t7v8w9x0y"

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
    "node: a ticket with a place's number": '{ node(id: "tkt_01jd3x8k2m9q4r5s6t7v8w9x0y_7") { id } }',
    "node: a place without a number": '{ node(id: "plc_01jd3x8k2m9q4r5s6t7v8w9x0y_") { id } }',
    "node: a place below zero": '{ node(id: "plc_01jd3x8k2m9q4r5s6t7v8w9x0y_-1") { id } }',
    "node: a place with leading zeros": '{ node(id: "plc_01jd3x8k2m9q4r5s6t7v8w9x0y_007") { id } }',
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


@pytest.mark.parametrize("name", BAD_QUERIES)
async def test_a_bad_query_is_refused(api: Api, name: str) -> None:
    answer = await api.ask(BAD_QUERIES[name], token=new_token())

    assert answer.status < 500
    assert answer.code in REFUSED_BEFORE_EXECUTION
    assert answer.message
    assert "Traceback" not in answer.message


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


async def test_the_schema_is_shown_when_it_is_asked_for_once(api: Api) -> None:
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

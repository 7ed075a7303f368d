"""Malformed mutations: one sentence, a stable code, nothing written, never a 500."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest

from tests.apis import Api, new_token
from tests.integration.reading.events import GA, VENUE, create_event, event_input, plan, publish_event

EVENT = "evt_01jd3x8k2m9q4r5s6t7v8w9x0y"
ORDER = "ord_01jd3x8k2m9q4r5s6t7v8w9x0y"
MONEY = {"amount": 4500, "currency": "USD"}

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
    "the timezone of the machine": ({"venue": VENUE | {"timezone": "localtime"}}, "venue.timezone"),
    "the timezone of a machine without one": ({"venue": VENUE | {"timezone": "Factory"}}, "venue.timezone"),
    "a timezone that is a path": ({"venue": VENUE | {"timezone": "../../etc/passwd"}}, "venue.timezone"),
    "no city": ({"venue": VENUE | {"city": ""}}, "venue.city"),
    "north of the pole": ({"venue": VENUE | {"lat": 90.5}}, "venue.lat"),
    "a latitude alone": ({"venue": VENUE | {"lng": None}}, "venue"),
    "a performer without a name": ({"performers": ["The Band", " "]}, "performers[1]"),
    "too many performers": ({"performers": [f"P{n}" for n in range(101)]}, "performers"),
    "no tickets an order": ({"maxTicketsPerOrder": 0}, "maxTicketsPerOrder"),
    "too many tickets an order": ({"maxTicketsPerOrder": 101}, "maxTicketsPerOrder"),
    "nothing to sell": ({"seatingPlan": None, "priceLevels": [], "generalAdmission": []}, "plan"),
    "a plan that is not JSON": ({"seatingPlan": "{"}, "seatingPlan"),
    "a plan that is a list": ({"seatingPlan": "[]"}, "seatingPlan"),
    "a plan without zones": ({"seatingPlan": '{"name": "x", "categories": []}'}, "zones"),
    "a plan with a seat of no category": ({"seatingPlan": changed_plan(categories=[])}, "zones[0].rows[0]"),
    "no price at all": ({"priceLevels": [], "generalAdmission": []}, "priceLevels"),
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

    answer = await api.mutate("createEvent", event_input(**changes), new_token("organise"))

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
    "refundOrder: a place's id": (
        "refundOrder",
        {"orderId": ORDER, "ticketIds": ["plc_01jd3x8k2m9q4r5s6t7v8w9x0y_1"]},
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

    answer = await api.mutate(field, given, new_token("organise", "buy"))

    assert (answer["__typename"], answer["code"]) == ("RequestRefused", code)
    assert answer["message"].endswith(".")
    assert await everything(rows) == before


BAD_SELECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no seats": ({"seatIds": []}, "INVALID_INPUT"),
    "one seat twice": ({"seatIds": ["seat_{}_3", "seat_{}_3"]}, "INVALID_INPUT"),
    "a seat that there is not": ({"seatIds": ["seat_{}_12"]}, "INVALID_INPUT"),
    "a place on the floor as a seat": ({"seatIds": ["seat_{}_20"]}, "INVALID_INPUT"),
    "another event's seat": ({"seatIds": SEATS["seatIds"]}, "INVALID_INPUT"),
    "a place's id for a seat's": ({"seatIds": ["plc_{}_1"]}, "INVALID_INPUT"),
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
    event_id = await publish_event(api, new_token("organise"))
    before = await everything(rows)

    answer = await api.mutate(
        "reserve",
        {"eventId": event_id, "selection": _of_event(selection, event_id.removeprefix("evt_"))},
        new_token(),
    )

    member = "LimitExceeded" if code == "LIMIT_EXCEEDED" else "RequestRefused"
    assert (answer["__typename"], answer["code"]) == (member, code)
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

    answer = await api.ask(query, {"input": {"eventId": EVENT, "selection": selection}}, new_token())

    assert answer.status == 400
    assert answer.code in REFUSED_BEFORE_EXECUTION


async def test_a_draft_cannot_be_bought(api: Api) -> None:
    organiser = new_token("organise", "buy")
    event_id = await create_event(api, organiser)

    answer = await api.mutate(
        "reserve", {"eventId": event_id, "selection": {"bestAvailable": {"quantity": 1}}}, organiser
    )

    assert answer["code"] == "NOT_FOUND"


async def test_an_event_that_is_over_cannot_be_published(api: Api) -> None:
    organiser = new_token("organise")
    event_id = await create_event(api, organiser, startsAt="2020-01-01T00:00:00Z", endsAt=None)

    answer = await api.mutate("publishEvent", {"eventId": event_id}, organiser)

    assert answer["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("field", ["startsAt", "name"])
async def test_what_an_event_must_have_cannot_be_cleared(api: Api, field: str) -> None:
    organiser = new_token("organise")
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

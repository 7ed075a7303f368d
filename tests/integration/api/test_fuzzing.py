"""Operations that nobody would write, and values that nobody would send: none finds a fault of ours.

The server is a real one on a port of its own; schemathesis writes the documents out of the served
schema, hypothesis the inputs out of the same types with real ids among the junk.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    is_required_input_field,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes

from app import create_app
from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from schema.schema import schema
from tests.apis import settings_on, token_of
from tests.installations import until
from tests.integration.reading.events import event_input
from tests.profiles import examples

QUIET = settings(
    max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)
MUTATIONS = schema._schema.mutation_type.fields  # type: ignore[union-attr]
HOSTILE = ["", " ", "\x00", "\u202e", "\ufeff", "a" * 70_000, "'; DROP TABLE events; --", '" OR city EXISTS']
HOSTILE += ["{$ne: 1}", "*\r\nFLUSHALL\r\n", "../../etc/passwd", "<script>", "%00", "𝕏" * 300, "-1", "1e400"]
MOMENTS = [
    "2031-05-01T19:30:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2031-02-30T00:00:00Z",
    "now",
]
NUMBERS = [0, 1, -1, 2, 100, 101, 2**31 - 1, -(2**31), 2**31, 2**63]


@dataclass(slots=True)
class Served:
    """The server, the token of a person with all scopes, and the requests so far."""

    url: str
    headers: dict[str, str]
    ids: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.post(
            self.url, json={"query": query, "variables": variables or {}}, headers=self.headers, timeout=20
        )
        self.check(answer.status_code, answer.text)
        body: dict[str, Any] = answer.json()
        return body

    def check(self, status: int, text: str) -> None:
        """No answer is a fault of ours, masked or not."""
        self.asked["operations"] += 1
        assert status < 500, text
        assert "INTERNAL_SERVER_ERROR" not in text, text
        assert "Traceback" not in text


@pytest.fixture(scope="module")
def served(
    module_postgres_url: str, redis_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    stripe = LocalStripe(tmp_path_factory.mktemp("stripe"), "http://127.0.0.1:9/", "whsec_local_test")
    stripe.start()
    app = create_app(settings_on(module_postgres_url, redis_server.url(), stripe_api_base=stripe.url()))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        until(lambda: server.started)
        served = Served(
            f"http://127.0.0.1:{listener.getsockname()[1]}/graphql",
            {"authorization": f"Bearer {token_of('fuzz', 'buy', 'organise', 'check_in')}"},
        )
        served.ids = real_ids(served)
        yield served
        server.should_exit = True
        thread.join(20)
    stripe.stop()


def real_ids(served: Served) -> list[str]:
    """An event that is on sale, its parts, and an order."""
    create = (
        "mutation ($input: CreateEventInput!) { createEvent(input: $input) { ... on EventSuccess {"
        " event { id venue { id } performers { id } seatMap { sections { id seats { id } } } } } } }"
    )
    event = served.ask(create, {"input": event_input()})["data"]["createEvent"]["event"]
    served.ask(f'mutation {{ publishEvent(input: {{eventId: "{event["id"]}"}}) {{ __typename }} }}')
    sections = event["seatMap"]["sections"]
    seats = [seat["id"] for section in sections for seat in section["seats"]]
    order = served.ask(
        f'mutation {{ reserve(input: {{eventId: "{event["id"]}", selection: {{seatIds: ["{seats[0]}"]}}}})'
        " { ... on ReserveSuccess { order { id tickets { id } } } } }"
    )["data"]["reserve"]["order"]
    found = [event["id"], event["venue"]["id"], event["performers"][0]["id"], order["id"], *seats[:3]]
    return [*found, *(section["id"] for section in sections), order["tickets"][0]["id"]]


def values(kind: GraphQLInputType, ids: list[str]) -> st.SearchStrategy[Any]:
    """Values that mostly fit a type, and sometimes do not."""
    if isinstance(kind, GraphQLNonNull):
        return values(kind.of_type, ids)
    if isinstance(kind, GraphQLList):
        return st.lists(values(kind.of_type, ids), max_size=4)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from(sorted(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return objects(kind, ids)
    junk = st.sampled_from(HOSTILE) | st.text(max_size=40)
    match kind.name:
        case "ID":
            return st.sampled_from(ids) | st.sampled_from(ids) | st.sampled_from(ids) | junk
        case "Int":
            return st.sampled_from(NUMBERS) | st.integers(-5, 50)
        case "Float":
            return st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e308, -1e308, 37.5])
        case "Boolean":
            return st.booleans()
        case "MinorUnits":
            return (
                st.sampled_from(NUMBERS)
                | st.integers(-(2**54), 2**54)
                | st.floats(allow_nan=False, allow_infinity=False)
            )
        case "DateTime" | "Date":
            return st.sampled_from(MOMENTS)
    return junk | st.sampled_from(["USD", "KRW", "Asia/Seoul", "pm_card_visa", "a@example.org", "Stalls"])


def objects(kind: GraphQLInputObjectType, ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """An input object: what it needs, and some of what it may have."""
    if kind.is_one_of:
        return st.sampled_from(sorted(kind.fields)).flatmap(
            lambda name: st.fixed_dictionaries({name: values(kind.fields[name].type, ids)})
        )
    needed = {n: values(f.type, ids) for n, f in kind.fields.items() if is_required_input_field(f)}
    optional = {n: values(f.type, ids) for n, f in kind.fields.items() if n not in needed}
    return st.fixed_dictionaries(needed, optional=optional)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_mutation_answers_or_refuses_whatever_its_input(served: Served, name: str) -> None:
    kind = MUTATIONS[name].args["input"].type
    document = f"mutation ($input: {kind}) {{ {name}(input: $input) {{ __typename }} }}"

    @settings(QUIET, max_examples=examples(20))
    @given(given_=values(kind, served.ids))
    def ask(given_: dict[str, Any]) -> None:
        served.ask(document, {"input": given_})

    ask()
    assert served.asked["operations"] >= examples(20)


def test_every_operation_of_the_schema_is_answered_when_schemathesis_writes_it(served: Served) -> None:
    strings = st.sampled_from([*MOMENTS, *HOSTILE[:5]]).map(nodes.String)
    for scalar in ("DateTime", "Date"):
        schemathesis.graphql.scalar(scalar, strings)
    amounts = st.sampled_from([*NUMBERS, 2**53 - 1, 2**53])
    schemathesis.graphql.scalar("MinorUnits", amounts.map(nodes.Int))
    written = schemathesis.graphql.from_url(served.url)
    tried = Counter[str]()

    for found in written.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # an Err raises its own fault
        attack(served, operation, tried)

    assert len(tried) >= len(MUTATIONS) + 9
    assert sum(tried.values()) > 50


def attack(served: Served, operation: Any, tried: Counter[str]) -> None:
    """Ask some variants of one operation."""

    @QUIET
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(headers=served.headers)
        served.check(answer.status_code, answer.text)
        tried[operation.label] += 1

    ask()

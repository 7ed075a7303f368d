"""Requests of buyers behind a proxy, no two of which are the same bytes.

Each comes from the next of many buyers, with that buyer's token and address and with an `x-request-id` of
its own; variables differ, and a hold has an idempotency key of its own, as the web client sends it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any
from urllib.parse import urlencode

from benchmarks.installation import Installation
from benchmarks.sample_events import ON_SALE_SINCE, RESERVE, ask, create_event, numbered_seats

BUYERS = 499  # a prime, so that each buyer comes to each variation
EVENTS = 20
SEATS, SEATS_AN_ORDER, ORDERS = 500, 8, 12
EVENT_MARKER, LIST_MARKER, REFUSED_MARKER = b"Standard Deviation", b"Benchmark night 19", b"SeatsUnavailable"
EVENT = """
query Event($id: ID!) {
  event(id: $id) {
    id name description category startsAt endsAt timezone status
    onSaleAt offSaleAt maxTicketsPerOrder orphanRule
    priceFrom { amount currency } priceTo { amount currency }
    venue { id name address city country lat lng timezone }
    performers { id name genres }
    availability { total available held booked }
  }
}
"""
LIST = """
query List($first: Int!, $filter: EventFilter) {
  events(first: $first, filter: $filter) {
    edges { node { id name category startsAt status venue { name } } }
  }
}
"""
END = "\r\n"
_KEY = b"idempotency-key-of-32-characters"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Question:
    """One GraphQL request."""

    query: str
    variables: dict[str, Any]

    @property
    def body(self) -> bytes:
        """As a client posts it."""
        return json.dumps({"query": self.query, "variables": self.variables}).encode()

    @property
    def query_string(self) -> str:
        """As a client sends it by GET."""
        return urlencode({"query": self.query, "variables": json.dumps(self.variables)})


@dataclass(frozen=True, slots=True)
class Questions:
    """All that one installation is asked, in many variations each."""

    event: list[Question]
    """One event of some thirty fields, another event each time"""
    listing: list[Question]
    """Twenty events of six fields, starting from another day each time"""
    refused: list[Question]
    """A hold of two seats that another buyer has, other seats each time"""
    refused_with_key: list[Question]
    """The same, each with an idempotency key of its own"""


def prepare(installation: Installation) -> Questions:
    """Twenty events, the first with many seats that are held already."""
    events = [
        create_event(
            installation,
            name=f"Benchmark night {number}",
            description="An evening of measured music, played twice as fast as it was written.",
            category="Concert",
            onSaleAt=ON_SALE_SINCE,
            performers=["The Medians", "Standard Deviation"],
            **numbered_seats(SEATS),
        )
        for number in range(EVENTS)
    ]
    days = [{"startsFrom": f"2030-01-{day:02}T00:00:00Z"} for day in range(1, 1 + EVENTS)]
    pairs = hold_seats(installation, events[0])
    holds = [{"eventId": events[0]["id"], "selection": {"seatIds": pair}} for pair in pairs]
    return Questions(
        [Question(EVENT, {"id": event["id"]}) for event in events],
        [Question(LIST, {"first": EVENTS, "filter": day}) for day in days],
        [Question(RESERVE, {"input": hold}) for hold in holds],
        [Question(RESERVE, {"input": {**hold, "idempotencyKey": _KEY.decode()}}) for hold in holds],
    )


def hold_seats(installation: Installation, event: dict[str, Any]) -> list[list[str]]:
    """Hold the first seats of an event; the held ones in pairs of neighbours."""
    seats = [seat["id"] for seat in event["seatMap"]["sections"][0]["seats"]][: SEATS_AN_ORDER * ORDERS]
    for start in range(0, len(seats), SEATS_AN_ORDER):
        selection = {"seatIds": seats[start : start + SEATS_AN_ORDER]}
        wanted = {"eventId": event["id"], "selection": selection}
        answer = ask(installation, RESERVE, {"input": wanted}, installation.token(f"holder-{start}"))
        assert answer["reserve"]["__typename"] == "ReserveSuccess", answer
    return [seats[start : start + 2] for start in range(0, len(seats), 2)]


class Buyers:
    """Many signed-in buyers of one installation, behind one proxy."""

    def __init__(self, installation: Installation) -> None:
        self._tokens = [installation.token(f"buyer-{number}") for number in range(BUYERS)]
        self._forwarded = [_forwarded(number) for number in range(BUYERS)]

    def posts(
        self, questions: list[Question], path: str = "/graphql", *, wants_cost: bool = False
    ) -> Iterator[bytes]:
        """Endless POSTs. One that asks for its cost is always executed, never answered from a cache."""
        given = f"content-type: application/json\r\n{'x-graphql-cost: 1' + END if wants_cost else ''}"
        heads = [
            f"POST {path} HTTP/1.1\r\n{each}authorization: Bearer {token}\r\n{given}".encode()
            for each, token in zip(self._forwarded, self._tokens, strict=True)
        ]
        bodies = [question.body for question in questions]
        tails = [b"content-length: %d\r\n\r\n%b" % (len(body), body) for body in bodies]
        for number, head, tail in zip(_numbers, cycle(heads), cycle(tails), strict=False):
            request_id = b"%032x" % number
            yield b"%bx-request-id: %b\r\n%b" % (head, request_id, tail.replace(_KEY, request_id))

    def gets(self, questions: list[Question], path: str = "/graphql") -> Iterator[bytes]:
        """Endless GETs without a token, as a page's first request or a CDN's."""
        starts = [f"GET {path}?{question.query_string} HTTP/1.1\r\n" for question in questions]
        heads = [f"{start}{each}".encode() for each in self._forwarded for start in starts]
        for number, head in zip(_numbers, cycle(heads), strict=False):
            yield b"%bx-request-id: %032x\r\n\r\n" % (head, number)


def _forwarded(number: int) -> str:
    """What a proxy sends on of every request of one buyer's browser."""
    return (
        f"host: tickets.example\r\nx-forwarded-for: 203.0.{number // 250}.{number % 250 + 1}\r\n"
        "x-forwarded-proto: https\r\norigin: https://tickets.example\r\n"
        "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
        "accept: application/graphql-response+json, application/json;q=0.9\r\n"
    )

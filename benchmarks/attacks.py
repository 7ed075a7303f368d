"""What a hostile client does to a sale, bounded: each function is one attack of `python -m benchmarks.abuse`.

Every document is one that the builds before the limits take too. Addresses travel in X-Forwarded-For.
"""

import asyncio
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from benchmarks.installation import Installation
from benchmarks.sample_events import CREATE, ORGANISER, PUBLISH, ask, standing

NETWORK_GUESTS, NETWORK_HOUSE = 100, 600
HOUSE, WAITING_ROOM_HOUSE = 200, 400
MAPPED_JOINERS = 63
ABSENT_JOINERS, MAX_ACTIVE, ADMISSION_SECONDS = 2_000, 500, 60
JOINING_AT_ONCE = 20
REFUSALS_IN_A_ROW = 3
ON_SALE_SINCE = "2020-01-01T10:00:00Z"
PRICE, FREE = {"amount": 5000, "currency": "USD"}, {"amount": 0, "currency": "USD"}
# Public addresses: those of documentation count as private, which the limits pass over.
ATTACKER, OTHER, MAPPED = "20.1.2.7", "30.1.2.7", "::ffff:20.1.3."

GUEST = """mutation ($email: String!) {
  createGuestSession(input: { email: $email }) { ... on CreateGuestSessionSuccess { token } }
}"""
RESERVE = """mutation ($input: ReserveInput!) {
  reserve(input: $input) {
    __typename ... on ReserveSuccess { order { id } } ... on UserError { code }
  }
}"""
PAY = "mutation ($id: ID!) { pay(input: { orderId: $id }) { __typename ... on UserError { code } } }"
JOIN = """mutation ($id: ID!) {
  joinQueue(input: { eventId: $id }) {
    __typename
    ... on JoinQueueSuccess { entry { state admission { token } } }
    ... on UserError { code }
  }
}"""
CONFIGURE = """mutation ($input: ConfigureWaitingRoomInput!) {
  configureWaitingRoom(input: $input) { __typename }
}"""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Taken:
    """Places that an attack took of a house, and for how long it went on."""

    places: int
    house: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.places} of {self.house} in {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Caller:
    """One account at one address."""

    client: httpx.AsyncClient
    token: str
    address: str = ATTACKER

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of the answer; empty when the request is refused as a whole."""
        headers = {"x-forwarded-for": self.address}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        body = {"query": query, "variables": variables}
        answer = await self.client.post("/graphql", json=body, headers=headers)
        return answer.json().get("data") or {}


def client_of(installation: Installation) -> httpx.AsyncClient:
    """The connections of an attacker."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{installation.port}", trust_env=False, timeout=60)


def make_event(installation: Installation, capacity: int, price: dict[str, Any] = PRICE, **terms: Any) -> Any:
    """A published event of general admission, of at most 8 tickets an order."""
    new = {
        "name": "Benchmark night",
        "startsAt": "2099-01-01T20:00:00Z",
        "venue": {"name": "Hall", "city": "Seoul", "timezone": "Asia/Seoul"},
        "maxTicketsPerOrder": 8,
        "generalAdmission": [{**standing(capacity), "price": price}] if capacity else [],
        **terms,
    }
    token = installation.token(ORGANISER, "organise")
    event = ask(installation, CREATE, {"input": new}, token)["createEvent"]["event"]
    ask(installation, PUBLISH, {"id": event["id"]}, token)
    return event


async def new_guest(client: httpx.AsyncClient) -> Caller:
    """A guest session with an address of its own."""
    email = f"guest-{next(_numbers)}@example.com"
    data = await Caller(client, "").ask(GUEST, email=email)
    return Caller(client, data["createGuestSession"]["token"])


async def hold_all(caller: Caller, event: Any, *, token: str | None = None, pays: bool = False) -> int:
    """Places that the caller gets: orders of 8, then single tickets, until it is refused."""
    taken, quantity, refused = 0, 8, 0
    while refused < REFUSALS_IN_A_ROW:
        section = {"sectionId": event["seatMap"]["sections"][0]["id"], "quantity": quantity}
        wanted = {"eventId": event["id"], "selection": {"generalAdmission": section}}
        if token:
            wanted["queueToken"] = token
        result = (await caller.ask(RESERVE, input=wanted)).get("reserve") or {}
        if result.get("__typename") != "ReserveSuccess":
            refused, quantity = refused + 1, 1
            continue
        refused = 0
        if pays:
            paid = (await caller.ask(PAY, id=result["order"]["id"])).get("pay") or {}
            if paid.get("__typename") != "PaySuccess":
                return taken
        taken += quantity
    return taken


async def one_person(installation: Installation, *, free: bool = False) -> Taken:
    """One guest session against a house; a free event is booked, another one held."""
    event = make_event(installation, HOUSE, FREE if free else PRICE)
    async with client_of(installation) as client:
        began = time.perf_counter()
        taken = await hold_all(await new_guest(client), event, pays=free)
        return Taken(taken, HOUSE, time.perf_counter() - began)


async def one_network(installation: Installation) -> Taken:
    """Guests of different addresses behind one network address, one after another."""
    event = make_event(installation, NETWORK_HOUSE)
    taken, began = 0, time.perf_counter()
    async with client_of(installation) as client:
        for _ in range(NETWORK_GUESTS):
            taken += await hold_all(await new_guest(client), event)
        return Taken(taken, NETWORK_HOUSE, time.perf_counter() - began)


def open_waiting_room(installation: Installation, event_id: str, max_active: int) -> None:
    """Let people in fast, as long as fewer than `max_active` are inside."""
    settings = {"eventId": event_id, "enabled": True, "admitPerMinute": 6_000}
    settings |= {"maxActive": max_active, "admissionSeconds": ADMISSION_SECONDS}
    ask(installation, CONFIGURE, {"input": settings}, installation.token(ORGANISER, "organise"))


async def one_admission(installation: Installation) -> Taken:
    """One account that the waiting room has admitted."""
    event = make_event(installation, WAITING_ROOM_HOUSE, onSaleAt=ON_SALE_SINCE)
    open_waiting_room(installation, event["id"], MAX_ACTIVE)
    async with client_of(installation) as client:
        caller = Caller(client, installation.token("admitted"))
        token, _ = await wait_for_admission(caller, event["id"], 30)
        began = time.perf_counter()
        taken = await hold_all(caller, event, token=token)
        return Taken(taken, WAITING_ROOM_HOUSE, time.perf_counter() - began)


async def wait_for_admission(caller: Caller, event_id: str, patience: float) -> tuple[str | None, float]:
    """The admission's token, or None when the patience (in seconds) ends; and the seconds waited."""
    began = time.perf_counter()
    while (waited := time.perf_counter() - began) < patience:
        result = (await caller.ask(JOIN, id=event_id)).get("joinQueue") or {}
        if admission := (result.get("entry") or {}).get("admission"):
            return admission["token"], waited
        await asyncio.sleep(0.5)
    return None, waited


async def mapped_joiners(installation: Installation) -> str:
    """Joins of different IPv4 addresses in IPv4-mapped form, then one honest buyer's; the last answer."""
    event = make_event(installation, 400, onSaleAt=ON_SALE_SINCE)
    open_waiting_room(installation, event["id"], 1)
    async with client_of(installation) as client:
        for number in range(MAPPED_JOINERS):
            token = installation.token(f"mapped-{number}")
            await Caller(client, token, f"{MAPPED}{number}").ask(JOIN, id=event["id"])
        honest = Caller(client, installation.token("honest"), f"::ffff:{OTHER}")
        result = (await honest.ask(JOIN, id=event["id"])).get("joinQueue") or {}
        return "joins" if "entry" in result else f"refused: {result.get('code', 'the whole request')}"


async def behind_absent(installation: Installation, patience: float) -> str:
    """One honest joiner after many who join once and never come back; the seconds until the admission."""
    event = make_event(installation, 4_000, onSaleAt=ON_SALE_SINCE)
    open_waiting_room(installation, event["id"], MAX_ACTIVE)
    gate = asyncio.Semaphore(JOINING_AT_ONCE)
    async with client_of(installation) as client:

        async def join(number: int) -> None:
            address = f"40.{number // 250}.{number % 250}.9"
            async with gate:
                await Caller(client, installation.token(f"absent-{number}"), address).ask(
                    JOIN, id=event["id"]
                )

        await asyncio.gather(*map(join, range(ABSENT_JOINERS)))
        honest = Caller(client, installation.token("honest"), OTHER)
        token, waited = await wait_for_admission(honest, event["id"], patience)
    return f"{waited:.0f} s" if token else f"more than {patience:.0f} s"

"""A database with all kinds of users: two organisers with events, an order, a queue entry."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from parts import build_parts
from settings import Settings
from tests.apis import Api, deliver_outbox, new_token, stripe_webhook
from tests.challenges import solution
from tests.integration.reading.events import GA, create_event, event_input, publish_event
from workers.admission import admission_loop

# Every client of a test has one address, whose network counts where a number is set.
HELD_PER_NETWORK = 100
PROTOCOLS = [Subprotocol("graphql-transport-ws")]


@dataclass(slots=True)
class World:
    """People and what is theirs."""

    api: Api
    address: str
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def settle_in(self, settings: Settings) -> None:
        """Make everything that the table speaks of."""
        scopes = {"stranger": "buy", "buyer": "buy", "rival": "organise", "organiser": "organise"}
        self.tokens = {role: new_token(scope) for role, scope in (scopes | {"check_in": "check_in"}).items()}
        self.tokens["nobody"] = ""
        organiser = self.tokens["organiser"]
        await publish_event(self.api, self.tokens["rival"], name="Elsewhere")
        floor = [{**GA, "capacity": 3_000}]
        self.ids["event"] = await publish_event(
            self.api, organiser, generalAdmission=floor, maxTicketsPerPerson=3_000
        )
        self.ids["crowded"] = await self.crowded()
        self.ids["draft"] = await create_event(self.api, organiser)
        self.ids["line"] = await self.line()
        self.ids["order"] = await self.held(self.ids["event"])
        self.ids["booked"] = await self.booked(self.ids["event"])
        self.ids["refunded"] = await self.booked(self.ids["event"])
        await self.api.mutate("refundOrder", {"orderId": self.ids["refunded"]}, organiser)
        self.ids["paying"] = await self.held(self.ids["event"])
        await self.api.mutate("pay", {"orderId": self.ids["paying"]}, self.tokens["buyer"])
        self.ids["disputed"] = await self.disputed(self.ids["event"], settings)
        joining = {"eventId": self.ids["line"], "challengeSolution": await solution(self.api)}
        await self.api.mutate("joinQueue", joining, self.tokens["buyer"])
        await admit(settings)
        query = f'{{ me {{ id }} event(id: "{self.ids["event"]}") {{ venue {{ id }} }} }}'
        seen = (await self.api.ask(query, token=self.tokens["buyer"])).data
        self.ids |= {"user": seen["me"]["id"], "venue": seen["event"]["venue"]["id"]}
        for name in ("event", "draft"):
            place = f"plc_{self.ids[name].removeprefix('evt_')}_0"
            self.ids["place" if name == "event" else "place_of_draft"] = place
        for order, ticket in (("order", "ticket"), ("booked", "issued")):
            query = f'{{ order(id: "{self.ids[order]}") {{ tickets {{ id }} }} }}'
            seen = (await self.api.ask(query, token=self.tokens["buyer"])).data
            self.ids[ticket] = seen["order"]["tickets"][0]["id"]

    async def line(self) -> str:
        """An event with a waiting room."""
        event_id = await publish_event(self.api, self.tokens["organiser"])
        given = {"eventId": event_id, "enabled": True}
        await self.api.mutate("configureWaitingRoom", given, self.tokens["organiser"])
        return event_id

    async def crowded(self) -> str:
        """An event of which the network holds as many tickets as it may."""
        floor = [{**GA, "capacity": 2 * HELD_PER_NETWORK}]
        most = {"maxTicketsPerOrder": HELD_PER_NETWORK, "maxTicketsPerPerson": 2 * HELD_PER_NETWORK}
        event_id = await publish_event(self.api, self.tokens["organiser"], generalAdmission=floor, **most)
        await self.held(event_id, HELD_PER_NETWORK)
        return event_id

    async def held(self, event_id: str, quantity: int = 1) -> str:
        """An order of the buyer's for places on the floor."""
        selection = {"generalAdmission": {"sectionId": section_of(event_id), "quantity": quantity}}
        given = {"eventId": event_id, "selection": selection}
        answer = await self.api.mutate(
            "reserve", given, self.tokens["buyer"], "... on ReserveSuccess { order { id } }"
        )
        order_id: str = answer["order"]["id"]
        return order_id

    async def booked(self, event_id: str) -> str:
        """The same, paid."""
        order_id = await self.held(event_id)
        given = {"orderId": order_id, "paymentMethodId": "pm_card_visa"}
        answer = await self.api.mutate("pay", given, self.tokens["buyer"])
        assert answer["__typename"] == "PaySuccess", answer
        return order_id

    async def disputed(self, event_id: str, settings: Settings) -> str:
        """The same, captured and then disputed by the cardholder."""
        order_id = await self.held(event_id)
        answer = await self.api.mutate(
            "pay", {"orderId": order_id}, self.tokens["buyer"], "... on PaySuccess { clientSecret }"
        )
        given = {"orderId": order_id, "paymentMethodId": "pm_card_createDispute"}
        await self.api.mutate("pay", given, self.tokens["buyer"])
        await deliver_outbox(settings)
        intent_id = answer["clientSecret"].partition("_secret_")[0]
        await stripe_webhook(self.api, "charge.dispute.created", intent_id)
        return order_id

    async def variables(self, name: str, of: str) -> dict[str, Any]:
        """A good input for a root field, about something fresh where doing it changes what it is about."""
        event_id = self.ids["draft"] if of == "draft" else self.ids["event"]
        match name:
            case "reserve":
                event_id = self.ids.get(of, event_id)
                return {"eventId": event_id, "selection": selection(event_id, of)}
            case "pay" | "releaseOrder":
                return {"orderId": await self.held(event_id)} | (
                    {"paymentMethodId": "pm_card_visa"} if name == "pay" else {}
                )
            case "joinQueue":
                return {"eventId": await self.line(), "challengeSolution": await solution(self.api)}
            case "leaveQueue":
                return {"eventId": await self.line()}
            case "createGuestSession":
                return {"email": "guest@example.org", "challengeSolution": await solution(self.api)}
            case "createEvent":
                return event_input()
            case "updateEvent":
                return {"eventId": event_id, "category": "concert"}
            case "publishEvent":
                return {"eventId": await create_event(self.api, self.tokens["organiser"])}
            case "cancelEvent":
                return {"eventId": await publish_event(self.api, self.tokens["organiser"])}
            case "blockSeats":
                seat = f"seat_{event_id.removeprefix('evt_')}_11"
                return {"eventId": event_id, "seatIds": [seat], "blocked": True}
            case "configureWaitingRoom":
                return {"eventId": event_id, "enabled": False}
            case "reissueTicket":
                return {"ticketId": self.ids["issued"]}
            case "refundOrder":
                return {"orderId": await self.booked(event_id)}
        raise AssertionError(f"no input for {name}: write one beside its row")

    async def first_message(self, query: str, token: str) -> dict[str, Any]:
        """The first message of a subscription: a payload, or errors."""
        async with asyncio.timeout(10), connect(self.address, subprotocols=PROTOCOLS) as socket:
            init = {"Authorization": f"Bearer {token}"} if token else {}
            await socket.send(json.dumps({"type": "connection_init", "payload": init}))
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            try:
                while True:
                    message = json.loads(await socket.recv())
                    if message["type"] == "next":
                        payload: dict[str, Any] = message["payload"]
                        return payload
                    if message["type"] == "error":
                        return {"data": None, "errors": message["payload"]}
            except ConnectionClosed as closed:
                return {"data": None, "errors": [{"extensions": {"code": f"closed {closed.rcvd}"}}]}


def section_of(event_id: str) -> str:
    """The floor, which comes after the one zone with seats."""
    return f"sec_{event_id.removeprefix('evt_')}_1"


def selection(event_id: str, of: str) -> dict[str, Any]:
    """A choice that is free, taken, too large, or none at all."""
    if of == "taken":
        return {"seatIds": [f"seat_{event_id.removeprefix('evt_')}_0"]}
    quantity = {"refused": 0, "many": 9}.get(of, 1)
    return {"generalAdmission": {"sectionId": section_of(event_id), "quantity": quantity}}


async def admit(settings: Settings) -> None:
    """Let the worker's loop admit everyone who waits."""
    parts = build_parts(settings)
    await parts.channels.open()
    try:
        await admission_loop(parts.admission_controller).job()
    finally:
        await parts.close()

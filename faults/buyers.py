"""The workload: buyers who retry, disconnect or pay late, and an organiser who refunds."""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from faults.client import RecordingClient
from faults.history import Call, Outcome
from faults.installation import HOLD_SECONDS, Installation

_TRIES = 40
_PAUSE_SECONDS = 0.15
_VISA = "pm_card_visa"


@dataclass(slots=True)
class Behaviour:
    """The behaviour of buyers as shares of all; faults change it for a while."""

    disconnect: float = 0.05
    """Disconnect in the middle of a request and retry with the same key."""
    late: float = 0.05
    """Pay shortly before the hold expires."""
    greedy: float = 0.1
    """Ask for more tickets at once, over several orders, than one person may have."""
    browser: float = 0.25
    """Confirm at Stripe directly, as Stripe.js does: only a webhook or the sweep notices it."""
    cards: tuple[str, ...] = (_VISA, _VISA, _VISA, "pm_card_processing", "pm_card_pendingRefund")


@dataclass(slots=True)
class EventOnSale:
    """An event on sale and its organiser."""

    event_id: str
    section_id: str
    """General admission."""
    seats: int
    organiser: str
    """A token."""


@dataclass(slots=True)
class Workload:
    """The buyers of one event, and the organiser who refunds, so that seats never run out."""

    api: RecordingClient
    installation: Installation
    on_sale: EventOnSale
    rng: random.Random
    behaviour: Behaviour = field(default_factory=Behaviour)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, no buyer starts a new purchase."""
    busy: int = 0
    booked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Acknowledged bookings that are not refunded, with their tickets."""
    payer: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.payer = httpx.AsyncClient(trust_env=False, timeout=6.0)

    async def close(self) -> None:
        """Close the connections to Stripe."""
        await self.payer.aclose()

    async def buyer(self, number: int) -> None:
        """Make one purchase after another, each as a new person because pauses limit a person."""
        rng = random.Random(f"{self.rng.random()}:{number}")
        for purchase in itertools.count():
            name = f"buyer-{number}-{purchase}"
            token = self.installation.token(name)
            await self.open.wait()
            self.busy += 1
            try:
                await self._purchase(name, token, rng)
            finally:
                self.busy -= 1
            await asyncio.sleep(rng.uniform(0.02, 0.2))

    async def _purchase(self, name: str, token: str, rng: random.Random) -> None:
        if rng.random() < self.behaviour.greedy:
            await self._exceed_limit(name, token, rng)
            return
        held = await self._reserve(name, token, rng, rng.choice((1, 1, 2, 2, 3)))
        if held.outcome is not Outcome.OK or held.order is None:
            if held.code in ("NOT_ENOUGH_SEATS", "SEATS_UNAVAILABLE"):
                await self._free_seats(rng)
            return
        chance = rng.random()
        if chance < 0.06:
            return  # the hold expires
        if chance < 0.12:
            await self._release(name, token, held.order)
            return
        if rng.random() < self.behaviour.late:
            await asyncio.sleep(max(0.0, HOLD_SECONDS - rng.uniform(0.0, 0.6)))
        if rng.random() < self.behaviour.browser:
            await self._pay_in_browser(name, token, held.order, rng)
        elif chance < 0.20:
            await asyncio.gather(
                self._pay(name, token, held.order, rng), self._release(name, token, held.order)
            )
        else:
            await self._pay(name, token, held.order, rng)
        if rng.random() < 0.15:
            await self._free_seats(rng)

    async def _exceed_limit(self, name: str, token: str, rng: random.Random) -> None:
        """Ask for nine tickets at once in three orders, and pay for all that are held."""
        held = await asyncio.gather(*(self._reserve(name, token, rng, 3) for _ in range(3)))
        orders = [call.order for call in held if call.outcome is Outcome.OK and call.order is not None]
        await asyncio.gather(*(self._pay(name, token, order, rng) for order in orders))

    async def _retry(self, attempt: Callable[[], Any], rng: random.Random) -> Call:
        """Repeats the same request until its outcome is known, as a client does."""
        call: Call = await attempt()
        for _ in range(_TRIES):
            if call.outcome is not Outcome.UNKNOWN:
                break
            await asyncio.sleep(_PAUSE_SECONDS * rng.uniform(0.5, 1.5))
            call = await attempt()
        return call

    def _disconnect_after(self, rng: random.Random) -> float | None:
        return rng.uniform(0.001, 0.12) if rng.random() < self.behaviour.disconnect else None

    async def _reserve(self, name: str, token: str, rng: random.Random, quantity: int) -> Call:
        key = UUID(int=rng.getrandbits(128)).hex
        selection = self._selection(quantity, rng)
        given = {"eventId": self.on_sale.event_id, "selection": selection, "idempotencyKey": key}

        async def attempt() -> Call:
            return await self.api.call(
                name,
                "reserve",
                given,
                token,
                key=key,
                disconnect_after=self._disconnect_after(rng),
                wanted=quantity,
            )

        call = await self._retry(attempt, rng)
        if call.outcome is Outcome.OK and rng.random() < 0.1:
            return await self._retry(attempt, rng)
        return call

    def _selection(self, quantity: int, rng: random.Random) -> dict[str, Any]:
        chance = rng.random()
        if chance < 0.35:
            return {"generalAdmission": {"sectionId": self.on_sale.section_id, "quantity": quantity}}
        if chance < 0.65:
            return {"bestAvailable": {"quantity": quantity}}
        suffix = self.on_sale.event_id.removeprefix("evt_")
        chosen = rng.sample(range(self.on_sale.seats), quantity)
        return {"seatIds": [f"seat_{suffix}_{seat}" for seat in chosen]}

    async def _release(self, name: str, token: str, order: str) -> None:
        async def attempt() -> Call:
            return await self.api.call(name, "release", {"orderId": order}, token, order=order)

        await self._retry(attempt, random.Random(order))

    async def _pay(self, name: str, token: str, order: str, rng: random.Random) -> None:
        card = rng.choice(self.behaviour.cards)
        if rng.random() < 0.05:
            await self._pay_with(name, token, order, "pm_card_chargeDeclined", rng)
        call = await self._pay_with(name, token, order, card, rng)
        if call.outcome is Outcome.OK and call.status != "BOOKED":
            call = await self._until_decided(name, token, order)
        self._record_booking(call)

    async def _pay_with(self, name: str, token: str, order: str, card: str, rng: random.Random) -> Call:
        key = UUID(int=rng.getrandbits(128)).hex
        given = {"orderId": order, "paymentMethodId": card, "idempotencyKey": key}

        async def attempt() -> Call:
            return await self.api.call(
                name,
                "pay",
                given,
                token,
                order=order,
                disconnect_after=self._disconnect_after(rng),
                card=card,
            )

        return await self._retry(attempt, rng)

    async def _pay_in_browser(self, name: str, token: str, order: str, rng: random.Random) -> None:
        async def attempt() -> Call:
            return await self.api.call(name, "pay", {"orderId": order}, token, order=order)

        started = await self._retry(attempt, rng)
        secret = started.detail.get("clientSecret") or ""
        if started.outcome is not Outcome.OK or not secret or rng.random() < 0.15:
            return  # some buyers leave the payment page
        form = {"key": "pk_test_local", "client_secret": secret, "payment_method": _VISA}
        url = f"{self.installation.stripe_url}/v1/payment_intents/{secret.partition('_secret_')[0]}/confirm"
        for _ in range(_TRIES):
            try:
                await self.payer.post(url, data=form)
                break
            except httpx.HTTPError:
                await asyncio.sleep(_PAUSE_SECONDS)
        self._record_booking(await self._until_decided(name, token, order))

    async def _until_decided(self, name: str, token: str, order: str) -> Call:
        """Polls the order until it is booked or has ended."""
        while True:
            call = await self.api.call(name, "order", {"id": order}, token, order=order)
            if call.outcome is Outcome.OK and call.status not in ("RESERVED", "PAYING"):
                return call
            if call.outcome is Outcome.FAILED:
                return call
            await asyncio.sleep(0.4)

    def _record_booking(self, call: Call) -> None:
        if call.outcome is Outcome.OK and call.status == "BOOKED" and call.order is not None:
            self.booked.append((call.order, call.tickets))

    async def _free_seats(self, rng: random.Random) -> None:
        """Refunds a booking, sometimes only one of its tickets."""
        if not self.booked:
            return
        order, tickets = self.booked.pop(rng.randrange(len(self.booked)))
        given: dict[str, Any] = {"orderId": order}
        if len(tickets) > 1 and rng.random() < 0.4:
            given["ticketIds"] = [tickets[0]]

        async def attempt() -> Call:
            return await self.api.call("organiser", "refund", given, self.on_sale.organiser, order=order)

        await self._retry(attempt, rng)

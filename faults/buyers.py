"""Buyers who change their minds, retry, hang up, pay late or in the browser; and an organiser who refunds."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from faults.history import Call, Outcome
from faults.house import HOLD_SECONDS, House
from faults.shop import Shop

_TRIES = 40
_PAUSE_SECONDS = 0.15
_VISA = "pm_card_visa"


@dataclass(slots=True)
class Habits:
    """How buyers behave; a fault may change it for a while. Shares of all buyers."""

    hang_up: float = 0.05
    """Go away in the middle of a request, and ask again with the same key."""
    late: float = 0.05
    """Pay when the hold is about to lapse."""
    browser: float = 0.25
    """Confirm at Stripe themselves, as Stripe.js does: only a webhook or a sweep tells us."""
    cards: tuple[str, ...] = (_VISA, _VISA, _VISA, "pm_card_processing", "pm_card_pendingRefund")


@dataclass(slots=True)
class Market:
    """What is for sale, and who sells it."""

    event_id: str
    section_id: str
    """General admission."""
    seats: int
    organiser: str
    """A token."""


@dataclass(slots=True)
class Crowd:
    """The buyers of one event and the organiser who refunds, so that there is always something left."""

    shop: Shop
    house: House
    market: Market
    dice: random.Random
    habits: Habits = field(default_factory=Habits)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, nobody begins anything new."""
    busy: int = 0
    booked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Acknowledged bookings that nobody has refunded yet, with their tickets."""
    payer: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.payer = httpx.AsyncClient(trust_env=False, timeout=6.0)

    async def close(self) -> None:
        """Hang up at Stripe."""
        await self.payer.aclose()

    async def buyer(self, number: int) -> None:
        """One buyer, one purchase after another, until cancelled."""
        dice = random.Random(f"{self.dice.random()}:{number}")
        name = f"buyer-{number}"
        token = self.house.token(name)
        while True:
            await self.open.wait()
            self.busy += 1
            try:
                await self._visit(name, token, dice)
            finally:
                self.busy -= 1
            await asyncio.sleep(dice.uniform(0.02, 0.2))

    async def _visit(self, name: str, token: str, dice: random.Random) -> None:
        held = await self._reserve(name, token, dice)
        if held.outcome is not Outcome.OK or held.order is None:
            if held.code in ("NOT_ENOUGH_SEATS", "SEATS_UNAVAILABLE"):
                await self._make_room(dice)
            return
        chance = dice.random()
        if chance < 0.06:
            return  # the hold lapses
        if chance < 0.12:
            await self._release(name, token, held.order)
            return
        if dice.random() < self.habits.late:
            await asyncio.sleep(max(0.0, HOLD_SECONDS - dice.uniform(0.0, 0.6)))
        if dice.random() < self.habits.browser:
            await self._pay_in_browser(name, token, held.order, dice)
        elif chance < 0.20:
            await asyncio.gather(
                self._pay(name, token, held.order, dice), self._release(name, token, held.order)
            )
        else:
            await self._pay(name, token, held.order, dice)
        if dice.random() < 0.15:
            await self._make_room(dice)

    async def _insist(self, attempt: Callable[[], Any], dice: random.Random) -> Call:
        """Ask until it is known what happened, as a client does: always the same request."""
        call: Call = await attempt()
        for _ in range(_TRIES):
            if call.outcome is not Outcome.UNKNOWN:
                break
            await asyncio.sleep(_PAUSE_SECONDS * dice.uniform(0.5, 1.5))
            call = await attempt()
        return call

    def _patience(self, dice: random.Random) -> float | None:
        return dice.uniform(0.001, 0.12) if dice.random() < self.habits.hang_up else None

    async def _reserve(self, name: str, token: str, dice: random.Random) -> Call:
        key = UUID(int=dice.getrandbits(128)).hex
        quantity = dice.choice((1, 1, 2, 2, 3))
        wish = self._wish(quantity, dice)
        given = {"eventId": self.market.event_id, "selection": wish, "idempotencyKey": key}

        async def attempt() -> Call:
            return await self.shop.call(
                name,
                "reserve",
                given,
                token,
                key=key,
                hang_up_after=self._patience(dice),
                wanted=quantity,
            )

        call = await self._insist(attempt, dice)
        if call.outcome is Outcome.OK and dice.random() < 0.1:
            return await self._insist(attempt, dice)
        return call

    def _wish(self, quantity: int, dice: random.Random) -> dict[str, Any]:
        chance = dice.random()
        if chance < 0.35:
            return {"generalAdmission": {"sectionId": self.market.section_id, "quantity": quantity}}
        if chance < 0.65:
            return {"bestAvailable": {"quantity": quantity}}
        letters = self.market.event_id.removeprefix("evt_")
        chosen = dice.sample(range(self.market.seats), quantity)
        return {"seatIds": [f"seat_{letters}_{seat}" for seat in chosen]}

    async def _release(self, name: str, token: str, order: str) -> None:
        async def attempt() -> Call:
            return await self.shop.call(name, "release", {"orderId": order}, token, order=order)

        await self._insist(attempt, random.Random(order))

    async def _pay(self, name: str, token: str, order: str, dice: random.Random) -> None:
        card = dice.choice(self.habits.cards)
        if dice.random() < 0.05:
            await self._pay_with(name, token, order, "pm_card_chargeDeclined", dice)
        call = await self._pay_with(name, token, order, card, dice)
        if call.outcome is Outcome.OK and call.status != "BOOKED":
            call = await self._until_decided(name, token, order)
        self._note(call)

    async def _pay_with(self, name: str, token: str, order: str, card: str, dice: random.Random) -> Call:
        key = UUID(int=dice.getrandbits(128)).hex
        given = {"orderId": order, "paymentMethodId": card, "idempotencyKey": key}

        async def attempt() -> Call:
            return await self.shop.call(
                name, "pay", given, token, order=order, hang_up_after=self._patience(dice), card=card
            )

        return await self._insist(attempt, dice)

    async def _pay_in_browser(self, name: str, token: str, order: str, dice: random.Random) -> None:
        async def attempt() -> Call:
            return await self.shop.call(name, "pay", {"orderId": order}, token, order=order)

        started = await self._insist(attempt, dice)
        secret = started.detail.get("clientSecret", "")
        if started.outcome is not Outcome.OK or not secret or dice.random() < 0.15:
            return  # some leave the payment page
        form = {"key": "pk_test_local", "client_secret": secret, "payment_method": _VISA}
        url = f"{self.house.stripe_url}/v1/payment_intents/{secret.partition('_secret_')[0]}/confirm"
        for _ in range(_TRIES):
            try:
                await self.payer.post(url, data=form)
                break
            except httpx.HTTPError:
                await asyncio.sleep(_PAUSE_SECONDS)
        self._note(await self._until_decided(name, token, order))

    async def _until_decided(self, name: str, token: str, order: str) -> Call:
        """Look at the order until it is booked or over."""
        while True:
            call = await self.shop.call(name, "order", {"id": order}, token, order=order)
            if call.outcome is Outcome.OK and call.status not in ("RESERVED", "PAYING"):
                return call
            if call.outcome is Outcome.FAILED:
                return call
            await asyncio.sleep(0.4)

    def _note(self, call: Call) -> None:
        if call.outcome is Outcome.OK and call.status == "BOOKED" and call.order is not None:
            self.booked.append((call.order, call.tickets))

    async def _make_room(self, dice: random.Random) -> None:
        """Refund somebody, now and then one ticket only."""
        if not self.booked:
            return
        order, tickets = self.booked.pop(dice.randrange(len(self.booked)))
        given: dict[str, Any] = {"orderId": order}
        if len(tickets) > 1 and dice.random() < 0.4:
            given["ticketIds"] = [tickets[0]]

        async def attempt() -> Call:
            return await self.shop.call("organiser", "refund", given, self.market.organiser, order=order)

        await self._insist(attempt, dice)

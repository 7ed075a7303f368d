"""What a crash leaves in the middle of its work, and how long until it is done: one kind after another."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from domain.outbox import Topic
from faults.buyers import Crowd, Market
from faults.history import Call, History, Outcome
from faults.house import House, open_house
from faults.market import ORGANISER, open_event
from faults.scene import Scene
from faults.shop import Shop
from faults.state_checks import unsettled
from faults.world import AWAY, install_recorder, read_world

_PATIENCE_SECONDS = 60.0
_LEASED_SECONDS = 10.0
Begin = Callable[[Scene], Awaitable[None]]


async def _hold(scene: Scene) -> tuple[str, str]:
    token = scene.house.token("ann")
    selection = {"bestAvailable": {"quantity": 2}}
    key = uuid4().hex
    given = {"eventId": scene.crowd.market.event_id, "selection": selection, "idempotencyKey": key}
    held = await scene.shop.call("ann", "reserve", given, token, key=key)
    assert held.order is not None, held.code
    return held.order, token


async def _pay(scene: Scene, **more: Any) -> Call:
    order, token = await _hold(scene)
    call = await scene.shop.call("ann", "pay", {"orderId": order, **more}, token, order=order)
    assert call.outcome is Outcome.OK, call.code
    return call


async def _hang(scene: Scene, operation: str) -> None:
    """Stripe takes this call and never answers: the worker is in the middle of it."""
    match = {"operation": operation}
    await scene.stripe_fault("api.hang", match=match, params={"when": "never", "seconds": 60})


async def _leased(scene: Scene, topic: str) -> None:
    """Until the worker has taken a task, or the work is done already."""
    deadline = time.monotonic() + _LEASED_SECONDS
    async with scene.house.database() as connection:
        while time.monotonic() < deadline:
            if await connection.fetchval(
                "SELECT true FROM outbox WHERE topic = $1 AND attempts > 0 AND available_at > now()", topic
            ):
                return
            await asyncio.sleep(0.02)


async def capture(scene: Scene) -> None:
    await _hang(scene, "payment_intent.capture")
    await _pay(scene, paymentMethodId="pm_card_visa")
    await _leased(scene, Topic.CAPTURE_PAYMENT)


async def refund(scene: Scene) -> None:
    paid = await _pay(scene, paymentMethodId="pm_card_visa")
    await _settled(scene)
    await _hang(scene, "refund.create")
    given = {"orderId": paid.order}
    await scene.shop.call("organiser", "refund", given, scene.crowd.market.organiser, order=paid.order)
    await _leased(scene, Topic.SEND_REFUND)


async def cancel_at_stripe(scene: Scene) -> None:
    paid = await _pay(scene)
    await _hang(scene, "payment_intent.cancel")
    token = scene.house.token("ann")
    release = scene.shop.call("ann", "release", {"orderId": paid.order}, token, order=paid.order)
    asked = asyncio.create_task(release)
    await _leased(scene, Topic.VOID_PAYMENT)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


async def expiry(scene: Scene) -> None:
    await _hold(scene)


async def payment(scene: Scene) -> None:
    """Authorised in the browser, its webhooks lost."""
    await scene.stripe_fault("webhook.drop")
    paid = await _pay(scene)
    secret = paid.detail["clientSecret"]
    form = {"key": "pk_test_local", "client_secret": secret, "payment_method": "pm_card_visa"}
    url = f"{scene.house.stripe_url}/v1/payment_intents/{secret.partition('_secret_')[0]}/confirm"
    (await scene.client.post(url, data=form)).raise_for_status()


async def seats(scene: Scene) -> None:
    await _pay(scene, paymentMethodId="pm_card_visa")


async def index(scene: Scene) -> None:
    given = {"eventId": scene.crowd.market.event_id, "name": f"Night {uuid4().hex[:6]}"}
    await scene.shop.call("organiser", "rename", given, scene.crowd.market.organiser)


KINDS: dict[str, tuple[str, Begin]] = {
    "capture": ("killed while Stripe captures", capture),
    "refund": ("killed while Stripe refunds", refund),
    "cancel": ("killed while Stripe cancels an intent", cancel_at_stripe),
    "release": ("killed with a hold about to lapse", expiry),
    "payment": ("killed, and the webhook is lost", payment),
    "outbox": ("killed with seats to show as booked", seats),
    "index": ("killed with a document to send", index),
}


async def _settled(scene: Scene) -> float:
    """Seconds until every part agrees and no order waits for its deadline."""
    began = time.monotonic()
    while time.monotonic() < began + _PATIENCE_SECONDS:
        with contextlib.suppress(*AWAY):
            world = await read_world(scene.house)
            waiting = any(order.state in ("RESERVED", "PAYING") for order in world.orders.values())
            if not unsettled(world) and not waiting:
                return time.monotonic() - began
        await asyncio.sleep(0.25)
    raise TimeoutError("it was not done within a minute")


async def measure(directory: Path, say: Callable[[str], None], seed: int = 1) -> dict[str, float]:
    """Kill the worker in the middle of each kind of work; seconds from the kill until all is done."""
    dice = random.Random(seed)
    async with open_house(directory / "data", dice, workers=1, say=say) as house:
        await install_recorder(house)
        shop = Shop(house.base_url, History())
        token = house.token(ORGANISER, "buy", "organise")
        market = await open_event(shop, token, "Recovery")
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
            return await _measure_each(house, shop, market, client, dice, say)


async def _measure_each(
    house: House,
    shop: Shop,
    market: Market,
    client: httpx.AsyncClient,
    dice: random.Random,
    say: Callable[[str], None],
) -> dict[str, float]:
    scene = Scene(house, shop, Crowd(shop, house, market, dice), dice, client)
    taken: dict[str, float] = {}
    for name, (what, begin) in KINDS.items():
        await _settled(scene)
        await begin(scene)
        house.kill("worker")
        await scene.heal_stripe()
        taken[name] = await _settled(scene)
        say(f"{name:10}{what}: done after {taken[name]:.1f} s")
    await shop.close()
    return taken

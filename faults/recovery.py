"""Measures the recovery time after the worker is killed in the middle of each kind of work."""

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
from faults.buyers import EventOnSale, Workload
from faults.client import RecordingClient
from faults.events import ORGANISER, open_event
from faults.history import Call, History, Outcome
from faults.installation import Installation, start_installation
from faults.state_checks import unsettled
from faults.system_state import UNAVAILABLE, install_recorder, read_system
from faults.target import Target

_TIMEOUT_SECONDS = 60.0
_LEASE_SECONDS = 10.0
Begin = Callable[[Target], Awaitable[None]]


async def _hold(target: Target) -> tuple[str, str]:
    token = target.installation.token("ann")
    selection = {"bestAvailable": {"quantity": 2}}
    key = uuid4().hex
    given = {"eventId": target.workload.on_sale.event_id, "selection": selection, "idempotencyKey": key}
    held = await target.api.call("ann", "reserve", given, token, key=key)
    assert held.order is not None, held.code
    return held.order, token


async def _pay(target: Target, **more: Any) -> Call:
    order, token = await _hold(target)
    call = await target.api.call("ann", "pay", {"orderId": order, **more}, token, order=order)
    assert call.outcome is Outcome.OK, call.code
    return call


async def _hang(target: Target, operation: str) -> None:
    """Stripe never responds to this call, so that the worker waits in the middle of it."""
    match = {"operation": operation}
    await target.stripe_fault("api.hang", match=match, params={"when": "never", "seconds": 60})


async def _wait_for_lease(target: Target, topic: str) -> None:
    """Waits until the worker has leased a task, or the work is done."""
    deadline = time.monotonic() + _LEASE_SECONDS
    async with target.installation.database() as connection:
        while time.monotonic() < deadline:
            if await connection.fetchval(
                "SELECT true FROM outbox WHERE topic = $1 AND attempts > 0 AND available_at > now()", topic
            ):
                return
            await asyncio.sleep(0.02)


async def capture(target: Target) -> None:
    await _hang(target, "payment_intent.capture")
    await _pay(target, paymentMethodId="pm_card_visa")
    await _wait_for_lease(target, Topic.CAPTURE_PAYMENT)


async def refund(target: Target) -> None:
    paid = await _pay(target, paymentMethodId="pm_card_visa")
    await _settled(target)
    await _hang(target, "refund.create")
    given = {"orderId": paid.order}
    await target.api.call("organiser", "refund", given, target.workload.on_sale.organiser, order=paid.order)
    await _wait_for_lease(target, Topic.SEND_REFUND)


async def cancel_at_stripe(target: Target) -> None:
    paid = await _pay(target)
    await _hang(target, "payment_intent.cancel")
    token = target.installation.token("ann")
    release = target.api.call("ann", "release", {"orderId": paid.order}, token, order=paid.order)
    asked = asyncio.create_task(release)
    await _wait_for_lease(target, Topic.VOID_PAYMENT)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


async def expiry(target: Target) -> None:
    await _hold(target)


async def payment(target: Target) -> None:
    """A payment authorised in the browser, with its webhooks lost."""
    await target.stripe_fault("webhook.drop")
    paid = await _pay(target)
    secret = paid.detail["clientSecret"]
    form = {"key": "pk_test_local", "client_secret": secret, "payment_method": "pm_card_visa"}
    url = f"{target.installation.stripe_url}/v1/payment_intents/{secret.partition('_secret_')[0]}/confirm"
    (await target.client.post(url, data=form)).raise_for_status()


async def seats(target: Target) -> None:
    await _pay(target, paymentMethodId="pm_card_visa")


async def index(target: Target) -> None:
    given = {"eventId": target.workload.on_sale.event_id, "name": f"Night {uuid4().hex[:6]}"}
    await target.api.call("organiser", "rename", given, target.workload.on_sale.organiser)


KINDS: dict[str, tuple[str, Begin]] = {
    "capture": ("killed while Stripe captures", capture),
    "refund": ("killed while Stripe refunds", refund),
    "cancel": ("killed while Stripe cancels an intent", cancel_at_stripe),
    "release": ("killed before a hold expires", expiry),
    "payment": ("killed, and the webhook is lost", payment),
    "outbox": ("killed before seats are shown as booked", seats),
    "index": ("killed before a document is sent", index),
}


async def _settled(target: Target) -> float:
    """Seconds until all parts agree and no order waits for its deadline."""
    began = time.monotonic()
    while time.monotonic() < began + _TIMEOUT_SECONDS:
        with contextlib.suppress(*UNAVAILABLE):
            system = await read_system(target.installation)
            waiting = any(order.state in ("RESERVED", "PAYING") for order in system.orders.values())
            if not unsettled(system) and not waiting:
                return time.monotonic() - began
        await asyncio.sleep(0.25)
    raise TimeoutError("the system did not settle within a minute")


async def measure(directory: Path, log: Callable[[str], None], seed: int = 1) -> dict[str, float]:
    """Kills the worker in the middle of each kind of work; returns the seconds to recover by kind."""
    rng = random.Random(seed)
    async with start_installation(directory / "data", rng, workers=1, log=log) as installation:
        await install_recorder(installation)
        api = RecordingClient(installation.base_url, History())
        token = installation.token(ORGANISER, "buy", "organise")
        on_sale = await open_event(api, token, "Recovery")
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
            return await _measure_each(installation, api, on_sale, client, rng, log)


async def _measure_each(
    installation: Installation,
    api: RecordingClient,
    on_sale: EventOnSale,
    client: httpx.AsyncClient,
    rng: random.Random,
    log: Callable[[str], None],
) -> dict[str, float]:
    target = Target(installation, api, Workload(api, installation, on_sale, rng), rng, client)
    taken: dict[str, float] = {}
    for name, (what, begin) in KINDS.items():
        await _settled(target)
        await begin(target)
        installation.kill("worker")
        await target.heal_stripe()
        taken[name] = await _settled(target)
        log(f"{name:10}{what}: done after {taken[name]:.1f} s")
    await api.close()
    return taken

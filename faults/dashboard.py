"""What people do at Stripe and at the bank, without us: refunds by hand, and disputes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from domain.ids import Kind, public_id
from faults.history import Call, Outcome
from faults.target import Target

_PAUSE_SECONDS = 0.3


async def refund_by_hand(target: Target) -> None:
    """Refunds paid orders at Stripe, wholly or in part, again and again; every second webhook is lost."""
    while True:
        found = await _paid_order(target)
        if found is not None:
            order, intent = found
            if target.rng.random() < 0.5:
                match = {"event_type": "*refund*", "intent": intent}
                await target.stripe_fault("webhook.drop", match=match)
            wanted = {} if target.rng.random() < 0.5 else {"amount": target.rng.randrange(100, 5000)}
            await _act(target, "refund by hand", order, f"intents/{intent}/refund", wanted)
        await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def disputes(target: Target) -> AsyncIterator[None]:
    """Disputes of paid orders; the bank decides half of them when this ends, the others stay open."""
    begun: list[str] = []

    async def dispute() -> None:
        while True:
            found = await _paid_order(target)
            if found is not None:
                order, intent = found
                made = await _act(target, "dispute", order, f"intents/{intent}/dispute", {})
                begun.extend([made["id"]] if made else [])
            await asyncio.sleep(_PAUSE_SECONDS)

    task = asyncio.create_task(dispute())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for number, dispute_id in enumerate(begun):
            if number % 4 < 2:
                outcome = ("won", "lost")[number % 2]
                await _act(target, "decision", None, f"disputes/{dispute_id}/close", {"outcome": outcome})


async def _paid_order(target: Target) -> tuple[str, str] | None:
    """An order whose payment Stripe still has, with its intent; our own refund of it may be on its way."""
    ledger = (await target.client.get(f"{target.installation.stripe_url}/_control/ledger")).json()
    kept = [
        row
        for row in ledger["intents"]
        if row["order_id"] and row["captured"] > row["refunded"] and not row["disputes"]
    ]
    if not kept:
        return None
    row = target.rng.choice(kept)
    return public_id(Kind.ORDER, UUID(row["order_id"])), str(row["id"])


async def _act(
    target: Target, operation: str, order: str | None, path: str, body: dict[str, Any]
) -> dict[str, Any] | None:
    """Does it, and records it as a call, since it may end a booking; None where Stripe refuses it."""
    call = Call("dashboard", operation, time.time(), order=order)
    answer = await target.client.post(f"{target.installation.stripe_url}/_control/{path}", json=body)
    call.outcome = Outcome.OK if answer.is_success else Outcome.FAILED
    target.api.history.record(call)
    made: dict[str, Any] = answer.json()
    return made if answer.is_success else None

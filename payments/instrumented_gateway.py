"""A gateway whose calls are timed, counted by outcome, and spans of the trace."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from kit.spans import step
from payments.gateway import Declined, Dispute, GatewayRejected, Intent, PaymentGateway, Refund
from payments.webhooks import WebhookEvent

Answer = TypeVar("Answer")
Watch = Callable[[str, str, float], None]
"""Receives the call's name, its outcome (ok, declined, rejected or away) and its seconds."""


class InstrumentedGateway:
    """A `PaymentGateway` that delegates to another one and measures its calls."""

    def __init__(self, gateway: PaymentGateway, watch: Watch) -> None:
        self._gateway = gateway
        self._watch = watch

    async def create_intent(
        self,
        order_id: UUID,
        amount_minor: int,
        currency: str,
        *,
        reference: str,
        idempotency_key: str,
        metadata: Mapping[str, str] | None = None,
    ) -> Intent:
        made = self._gateway.create_intent(
            order_id,
            amount_minor,
            currency,
            reference=reference,
            idempotency_key=idempotency_key,
            metadata=metadata,
        )
        return await self._watched("create_intent", made)

    async def retrieve(self, intent_id: str) -> Intent:
        return await self._watched("retrieve", self._gateway.retrieve(intent_id))

    async def confirm(
        self, intent_id: str, payment_method_id: str, *, idempotency_key: str, return_url: str
    ) -> Intent:
        confirmed = self._gateway.confirm(
            intent_id, payment_method_id, idempotency_key=idempotency_key, return_url=return_url
        )
        return await self._watched("confirm", confirmed)

    async def capture(self, intent_id: str, *, idempotency_key: str) -> Intent:
        captured = self._gateway.capture(intent_id, idempotency_key=idempotency_key)
        return await self._watched("capture", captured)

    async def cancel(self, intent_id: str, *, idempotency_key: str) -> Intent:
        cancelled = self._gateway.cancel(intent_id, idempotency_key=idempotency_key)
        return await self._watched("cancel", cancelled)

    async def refund(
        self, intent_id: str, amount_minor: int, currency: str, *, idempotency_key: str
    ) -> Refund:
        sent = self._gateway.refund(intent_id, amount_minor, currency, idempotency_key=idempotency_key)
        return await self._watched("refund", sent)

    async def refunds_of(self, intent_id: str) -> list[Refund]:
        return await self._watched("refunds_of", self._gateway.refunds_of(intent_id))

    async def disputes_of(self, intent_id: str) -> list[Dispute]:
        return await self._watched("disputes_of", self._gateway.disputes_of(intent_id))

    async def recent_reversals(self, since: datetime, *, most: int = 1000) -> list[WebhookEvent]:
        return await self._watched("recent_reversals", self._gateway.recent_reversals(since, most=most))

    async def recent_intents(self, since: datetime, *, most: int = 1000) -> list[Intent]:
        return await self._watched("recent_intents", self._gateway.recent_intents(since, most=most))

    async def close(self) -> None:
        await self._gateway.close()

    async def _watched(self, name: str, call: Awaitable[Answer]) -> Answer:
        began, outcome = time.perf_counter(), "away"
        try:
            with step("stripe " + name):
                answer = await call
            outcome = "ok"
            return answer
        except Declined:
            outcome = "declined"
            raise
        except GatewayRejected:
            outcome = "rejected"
            raise
        finally:
            self._watch(name, outcome, time.perf_counter() - began)

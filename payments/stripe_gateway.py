"""The gateway over Stripe's official SDK.

Every call has a deadline and at most one retry, under the same idempotency key. Stripe stores the answer to
a key, failures included, and repeats it for a day: a stored failure would be final although its cause has
passed. So a key is the first of a chain (`key`, `key.2`, `key.3`, …): a call that gets a stored failure
fetches the intent, and uses the next key only if the effect is missing. That is safe because an intent is
authorised and captured at most once, whatever the key.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import stripe

from kit.current_request import waiting_elsewhere
from payments.amounts import to_stripe
from payments.gateway import (
    MISMATCH,
    Declined,
    Dispute,
    GatewayError,
    GatewayRejected,
    GatewayUnavailable,
    Intent,
    IntentStatus,
    Refund,
)
from payments.stripe_readings import (
    REFUND_KEY,
    metadata_value,
    read_dispute,
    read_intent,
    read_refund,
    translated,
    was_replayed,
)
from payments.webhooks import REVERSALS, WebhookEvent, event_of

T = TypeVar("T")

LONGEST_CHAIN = 25
UNEXPECTED_STATE = "payment_intent_unexpected_state"
PAGE = 100
PAID_OR_ON_THE_WAY = (IntentStatus.REQUIRES_CAPTURE, IntentStatus.SUCCEEDED, IntentStatus.PROCESSING)
EXPAND = ["latest_charge"]  # holds the refunded amount


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The bounds of a call: its timeouts in seconds, its retries and its connections."""

    connect_seconds: float = 3.0
    read_seconds: float = 8.0
    whole_call_seconds: float = 15.0
    retries: int = 1
    connections: int = 50


class PooledClient(stripe.HTTPXClient):
    """The SDK's HTTP client on a bounded pool; it ignores proxy settings for a local address."""

    def __init__(self, limits: CallLimits, api_base: str | None) -> None:
        super().__init__(timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds))
        pool = httpx.Limits(max_connections=limits.connections)
        self._client_async = httpx.AsyncClient(limits=pool, trust_env=not _is_local(api_base))


class StripeGateway:
    """A `PaymentGateway` over Stripe, or over a server with its API at `api_base`."""

    def __init__(
        self, api_key: str, *, api_base: str | None = None, limits: CallLimits | None = None
    ) -> None:
        # At DEBUG the SDK logs bodies, and with them client secrets.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        stripe.enable_telemetry = False
        self._limits = limits or CallLimits()
        self._http = PooledClient(self._limits, api_base)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            http_client=self._http,
            max_network_retries=self._limits.retries,
        )
        self._intents = self._client.v1.payment_intents
        self._refunds = self._client.v1.refunds

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped

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
        async def create(key: str) -> stripe.PaymentIntent:
            return await self._intents.create_async(
                {
                    "amount": to_stripe(amount_minor, currency),
                    "currency": currency.lower(),
                    "capture_method": "manual",
                    "allowed_payment_method_types": ["card"],
                    "description": reference,
                    "metadata": {**(metadata or {}), "order_id": str(order_id), "reference": reference},
                    "expand": EXPAND,
                },
                {"idempotency_key": key},
            )

        fault: GatewayError | None = None
        for key in _chain(idempotency_key):
            try:
                return await self._latest(create, key)
            except GatewayUnavailable as unknown:
                # The intent of a stored failure may exist. It moves no money, because it is never confirmed.
                if not unknown.replayed:
                    raise
                fault = unknown
        raise _exhausted(fault)

    async def retrieve(self, intent_id: str) -> Intent:
        return read_intent(await self._ask(self._intents.retrieve_async(intent_id, {"expand": EXPAND})))

    async def confirm(
        self, intent_id: str, payment_method_id: str, *, idempotency_key: str, return_url: str
    ) -> Intent:
        async def confirm(key: str) -> stripe.PaymentIntent:
            return await self._intents.confirm_async(
                intent_id,
                {"payment_method": payment_method_id, "return_url": return_url, "expand": EXPAND},
                {"idempotency_key": key},
            )

        def is_done(intent: Intent) -> bool:
            return intent.status in PAID_OR_ON_THE_WAY

        def is_open(fault: GatewayError, intent: Intent) -> bool:
            return isinstance(fault, GatewayUnavailable) and not intent.status.is_final

        return await self._converge(intent_id, confirm, idempotency_key, is_done, is_open)

    async def capture(self, intent_id: str, *, idempotency_key: str) -> Intent:
        async def capture(key: str) -> stripe.PaymentIntent:
            return await self._intents.capture_async(intent_id, {"expand": EXPAND}, {"idempotency_key": key})

        def is_done(intent: Intent) -> bool:
            return intent.status is IntentStatus.SUCCEEDED

        def is_open(fault: GatewayError, intent: Intent) -> bool:
            return intent.status is IntentStatus.REQUIRES_CAPTURE

        return await self._converge(intent_id, capture, idempotency_key, is_done, is_open)

    async def cancel(self, intent_id: str, *, idempotency_key: str) -> Intent:
        async def cancel(key: str) -> stripe.PaymentIntent:
            return await self._intents.cancel_async(intent_id, {"expand": EXPAND}, {"idempotency_key": key})

        def is_done(intent: Intent) -> bool:
            return intent.status.is_final

        def is_open(fault: GatewayError, intent: Intent) -> bool:
            return True

        try:
            return await self._converge(intent_id, cancel, idempotency_key, is_done, is_open)
        except GatewayRejected as refusal:
            if refusal.code != UNEXPECTED_STATE:
                raise
            return await self.retrieve(intent_id)

    async def refund(
        self, intent_id: str, amount_minor: int, currency: str, *, idempotency_key: str
    ) -> Refund:
        made = await self._refunds_with(intent_id, idempotency_key)
        standing = next((one for one in made if read_refund(one).status.is_standing), None)
        if standing is not None:
            return read_refund(standing)
        # A key whose call was refused, or whose refund failed since, only repeats that answer.
        spent = {one.id for one in made}
        fault: GatewayError | None = None
        for key in _chain(idempotency_key):
            try:
                refund = await self._refund_once(
                    intent_id, to_stripe(amount_minor, currency), idempotency_key, key
                )
            except GatewayError as refusal:
                # A call with this key and another amount was rejected: its refund is not among the made ones.
                if not refusal.replayed and refusal.code != MISMATCH:
                    raise
                fault = refusal
            else:
                if refund.id not in spent:
                    return refund
        raise _exhausted(fault)

    async def refunds_of(self, intent_id: str) -> list[Refund]:
        return [read_refund(one) async for one in self._all_refunds(intent_id)]

    async def disputes_of(self, intent_id: str) -> list[Dispute]:
        wanted: stripe.params.DisputeListParams = {"payment_intent": intent_id, "limit": PAGE}
        page = await self._ask(self._client.v1.disputes.list_async(wanted))
        return [read_dispute(one) for one in page.data]

    async def recent_reversals(self, since: datetime, *, most: int = 1000) -> list[WebhookEvent]:
        found: list[WebhookEvent] = []
        wanted: stripe.params.EventListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
            "types": list(REVERSALS),
        }
        while len(found) < most:
            page = await self._ask(self._client.v1.events.list_async(wanted))
            found += [event_of(one.to_dict()) for one in page.data]
            if not page.has_more:
                break
            wanted["starting_after"] = found[-1].id
        return found[:most]

    async def recent_intents(self, since: datetime, *, most: int = 1000) -> list[Intent]:
        found: list[Intent] = []
        after: str | None = None
        while len(found) < most:
            page = await self._page_of_intents(since, min(100, most - len(found)), after)
            found += [read_intent(one) for one in page.data]
            if not page.has_more:
                break
            after = found[-1].id
        return found

    async def _page_of_intents(
        self, since: datetime, limit: int, after: str | None
    ) -> stripe.ListObject[stripe.PaymentIntent]:
        wanted: stripe.params.PaymentIntentListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": limit,
            "expand": ["data.latest_charge"],
        }
        if after is not None:
            wanted["starting_after"] = after
        return await self._ask(self._intents.list_async(wanted))

    async def _all_refunds(self, intent_id: str) -> AsyncIterator[stripe.Refund]:
        wanted: stripe.params.RefundListParams = {"payment_intent": intent_id, "limit": 100}
        while True:
            page = await self._ask(self._refunds.list_async(wanted))
            for one in page.data:
                yield one
            if not page.has_more:
                return
            wanted["starting_after"] = page.data[-1].id

    async def _refunds_with(self, intent_id: str, key: str) -> list[stripe.Refund]:
        """The refunds that earlier calls with this key made."""
        every = self._all_refunds(intent_id)
        return [one async for one in every if metadata_value(one.metadata, REFUND_KEY) == key]

    async def _refund_once(self, intent_id: str, amount: int, head: str, key: str) -> Refund:
        refund = await self._ask(
            self._refunds.create_async(
                {"payment_intent": intent_id, "amount": amount, "metadata": {REFUND_KEY: head}},
                {"idempotency_key": key},
            )
        )
        if was_replayed(refund):
            refund = await self._ask(self._refunds.retrieve_async(refund.id))
        return read_refund(refund)

    async def _converge(
        self,
        intent_id: str,
        step: Callable[[str], Awaitable[stripe.PaymentIntent]],
        head: str,
        is_done: Callable[[Intent], bool],
        is_open: Callable[[GatewayError, Intent], bool],
    ) -> Intent:
        """Run the call once, with the first key of the chain that has no stored failure."""
        fault: GatewayError | None = None
        for key in _chain(head):
            try:
                return await self._latest(step, key)
            except GatewayError as refusal:
                if isinstance(refusal, GatewayUnavailable | Declined) and not refusal.replayed:
                    raise
                intent = await self.retrieve(intent_id)
                if is_done(intent):
                    return intent
                if not refusal.replayed or not is_open(refusal, intent):
                    raise
                fault = refusal
        raise _exhausted(fault)

    async def _latest(self, step: Callable[[str], Awaitable[stripe.PaymentIntent]], key: str) -> Intent:
        """Run the call; after a stored answer, which may be old, the intent is fetched again."""
        intent = await self._ask(step(key))
        return await self.retrieve(intent.id) if was_replayed(intent) else read_intent(intent)

    async def _ask(self, call: Awaitable[T]) -> T:
        """Run one call of the SDK within its deadline, and translate its errors."""
        try:
            with waiting_elsewhere():
                async with asyncio.timeout(self._limits.whole_call_seconds):
                    return await call
        except TimeoutError as fault:
            raise GatewayUnavailable("timeout", "Stripe did not answer in time.") from fault
        except stripe.StripeError as fault:
            raise translated(fault) from fault


def _chain(head: str) -> Iterator[str]:
    yield head
    for number in range(2, LONGEST_CHAIN + 1):
        yield f"{head}.{number}"


def _exhausted(fault: GatewayError | None) -> GatewayError:
    return fault or GatewayUnavailable("keys_exhausted", "Every attempt under this key failed.")


def _is_local(api_base: str | None) -> bool:
    host = urlsplit(api_base).hostname if api_base else None
    if host is None or host == "localhost":
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

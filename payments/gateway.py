"""What Boxoffice asks of whoever moves the money. Knows no Stripe; stripe_gateway.py is the one that does.

    GatewayError
    ├── Declined             the bank said no: another card may do
    ├── GatewayRejected      the gateway understood and will not: asking again changes nothing
    └── GatewayUnavailable   nobody knows whether it happened: ask again with the same key

Amounts are minor units as ISO 4217 counts them (cents, won), currencies upper case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class GatewayError(Exception):
    """The payment gateway did not do what was asked.

    `replayed`: this is the stored answer of an earlier call with the key; nothing was tried now.
    """

    def __init__(self, code: str, message: str, *, replayed: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.replayed = replayed


class Declined(GatewayError):
    """The bank declined; `code` is its reason (insufficient_funds, generic_decline), stable."""


class GatewayRejected(GatewayError):
    """The gateway refused for good: a rule of its own, a wrong parameter, a key used otherwise."""


class GatewayUnavailable(GatewayError):
    """No answer, or one that says nothing: the effect may have happened. Repeat with the same key."""


class IntentStatus(StrEnum):
    """Where a payment intent stands. REQUIRES_CAPTURE is an authorisation: booked, then captured."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELLED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether it stays as it is for ever."""
        return self in (IntentStatus.SUCCEEDED, IntentStatus.CANCELLED)


class RefundStatus(StrEnum):
    """Where a refund stands. FAILED and CANCELLED gave nothing back."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "canceled"

    @property
    def is_standing(self) -> bool:
        """Whether the money went back or is on its way."""
        return self not in (RefundStatus.FAILED, RefundStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class NextAction:
    """What the buyer must do (3-D Secure): `url` is the bank's page, None where Stripe.js shows it."""

    kind: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent as the gateway has it now.

    `order_id` is what the metadata say, None when they name no order of ours. Compare amount and
    currency with the order before believing in it. `client_secret` stays out of logs.
    """

    id: str
    status: IntentStatus
    amount_minor: int
    amount_capturable_minor: int
    amount_received_minor: int
    refunded_minor: int
    currency: str
    order_id: UUID | None
    failure_code: str | None
    failure_message: str | None
    next_action: NextAction | None
    created: datetime
    client_secret: str = field(repr=False)

    @property
    def kept_minor(self) -> int:
        """Captured minus refunded: what invariant 3 speaks of."""
        return self.amount_received_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the gateway has it now."""

    id: str
    intent_id: str
    amount_minor: int
    currency: str
    status: RefundStatus
    failure_code: str | None
    created: datetime


class PaymentGateway(Protocol):
    """The ways to move money. Every method may raise GatewayUnavailable and GatewayRejected.

    Keys (docs/adr/payment-keys.md): one stable key an attempt, made from our own ids, so that the
    same call after a crash is the same attempt. A repeated call converges on one outcome.
    """

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
        """A new intent, to be captured by hand. `reference` is what the buyer knows the order by."""
        ...

    async def retrieve(self, intent_id: str) -> Intent:
        """The intent as it is now. Raises GatewayRejected("resource_missing") when there is none."""
        ...

    async def confirm(
        self, intent_id: str, payment_method_id: str, *, idempotency_key: str, return_url: str
    ) -> Intent:
        """Authorises with this method; REQUIRES_ACTION asks the buyer first.

        An intent that is authorised or paid already is answered as it is. Raises Declined.
        """
        ...

    async def capture(self, intent_id: str, *, idempotency_key: str) -> Intent:
        """Takes all that is authorised; an intent captured before is answered as it is.

        Raises:
            Declined: the bank no longer gives it.
            GatewayRejected: the intent is in no state to be captured (cancelled, never authorised).
        """
        ...

    async def cancel(self, intent_id: str, *, idempotency_key: str) -> Intent:
        """Ends an intent that was not captured. The status of the answer says whether it did."""
        ...

    async def refund(
        self, intent_id: str, amount_minor: int, currency: str, *, idempotency_key: str
    ) -> Refund:
        """Gives back part or all of what was captured, once a key, even after keys were pruned.

        A refund that failed at the bank gave nothing back: the same key then tries once more.

        Raises:
            Declined: the bank would not have it now.
            GatewayRejected: nothing was captured, or less is left than asked for.
        """
        ...

    async def refunds_of(self, intent_id: str) -> list[Refund]:
        """The intent's refunds, newest first."""
        ...

    async def recent_intents(self, since: datetime, *, most: int = 1000) -> list[Intent]:
        """Intents created at or after `since`, newest first: what a sweep compares with the orders."""
        ...

    async def close(self) -> None:
        """Gives the connections back."""
        ...

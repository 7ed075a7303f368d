"""The payment gateway as the code sees it, without Stripe; stripe_gateway.py implements it.

    GatewayError
    ├── Declined             the bank declined: another card may work
    ├── GatewayRejected      the gateway refused for good: a retry changes nothing
    └── GatewayUnavailable   the outcome is unknown: retry with the same key

Amounts are minor units as ISO 4217 counts them (cents, won), currencies upper case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from payments.webhooks import WebhookEvent

ALREADY_REFUNDED, DISPUTED = "charge_already_refunded", "charge_disputed"
MISMATCH = "idempotency_mismatch"
"""Codes of GatewayRejected; MISMATCH is a key that was used with other input"""
AMOUNT_FAULTS = frozenset({"amount_too_large", "amount_too_small", "parameter_invalid_integer"})
"""Its codes where the amount is what cannot be charged"""


class GatewayError(Exception):
    """The payment gateway did not do what was asked.

    `replayed`: this is the stored answer of an earlier call with the key; this call had no effect.
    """

    def __init__(self, code: str, message: str, *, replayed: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.replayed = replayed


class Declined(GatewayError):
    """The bank declined; `code` is its stable reason, such as insufficient_funds or generic_decline."""

    def __init__(
        self, code: str, message: str, *, replayed: bool = False, charge_id: str | None = None
    ) -> None:
        super().__init__(code, message, replayed=replayed)
        self.charge_id = charge_id


class GatewayRejected(GatewayError):
    """The gateway refused for good: a rule of its own, a wrong parameter, a key used with other input."""


class GatewayUnavailable(GatewayError):
    """No usable answer: the effect may have happened. Retry with the same key."""


class IntentStatus(StrEnum):
    """The status of a payment intent. REQUIRES_CAPTURE is authorised: the order is booked, then captured."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELLED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether it never changes again."""
        return self in (IntentStatus.SUCCEEDED, IntentStatus.CANCELLED)


class RefundStatus(StrEnum):
    """The status of a refund. FAILED and CANCELLED refunded nothing."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "canceled"

    @property
    def is_standing(self) -> bool:
        """Whether the money was refunded or will be."""
        return self not in (RefundStatus.FAILED, RefundStatus.CANCELLED)


class DisputeStatus(StrEnum):
    """The status of a dispute. A warning is an inquiry: no money was taken yet, and refunds are possible."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    APPEAL_NEEDS_RESPONSE = "appeal_needs_response"
    APPEAL_UNDER_REVIEW = "appeal_under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


@dataclass(frozen=True, slots=True)
class NextAction:
    """The buyer's next step (3-D Secure): `url` is the bank's page, None where Stripe.js shows it."""

    kind: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent as the gateway has it now.

    `order_id` is from the metadata, None where they name no order of ours. Compare the amount and the
    currency with the order before using it. `client_secret` must not be logged.
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
    charge_id: str | None = None
    """The latest charge: a new one with each card that is tried"""
    disputed: bool = False
    """Whether its charge was ever disputed"""
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_begun(self) -> bool:
        """Whether the buyer has given a payment method, even one that was declined."""
        return self.status is not IntentStatus.REQUIRES_PAYMENT_METHOD or self.failure_code is not None

    @property
    def kept_minor(self) -> int:
        """Captured minus refunded: the money that the gateway keeps."""
        return self.amount_received_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the gateway has it now. `key` is that of our call; None for one made there by hand."""

    id: str
    intent_id: str
    amount_minor: int
    currency: str
    status: RefundStatus
    failure_code: str | None
    created: datetime
    key: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as the gateway has it now: a cardholder asks the bank for the money back.

    `is_refundable`: whether the gateway still refunds the payment.
    """

    id: str
    intent_id: str
    amount_minor: int
    currency: str
    status: DisputeStatus
    reason: str
    is_refundable: bool
    respond_by: datetime | None
    created: datetime


class PaymentGateway(Protocol):
    """The operations of a payment gateway. Every method may raise GatewayUnavailable and GatewayRejected.

    Keys (docs/adr/payment-keys.md): each attempt has one stable key, made from our ids, so that a
    retry after a crash is the same attempt. A repeated call converges on one outcome.
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
        """Create an intent with manual capture. `reference` is the order's reference."""
        ...

    async def retrieve(self, intent_id: str) -> Intent:
        """Fetch the intent as it is now. Raises GatewayRejected("resource_missing") when there is none."""
        ...

    async def confirm(
        self, intent_id: str, payment_method_id: str, *, idempotency_key: str, return_url: str
    ) -> Intent:
        """Authorise with this payment method; REQUIRES_ACTION means that the buyer has to act first.

        An intent that is already authorised or captured is returned as it is. Raises Declined.
        """
        ...

    async def capture(self, intent_id: str, *, idempotency_key: str) -> Intent:
        """Capture the whole authorised amount; an intent that is already captured is returned as it is.

        Raises:
            Declined: the bank no longer allows it.
            GatewayRejected: the intent cannot be captured (it is cancelled or was never authorised).
        """
        ...

    async def cancel(self, intent_id: str, *, idempotency_key: str) -> Intent:
        """Cancel an intent that was not captured; the returned status shows whether it is cancelled."""
        ...

    async def refund(
        self, intent_id: str, amount_minor: int, currency: str, *, idempotency_key: str
    ) -> Refund:
        """Refund part or all of the captured amount, once for each key, even after Stripe has pruned the key.

        A refund that failed at the bank refunded nothing: the same key then makes a new attempt, and so does
        another amount after a call that was rejected. The returned amount is what was refunded.

        Raises:
            Declined: the bank declined the refund.
            GatewayRejected: nothing was captured, less than this is left (ALREADY_REFUNDED: nothing is),
                or the payment is disputed (DISPUTED).
        """
        ...

    async def refunds_of(self, intent_id: str) -> list[Refund]:
        """List the intent's refunds, newest first."""
        ...

    async def disputes_of(self, intent_id: str) -> list[Dispute]:
        """List the intent's disputes, newest first."""
        ...

    async def recent_reversals(self, since: datetime, *, most: int = 1000) -> list[WebhookEvent]:
        """List the events of refunds and disputes created at or after `since`, newest first.

        The gateway keeps them for 30 days.
        """
        ...

    async def recent_intents(self, since: datetime, *, most: int = 1000) -> list[Intent]:
        """List the intents created at or after `since`, newest first, for the sweep to compare."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...

"""Translation of the SDK's objects and errors into those of the gateway."""

from datetime import UTC, datetime
from uuid import UUID

import stripe

from payments.amounts import from_stripe
from payments.gateway import (
    MISMATCH,
    Declined,
    Dispute,
    DisputeStatus,
    GatewayError,
    GatewayRejected,
    GatewayUnavailable,
    Intent,
    IntentStatus,
    NextAction,
    Refund,
    RefundStatus,
)

REFUND_KEY = "refund_key"  # in a refund's metadata: identifies it after Stripe has pruned the key
PASSING_CODES = frozenset({"lock_timeout", "rate_limit", "idempotency_key_in_use"})


def was_replayed(answer: stripe.StripeObject) -> bool:
    response = answer.last_response
    return response is not None and response.headers.get("idempotent-replayed") == "true"


def translated(fault: stripe.StripeError) -> GatewayError:
    message = fault.user_message or "Stripe gave no reason."
    replayed = (fault.headers or {}).get("idempotent-replayed") == "true"
    code = _given(fault.error, "code") or fault.code
    if isinstance(fault, stripe.CardError):
        return Declined(
            _given(fault.error, "decline_code") or code or "card_declined",
            message,
            replayed=replayed,
            charge_id=_given(fault.error, "charge"),
        )
    if isinstance(fault, stripe.IdempotencyError):
        return GatewayRejected(MISMATCH, message)
    if isinstance(fault, stripe.InvalidRequestError) and code not in PASSING_CODES:
        return GatewayRejected(code or "invalid_request", message, replayed=replayed)
    if isinstance(fault, stripe.AuthenticationError | stripe.PermissionError):
        # A wrong API key is the operator's to correct: no payment may end because of it.
        return GatewayUnavailable("api_key_refused", message)
    if isinstance(fault, stripe.APIConnectionError):
        return GatewayUnavailable("no_connection", "Stripe could not be reached, or closed the connection.")
    return GatewayUnavailable(code or f"http_{fault.http_status}", message, replayed=replayed)


def read_intent(intent: stripe.PaymentIntent) -> Intent:
    failure = intent.last_payment_error
    currency = intent.currency.upper()
    return Intent(
        id=intent.id,
        status=IntentStatus(intent.status),
        amount_minor=from_stripe(intent.amount, currency),
        amount_capturable_minor=from_stripe(intent.amount_capturable, currency),
        amount_received_minor=from_stripe(intent.amount_received, currency),
        refunded_minor=from_stripe(_refunded(intent), currency),
        currency=currency,
        order_id=_order_id(metadata_value(intent.metadata, "order_id")),
        failure_code=_given(failure, "decline_code") or _given(failure, "code"),
        failure_message=_given(failure, "message"),
        next_action=_next_action(intent),
        created=datetime.fromtimestamp(intent.created, UTC),
        client_secret=intent.client_secret or "",
        charge_id=_charge_id(intent),
        disputed=isinstance(intent.latest_charge, stripe.Charge) and bool(intent.latest_charge.disputed),
        metadata=_texts(intent.metadata),
    )


def _given(subject: object, name: str) -> str | None:
    """A text that Stripe may leave out; the SDK's objects raise for a missing attribute."""
    found = getattr(subject, name, None)
    return found if isinstance(found, str) else None


def _charge_id(intent: stripe.PaymentIntent) -> str | None:
    charge = intent.latest_charge
    return charge.id if isinstance(charge, stripe.Charge) else charge


def _refunded(intent: stripe.PaymentIntent) -> int:
    charge = intent.latest_charge
    if not isinstance(charge, stripe.Charge) or not charge.captured:
        return 0  # API versions before basil report a cancelled authorisation as refunded
    return charge.amount_refunded


def metadata_value(metadata: object, key: str) -> str | None:
    """One value of the metadata."""
    return _texts(metadata).get(key)


def _texts(metadata: object) -> dict[str, str]:
    """The metadata, which in the SDK are an object and no mapping."""
    found = metadata.to_dict() if isinstance(metadata, stripe.StripeObject) else {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _order_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _next_action(intent: stripe.PaymentIntent) -> NextAction | None:
    action = intent.next_action
    if action is None:
        return None
    redirect = getattr(action, "redirect_to_url", None)
    return NextAction(action.type, _given(redirect, "url"))


def read_refund(refund: stripe.Refund) -> Refund:
    currency = refund.currency.upper()
    return Refund(
        id=refund.id,
        intent_id=_id_of(refund.payment_intent),
        amount_minor=from_stripe(refund.amount, currency),
        currency=currency,
        status=RefundStatus(refund.status or "pending"),
        failure_code=_given(refund, "failure_reason"),
        created=datetime.fromtimestamp(refund.created, UTC),
        key=metadata_value(refund.metadata, REFUND_KEY),
        reason=_given(refund, "reason"),
    )


def read_dispute(dispute: stripe.Dispute) -> Dispute:
    currency = dispute.currency.upper()
    due_by = getattr(dispute.evidence_details, "due_by", None)
    return Dispute(
        id=dispute.id,
        intent_id=_id_of(dispute.payment_intent),
        amount_minor=from_stripe(dispute.amount, currency),
        currency=currency,
        status=_dispute_status(dispute.status),
        reason=dispute.reason,
        is_refundable=dispute.is_charge_refundable,
        respond_by=datetime.fromtimestamp(due_by, UTC) if isinstance(due_by, int) else None,
        created=datetime.fromtimestamp(dispute.created, UTC),
    )


def _dispute_status(text: str) -> DisputeStatus:
    """A status that a later API adds counts as open, so that a person looks at it."""
    try:
        return DisputeStatus(text)
    except ValueError:
        return DisputeStatus.UNDER_REVIEW


def _id_of(intent: str | stripe.PaymentIntent | None) -> str:
    return intent if isinstance(intent, str) else intent.id if intent else ""

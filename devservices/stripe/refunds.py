"""Refunds: never more than the captured amount that is not yet refunded (docs.stripe.com/refunds)."""

from devservices.stripe import amounts, disputes
from devservices.stripe.cards import RefundOutcome
from devservices.stripe.charges import card_of
from devservices.stripe.documents import Document, new_id
from devservices.stripe.errors import ApiError, invalid_parameter, no_such
from devservices.stripe.forms import Params
from devservices.stripe.injected_faults import InjectedFault
from devservices.stripe.intents import facts_of
from devservices.stripe.ledger import Ledger

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(ledger: Ledger, params: Params) -> Document:
    params.only("payment_intent", "charge", "amount", "reason", "metadata", "instructions_email")
    reason, metadata = params.choice("reason", REASONS), params.metadata({})
    charge = _charge(ledger, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    _require_captured(charge, left)
    disputes.require_refundable(ledger, charge)
    amount = params.integer("amount", default=left)
    if amount > left:
        sentence = (
            f"Refund amount ({amounts.shown(amount, charge['currency'])}) is greater than unrefunded "
            f"amount on charge ({amounts.shown(left, charge['currency'])})"
        )
        raise invalid_parameter("amount", sentence)
    fault = _raise_injected_failure(ledger, charge)
    refund = _new(ledger, charge, amount, reason, metadata)
    _apply_outcome(ledger, refund, charge, fault)
    return refund


def retrieve(ledger: Ledger, params: Params, refund_id: str) -> Document:
    params.only()
    found = ledger.store.find("refund", refund_id)
    if found is None:
        raise no_such("refund", refund_id)
    return found


def update(ledger: Ledger, params: Params, refund_id: str) -> Document:
    params.only("metadata")
    refund = retrieve(ledger, Params({}), refund_id)
    refund["metadata"] = params.metadata(refund["metadata"])
    ledger.store.save(refund)
    ledger.emit("refund.updated", refund)
    return refund


def succeed(ledger: Ledger, refund: Document) -> None:
    """Completes a pending refund."""
    refund["status"] = "succeeded"
    ledger.store.save(refund)
    ledger.emit("refund.updated", refund, {"status": "pending"})


def fail(ledger: Ledger, refund: Document) -> None:
    """Fails a refund: the amount returns to the seller."""
    before = refund["status"]
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    refund["failure_balance_transaction"] = new_id("txn", 24)
    ledger.store.save(refund)
    charge = ledger.store.get("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    ledger.store.save(charge)
    ledger.emit("refund.updated", refund, {"status": before})
    ledger.emit("refund.failed", refund, {"status": before})


def _charge(ledger: Ledger, params: Params) -> Document:
    if "charge" in params:
        found = ledger.store.find("charge", params.required_text("charge"))
        if found is None:
            raise no_such("charge", params.required_text("charge"), "charge")
        return found
    if "payment_intent" not in params:
        sentence = (
            "One of the following params should be provided for this request: payment_intent or charge."
        )
        raise invalid_parameter("payment_intent", sentence, "parameter_missing")
    intent = ledger.intent(params.required_text("payment_intent"), "payment_intent")
    if intent["latest_charge"] is None:
        sentence = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise ApiError(400, sentence, param="payment_intent", saved=True)
    return ledger.charge(intent)


def _require_captured(charge: Document, left: int) -> None:
    if not charge["captured"]:
        sentence = (
            f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund."
        )
        raise ApiError(400, sentence, param="payment_intent", saved=True)
    if left == 0:
        sentence = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, sentence, code="charge_already_refunded", saved=True)


def _raise_injected_failure(ledger: Ledger, charge: Document) -> InjectedFault | None:
    """Raises an injected failure, or returns the fault that makes the refund fail later."""
    intent = ledger.intent(charge["payment_intent"])
    facts = facts_of(intent) | {"operation": "refund.create"}
    if fault := ledger.faults.take("refund.fail", facts):
        code = str(fault.params.get("code", "processing_error"))
        sentence = str(fault.params.get("message", "An error occurred while processing the refund."))
        raise ApiError(402, sentence, kind="card_error", code=code, saved=True)
    return ledger.faults.take("refund.pending_then_fail", facts)


def _new(ledger: Ledger, charge: Document, amount: int, reason: str | None, metadata: Document) -> Document:
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": new_id("re", 24),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn", 24),
        "charge": charge["id"],
        "created": ledger.created,
        "currency": charge["currency"],
        "destination_details": {"card": card, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _apply_outcome(ledger: Ledger, refund: Document, charge: Document, fault: InjectedFault | None) -> None:
    outcome = card_of(ledger.store.get("payment_method", charge["payment_method"])).refund
    later: tuple[str, float | None] | None = None
    if fault or outcome is RefundOutcome.SUCCEEDS_LATER:
        refund["status"] = "pending"
    if fault:
        later = ("refund.fails", fault.seconds())
    elif outcome is RefundOutcome.SUCCEEDS_LATER:
        later = ("refund.succeeds", None)
    elif outcome is RefundOutcome.FAILS_LATER:
        later = ("refund.fails", None)
    _record_refund(ledger, refund, charge)
    if later:
        ledger.schedule(later[0], refund["id"], later[1])


def _record_refund(ledger: Ledger, refund: Document, charge: Document) -> None:
    before = charge["amount_refunded"]
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    ledger.store.insert(refund, refund["payment_intent"])
    ledger.store.save(charge)
    ledger.emit("refund.created", refund)
    ledger.emit("charge.refunded", charge, {"amount_refunded": before})

"""Refunds: never above what was captured and not yet given back (docs.stripe.com/refunds)."""

from devservices.stripe import amounts
from devservices.stripe.books import Books
from devservices.stripe.cards import RefundCourse
from devservices.stripe.charges import card_of
from devservices.stripe.documents import Document, new_id
from devservices.stripe.faults import Fault
from devservices.stripe.forms import Params
from devservices.stripe.intents import facts_of
from devservices.stripe.refusals import ApiError, invalid_parameter, no_such

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(books: Books, params: Params) -> Document:
    params.only("payment_intent", "charge", "amount", "reason", "metadata", "instructions_email")
    reason, metadata = params.choice("reason", REASONS), params.metadata({})
    charge = _charge(books, params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    _refuse_unless_captured(charge, left)
    amount = params.integer("amount", default=left)
    if amount > left:
        sentence = (
            f"Refund amount ({amounts.shown(amount, charge['currency'])}) is greater than unrefunded "
            f"amount on charge ({amounts.shown(left, charge['currency'])})"
        )
        raise invalid_parameter("amount", sentence)
    fault = _refuse_if_wanted(books, charge)
    refund = _new(books, charge, amount, reason, metadata)
    _follow_course(books, refund, charge, fault)
    return refund


def retrieve(books: Books, params: Params, refund_id: str) -> Document:
    params.only()
    found = books.store.find("refund", refund_id)
    if found is None:
        raise no_such("refund", refund_id)
    return found


def update(books: Books, params: Params, refund_id: str) -> Document:
    params.only("metadata")
    refund = retrieve(books, Params({}), refund_id)
    refund["metadata"] = params.metadata(refund["metadata"])
    books.store.save(refund)
    books.emit("refund.updated", refund)
    return refund


def succeed(books: Books, refund: Document) -> None:
    """A pending refund arrives."""
    refund["status"] = "succeeded"
    books.store.save(refund)
    books.emit("refund.updated", refund, {"status": "pending"})


def fail(books: Books, refund: Document) -> None:
    """A refund that bounced: the money is the seller's again."""
    before = refund["status"]
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    refund["failure_balance_transaction"] = new_id("txn", 24)
    books.store.save(refund)
    charge = books.store.get("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    books.store.save(charge)
    books.emit("refund.updated", refund, {"status": before})
    books.emit("refund.failed", refund, {"status": before})


def _charge(books: Books, params: Params) -> Document:
    if "charge" in params:
        found = books.store.find("charge", params.required_text("charge"))
        if found is None:
            raise no_such("charge", params.required_text("charge"), "charge")
        return found
    if "payment_intent" not in params:
        sentence = (
            "One of the following params should be provided for this request: payment_intent or charge."
        )
        raise invalid_parameter("payment_intent", sentence, "parameter_missing")
    intent = books.intent(params.required_text("payment_intent"), "payment_intent")
    if intent["latest_charge"] is None:
        sentence = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise ApiError(400, sentence, param="payment_intent", saved=True)
    return books.charge(intent)


def _refuse_unless_captured(charge: Document, left: int) -> None:
    if not charge["captured"]:
        sentence = (
            f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund."
        )
        raise ApiError(400, sentence, param="payment_intent", saved=True)
    if left == 0:
        sentence = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, sentence, code="charge_already_refunded", saved=True)


def _refuse_if_wanted(books: Books, charge: Document) -> Fault | None:
    """Lets a waiting fault refuse the call, or hands back the one that spoils the refund later."""
    intent = books.intent(charge["payment_intent"])
    facts = facts_of(intent) | {"operation": "refund.create"}
    if fault := books.faults.take("refund.fail", facts):
        code = str(fault.params.get("code", "processing_error"))
        sentence = str(fault.params.get("message", "An error occurred while processing the refund."))
        raise ApiError(402, sentence, kind="card_error", code=code, saved=True)
    return books.faults.take("refund.pending_then_fail", facts)


def _new(books: Books, charge: Document, amount: int, reason: str | None, metadata: Document) -> Document:
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": new_id("re", 24),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn", 24),
        "charge": charge["id"],
        "created": books.created,
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


def _follow_course(books: Books, refund: Document, charge: Document, fault: Fault | None) -> None:
    course = card_of(books.store.get("payment_method", charge["payment_method"])).refund
    later: tuple[str, float | None] | None = None
    if fault or course is RefundCourse.SUCCEEDS_LATER:
        refund["status"] = "pending"
    if fault:
        later = ("refund.fails", fault.seconds())
    elif course is RefundCourse.SUCCEEDS_LATER:
        later = ("refund.succeeds", None)
    elif course is RefundCourse.FAILS_LATER:
        later = ("refund.fails", None)
    _give_back(books, refund, charge)
    if later:
        books.schedule(later[0], refund["id"], later[1])


def _give_back(books: Books, refund: Document, charge: Document) -> None:
    before = charge["amount_refunded"]
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    books.store.insert(refund, refund["payment_intent"])
    books.store.save(charge)
    books.emit("refund.created", refund)
    books.emit("charge.refunded", charge, {"amount_refunded": before})

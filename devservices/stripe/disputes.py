"""Disputes: a cardholder asks the bank for the money back (docs.stripe.com/disputes/how-disputes-work).

A chargeback takes the money out of the account at once, and nothing can be refunded while it is open or
lost. An inquiry (`warning_…`) takes none, and refunds stay possible.
"""

from devservices.stripe.documents import Document, new_id
from devservices.stripe.errors import ApiError, invalid_parameter, no_such
from devservices.stripe.forms import Params
from devservices.stripe.ledger import Ledger

REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated",
    "debit_not_authorized", "duplicate", "fraudulent", "general", "incorrect_account_details",
    "insufficient_funds", "noncompliant", "product_not_received", "product_unacceptable",
    "subscription_canceled", "unrecognized",
)  # fmt: skip
ANSWERABLE = ("needs_response", "warning_needs_response")
INQUIRIES = ("warning_needs_response", "warning_under_review")
CHARGEBACKS = ("needs_response", "under_review")
NOT_REFUNDABLE = (*CHARGEBACKS, "lost")
FEE = 1500
ANSWER_SECONDS = 7 * 86_400
# docs.stripe.com/testing: these texts decide a dispute as soon as they are submitted.
WINNING, LOSING = "winning_evidence", "losing_evidence"
TEXTS = (
    "access_activity_log billing_address cancellation_policy_disclosure cancellation_rebuttal "
    "customer_email_address customer_name customer_purchase_ip duplicate_charge_explanation "
    "duplicate_charge_id product_description refund_policy_disclosure refund_refusal_explanation "
    "service_date shipping_address shipping_carrier shipping_date shipping_tracking_number "
    "uncategorized_text"
).split()
FILES = (
    "cancellation_policy customer_communication customer_signature duplicate_charge_documentation "
    "receipt refund_policy service_documentation shipping_documentation uncategorized_file"
).split()


def retrieve(ledger: Ledger, params: Params, dispute_id: str) -> Document:
    params.only()
    found = ledger.store.find("dispute", dispute_id)
    if found is None:
        raise no_such("dispute", dispute_id, "dispute")
    return found


def update(ledger: Ledger, params: Params, dispute_id: str) -> Document:
    """Stores evidence and, unless `submit` is false, submits it to the bank."""
    params.only("evidence", "metadata", "submit")
    dispute = retrieve(ledger, Params({}), dispute_id)
    evidence = params.group("evidence")
    evidence.only(*TEXTS, *FILES)
    submits = params.choice("submit", ("true", "false"), "true") == "true"
    metadata = params.metadata(dispute["metadata"])
    if dispute["status"] not in ANSWERABLE:
        raise ApiError(400, f"This dispute is already {dispute['status']}: it takes no more evidence.")
    dispute["metadata"] = metadata
    dispute["evidence"] |= {name: evidence.text(name) for name in evidence.values}
    dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"][name] for name in TEXTS + FILES)
    if submits:
        _submit(dispute)
    ledger.store.save(dispute)
    ledger.emit("charge.dispute.updated", dispute)
    said = dispute["evidence"]["uncategorized_text"]
    if submits and said in (WINNING, LOSING):
        decide(ledger, dispute, "won" if said == WINNING else "lost")
    return dispute


def close(ledger: Ledger, params: Params, dispute_id: str) -> Document:
    """Accepts a chargeback: it is lost."""
    params.only()
    dispute = retrieve(ledger, params, dispute_id)
    if dispute["status"] not in CHARGEBACKS:
        raise ApiError(400, f"This dispute is already {dispute['status']}: it cannot be closed.")
    decide(ledger, dispute, "lost")
    return dispute


def begin(
    ledger: Ledger, charge: Document, amount: int, reason: str = "fraudulent", *, inquiry: bool = False
) -> Document:
    """Begins a dispute of a captured charge."""
    dispute = _new(ledger, charge, amount, reason)
    charge["disputed"] = True
    ledger.store.save(charge)
    ledger.store.insert(dispute, charge["payment_intent"])
    if inquiry:
        dispute |= {"status": "warning_needs_response", "is_charge_refundable": True}
        dispute["payment_method_details"]["card"]["case_type"] = "inquiry"
    else:
        _move(ledger, dispute, -dispute["amount"])
    ledger.store.save(dispute)
    ledger.emit("charge.dispute.created", dispute)
    if not inquiry:
        ledger.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def escalate(ledger: Ledger, dispute: Document) -> None:
    """Turns an inquiry into a chargeback."""
    before = {"status": dispute["status"], "is_charge_refundable": True}
    dispute |= {"status": "needs_response", "is_charge_refundable": False}
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    _move(ledger, dispute, -dispute["amount"])
    ledger.store.save(dispute)
    ledger.emit("charge.dispute.updated", dispute, before)
    ledger.emit("charge.dispute.funds_withdrawn", dispute)


def decide(ledger: Ledger, dispute: Document, status: str) -> None:
    """Ends a dispute: won, lost or, for an inquiry, warning_closed."""
    before = {"status": dispute["status"]}
    dispute |= {"status": status, "is_charge_refundable": status != "lost"}
    if status == "won":
        _move(ledger, dispute, dispute["amount"])
    ledger.store.save(dispute)
    ledger.emit("charge.dispute.closed", dispute, before)
    if status == "won":
        ledger.emit("charge.dispute.funds_reinstated", dispute)


def require_refundable(ledger: Ledger, charge: Document) -> None:
    """Raises ApiError while a chargeback of the charge is open, and after a lost one."""
    for dispute in of_charge(ledger, charge):
        if dispute["status"] in NOT_REFUNDABLE:
            sentence = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise ApiError(400, sentence, code="charge_disputed", saved=True)


def of_charge(ledger: Ledger, charge: Document) -> list[Document]:
    """The charge's disputes, newest first."""
    if not charge["disputed"]:
        return []
    return ledger.store.newest("dispute", ["intent = ?"], [charge["payment_intent"]], 100)


def disputed_amount(charge: Document, wanted: int | None) -> int:
    """The amount of a new dispute; the captured amount unless less is wanted."""
    if not charge["captured"]:
        raise ApiError(400, "Only a captured charge can be disputed.")
    if wanted is not None and not 1 <= wanted <= charge["amount_captured"]:
        raise invalid_parameter("amount", "At most the captured amount can be disputed.")
    return wanted or int(charge["amount_captured"])


def _submit(dispute: Document) -> None:
    inquiry = dispute["status"] in INQUIRIES
    dispute["status"] = "warning_under_review" if inquiry else "under_review"
    dispute["evidence_details"]["submission_count"] += 1
    dispute["evidence_details"]["submission_method"] = "manual"


def _move(ledger: Ledger, dispute: Document, amount: int) -> None:
    """Adds the balance transaction that takes the money out of the account, or puts it back."""
    taken, fee = amount < 0, FEE if amount < 0 else 0
    detail = {"amount": fee, "application": None, "currency": dispute["currency"]}
    detail |= {"description": "Dispute fee", "type": "stripe_fee"}
    kind = "withdrawal" if taken else "reversal"
    dispute["balance_transactions"].append(
        {
            "id": new_id("txn", 24),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": ledger.created,
            "balance_type": "payments",
            "created": ledger.created,
            "currency": dispute["currency"],
            "description": f"Chargeback {kind} for {dispute['charge']}",
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": "dispute" if taken else "dispute_reversal",
            "source": dispute["id"],
            "status": "pending",
            "type": "adjustment",
        }
    )


def _new(ledger: Ledger, charge: Document, amount: int, reason: str) -> Document:
    brand = charge["payment_method_details"]["card"]["brand"]
    card = {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10.4"}
    return {
        "id": new_id("du", 24),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": ledger.created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(("appeal", *TEXTS, *FILES)) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": ledger.created + ANSWER_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"},
        "reason": reason,
        "status": "needs_response",
    }

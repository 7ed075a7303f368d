"""PaymentIntents: states and transitions (docs.stripe.com/payments/paymentintents/lifecycle).

Every check precedes the first write, because an ApiError does not roll back: a decline is one and is
recorded.
"""

from copy import deepcopy

from devservices.stripe import amounts, charges, disputes
from devservices.stripe.cards import Later, payment_method
from devservices.stripe.documents import Document, new_id, token
from devservices.stripe.errors import ApiError, invalid_parameter, no_such, unexpected_state
from devservices.stripe.forms import Params
from devservices.stripe.ledger import Ledger

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELLABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
DESCRIBING = (
    "description receipt_email statement_descriptor statement_descriptor_suffix transfer_group "
    "setup_future_usage customer"
).split()
CONFIRMING = (
    "payment_method return_url use_stripe_sdk off_session error_on_requires_action mandate_data "
    "receipt_email setup_future_usage shipping capture_method payment_method_options radar_options"
).split()
CREATING = (
    "amount currency capture_method confirm confirmation_method allowed_payment_method_types "
    "automatic_payment_methods excluded_payment_method_types metadata"
).split()


def create(ledger: Ledger, params: Params) -> Document:
    params.only(*CREATING, *DESCRIBING, *CONFIRMING)
    currency = amounts.currency(params)
    amount = amounts.amount(params, currency)
    intent = _blank(ledger, params, amount, currency)
    method = _method(ledger, params)
    ledger.store.insert(intent, intent["id"])
    if method:
        _attach(ledger, intent, method)
        intent["status"] = "requires_confirmation"
    _apply_alteration(ledger, intent, "payment_intent.create")
    ledger.store.save(intent)
    ledger.emit("payment_intent.created", intent)
    if params.flag("confirm"):
        return _confirm(ledger, intent, None, params.text("return_url"))
    return intent


def retrieve(ledger: Ledger, params: Params, intent_id: str) -> Document:
    intent = ledger.intent(intent_id)
    if _apply_alteration(ledger, intent, "payment_intent.retrieve"):
        ledger.store.save(intent)
    return intent


def update(ledger: Ledger, params: Params, intent_id: str) -> Document:
    params.only("amount", "currency", "metadata", "payment_method", "shipping", *DESCRIBING)
    intent = ledger.intent(intent_id)
    currency = amounts.currency(params) if "currency" in params else intent["currency"]
    amount = amounts.amount(params, currency) if "amount" in params else intent["amount"]
    metadata, method = params.metadata(intent["metadata"]), _method(ledger, params)
    changes_payment = method or (amount, currency) != (intent["amount"], intent["currency"])
    if changes_payment and intent["status"] not in OPEN:
        raise unexpected_state(
            "This PaymentIntent's payment_method, amount or currency could not be updated because it "
            f"has a status of {intent['status']}. You may only update them of a PaymentIntent with one "
            f"of the following statuses: {', '.join(OPEN)}.",
            intent,
        )
    intent |= {"amount": amount, "currency": currency, "metadata": metadata}
    intent |= {name: params.text(name) for name in DESCRIBING if name in params}
    if method:
        _attach(ledger, intent, method)
        intent |= {"status": "requires_confirmation", "next_action": None}
    ledger.store.save(intent)
    return intent


def confirm(ledger: Ledger, params: Params, intent_id: str) -> Document:
    params.only(*CONFIRMING)
    intent = ledger.intent(intent_id)
    method = _method(ledger, params)
    _apply_alteration(ledger, intent, "payment_intent.confirm")
    return _confirm(ledger, intent, method, params.text("return_url"))


def capture(ledger: Ledger, params: Params, intent_id: str) -> Document:
    params.only("amount_to_capture", "final_capture", "metadata", "statement_descriptor")
    intent = ledger.intent(intent_id)
    wanted = params.integer("amount_to_capture", default=intent["amount_capturable"] or 1)
    metadata = params.metadata(intent["metadata"])
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. "
            "Only a PaymentIntent with one of the following statuses may be captured: requires_capture.",
            intent,
        )
    if wanted > intent["amount_capturable"]:
        sentence = (
            f"The amount_to_capture ({wanted}) is greater than the amount that can be captured "
            f"({intent['amount_capturable']})."
        )
        raise invalid_parameter("amount_to_capture", sentence, "amount_too_large")
    _raise_if_capture_fails(ledger, intent)
    intent["metadata"] = metadata
    _apply_alteration(ledger, intent, "payment_intent.capture")
    charge = ledger.charge(intent)
    _captured(ledger, intent, charge, min(wanted, intent["amount_capturable"]))
    return intent


def cancel(ledger: Ledger, params: Params, intent_id: str) -> Document:
    params.only("cancellation_reason")
    reason = params.choice("cancellation_reason", CANCEL_REASONS)
    intent = ledger.intent(intent_id)
    if intent["status"] not in CANCELLABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(CANCELLABLE)}.",
            intent,
        )
    void(ledger, intent, reason)
    return intent


def void(ledger: Ledger, intent: Document, reason: str | None) -> None:
    """Cancels an intent that is not captured; the authorisation is released.

    Since 2025-03-31.basil this creates no refund and leaves the charge unchanged.
    """
    intent |= {
        "status": "canceled",
        "canceled_at": ledger.created,
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
    }
    ledger.store.save(intent)
    ledger.emit("payment_intent.canceled", intent)


def authorise(ledger: Ledger, intent: Document, method: Document) -> None:
    """Authorises the payment. Raises ApiError 402 when the bank declines."""
    if charges.card_of(method).decline:
        _decline(ledger, intent, method)
    charge = charges.create_charge(ledger, intent, method, paid=True)
    intent |= {"next_action": None, "processing": None, "last_payment_error": None}
    if intent["capture_method"] == "manual":
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        ledger.store.save(intent)
        ledger.emit("charge.succeeded", charge)
        ledger.emit("payment_intent.amount_capturable_updated", intent)
        return
    charges.capture(ledger, charge, intent["amount"])
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    ledger.store.save(intent)
    ledger.emit("charge.succeeded", charge)
    ledger.emit("payment_intent.succeeded", intent)
    _dispute_if_the_card_does(ledger, intent, charge)


def fail(ledger: Ledger, intent: Document, error: Document) -> None:
    """Returns to requires_payment_method, with the reason in last_payment_error."""
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "processing": None,
        "last_payment_error": error,
    }
    ledger.store.save(intent)
    ledger.emit("payment_intent.payment_failed", intent)


def _confirm(ledger: Ledger, intent: Document, method: Document | None, return_url: str | None) -> Document:
    _may_confirm(intent)
    if method:
        _attach(ledger, intent, method)
    elif intent["payment_method"] is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the PaymentIntent with a payment method and then confirm it again, or confirm it "
            "again directly with a payment method or ConfirmationToken.",
            intent,
        )
    method = ledger.store.get("payment_method", intent["payment_method"])
    card = charges.card_of(method)
    if card.challenge:
        _challenge(ledger, intent, return_url)
    elif card.later is not Later.NONE:
        intent |= {"status": "processing", "next_action": None}
        ledger.store.save(intent)
        ledger.emit("payment_intent.processing", intent)
        ledger.schedule(f"intent.{card.later.value}", intent["id"])
    else:
        authorise(ledger, intent, method)
    return intent


def _may_confirm(intent: Document) -> None:
    if intent["status"] in OPEN:
        return
    if intent["status"] == "succeeded":
        why = "it has already succeeded after being previously confirmed."
    elif intent["status"] == "requires_capture":
        why = "it has already been confirmed and its funds wait to be captured."
    else:
        why = f"it has a status of {intent['status']}."
    raise unexpected_state(f"You cannot confirm this PaymentIntent because {why}", intent)


def _challenge(ledger: Ledger, intent: Document, return_url: str | None) -> None:
    """3-D Secure: a local page replaces the bank's."""
    intent["_challenge"], intent["_return_url"] = token(24), return_url
    url = f"{ledger.public_url}/challenge/{intent['id']}/{intent['_challenge']}"
    action: Document = {"type": "use_stripe_sdk"}
    if return_url:
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    else:
        action["use_stripe_sdk"] = {"type": "three_d_secure_redirect", "stripe_js": url}
    intent |= {"status": "requires_action", "next_action": action}
    ledger.store.save(intent)
    ledger.emit("payment_intent.requires_action", intent)


def _decline(ledger: Ledger, intent: Document, method: Document) -> None:
    decline = charges.card_of(method).decline
    assert decline is not None
    charge = charges.create_charge(ledger, intent, method, paid=False)
    error = ApiError(
        402, decline.message, kind="card_error", code=decline.code, saved=True, charge=charge["id"]
    )
    if decline.decline_code:
        error.error["decline_code"] = decline.decline_code
    ledger.emit("charge.failed", charge)
    fail(ledger, intent, error.error | {"payment_method": method})
    error.error |= {"payment_intent": intent, "payment_method": method}
    raise error


def _raise_if_capture_fails(ledger: Ledger, intent: Document) -> None:
    facts = facts_of(intent) | {"operation": "payment_intent.capture"}
    if fault := ledger.faults.take("capture.fail", facts):
        code = str(fault.params.get("code", "processing_error"))
        sentence = str(fault.params.get("message", "An error occurred while capturing the funds."))
    elif charges.card_of(ledger.store.get("payment_method", intent["payment_method"])).capture_fails:
        code = "capture_charge_authorization_expired"
        sentence = "The charge cannot be captured as the authorization has expired."
    else:
        return
    charge = intent["latest_charge"]
    more: Document = {"charge": charge, "payment_intent": intent}
    raise ApiError(402, sentence, kind="card_error", code=code, saved=True, **more)


def facts_of(intent: Document) -> dict[str, str | None]:
    """The facts of an intent that faults are matched with."""
    return {"intent": intent["id"], "order_id": intent["metadata"].get("order_id")}


def _captured(ledger: Ledger, intent: Document, charge: Document, amount: int) -> None:
    charges.capture(ledger, charge, amount)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    ledger.store.save(intent)
    ledger.emit("charge.captured", charge)
    ledger.emit("payment_intent.succeeded", intent)
    _dispute_if_the_card_does(ledger, intent, charge)


def _dispute_if_the_card_does(ledger: Ledger, intent: Document, charge: Document) -> None:
    card = charges.card_of(ledger.store.get("payment_method", intent["payment_method"]))
    if card.dispute is not None:
        disputes.begin(ledger, charge, charge["amount_captured"], card.dispute, inquiry=card.inquiry)


def _apply_alteration(ledger: Ledger, intent: Document, operation: str) -> bool:
    return amounts.apply_alteration(ledger, intent, facts_of(intent) | {"operation": operation})


def _method(ledger: Ledger, params: Params) -> Document | None:
    """The payment method of the request: a test token, or one created from a token before."""
    wanted = params.text("payment_method")
    if wanted is None:
        return None
    made = payment_method(wanted, ledger.created) or ledger.store.find("payment_method", wanted)
    if made is None:
        raise no_such("PaymentMethod", wanted, "payment_method")
    return made


def _attach(ledger: Ledger, intent: Document, method: Document) -> None:
    if ledger.store.find("payment_method", method["id"]) is None:
        ledger.store.insert(method)
    intent["payment_method"] = method["id"]


def _allowed_types(params: Params) -> list[str]:
    allowed = params.texts("allowed_payment_method_types")
    if allowed and "automatic_payment_methods" in params:
        sentence = (
            "You may only specify one of these parameters: allowed_payment_method_types, "
            "automatic_payment_methods."
        )
        raise ApiError(400, sentence)
    if allowed and "card" not in allowed:
        raise invalid_parameter("allowed_payment_method_types", "The local Stripe supports cards only.")
    return allowed


def _blank(ledger: Ledger, params: Params, amount: int, currency: str) -> Document:
    intent_id = new_id("pi", 24)
    describing: Document = {name: params.text(name) for name in DESCRIBING}
    return (
        deepcopy(_DEFAULTS)
        | describing
        | {
            "id": intent_id,
            "amount": amount,
            "allowed_payment_method_types": _allowed_types(params) or None,
            "automatic_payment_methods": _automatic_methods(params),
            "capture_method": params.choice("capture_method", CAPTURE_METHODS, "automatic_async"),
            "client_secret": f"{intent_id}_secret_{token(25)}",
            "confirmation_method": params.choice("confirmation_method", ("automatic", "manual"), "automatic"),
            "created": ledger.created,
            "currency": currency,
            "metadata": params.metadata({}),
        }
    )


def _automatic_methods(params: Params) -> Document | None:
    given = params.group("automatic_payment_methods")
    if not given.values:
        return None
    return {
        "allow_redirects": given.choice("allow_redirects", ("always", "never"), "always"),
        "enabled": given.flag("enabled"),
    }


_DEFAULTS: Document = {
    "object": "payment_intent",
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": None,
    "livemode": False,
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "processing": None,
    "review": None,
    "shipping": None,
    "source": None,
    "status": "requires_payment_method",
    "transfer_data": None,
}

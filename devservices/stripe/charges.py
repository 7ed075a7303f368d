"""Charges: an intent's authorisations, captures and declines."""

from copy import deepcopy

from devservices.stripe.cards import CARDS, Card
from devservices.stripe.documents import Document, new_id
from devservices.stripe.ledger import Ledger


def card_of(method: Document) -> Card:
    return CARDS[method["_token"]]


def create_charge(ledger: Ledger, intent: Document, method: Document, paid: bool) -> Document:
    """Inserts a charge for the intent's whole amount: authorised or declined."""
    decline = None if paid else card_of(method).decline
    charge = deepcopy(_DEFAULTS) | {
        "id": new_id("ch", 24),
        "amount": intent["amount"],
        "billing_details": method["billing_details"],
        "created": ledger.created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(method),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(method, intent), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
        "transfer_group": intent["transfer_group"],
    }
    ledger.store.insert(charge, intent["id"])
    intent["latest_charge"] = charge["id"]
    return charge


def _outcome(method: Document) -> Document:
    decline = card_of(method).decline
    return {
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "normal",
        "risk_score": 32,
        "seller_message": "The bank did not return any further details with this decline."
        if decline
        else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def _card_details(method: Document, intent: Document) -> Document:
    card = method["card"]
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    more = {"amount_authorized": intent["amount"], "network": card["brand"], "wallet": None}
    return {name: card[name] for name in kept} | more


def capture(ledger: Ledger, charge: Document, amount: int) -> None:
    """Captures `amount` of the authorised amount; the rest is released."""
    charge |= {
        "captured": True,
        "amount_captured": amount,
        "balance_transaction": new_id("txn", 24),
    }
    ledger.store.save(charge)


_DEFAULTS: Document = {
    "object": "charge",
    "amount_captured": 0,
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": "BOXOFFICE",
    "captured": False,
    "disputed": False,
    "failure_balance_transaction": None,
    "fraud_details": {},
    "livemode": False,
    "on_behalf_of": None,
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "source": None,
    "source_transfer": None,
    "transfer_data": None,
}

"""Charges: the money side of an intent, as Stripe shows it beside."""

from devservices.stripe.books import Books
from devservices.stripe.cards import CARDS, Card
from devservices.stripe.documents import Document, new_id


def card_of(method: Document) -> Card:
    return CARDS[method["_token"]]


def open_charge(books: Books, intent: Document, method: Document, paid: bool) -> Document:
    """A charge for the intent's whole amount: authorised, or the record of a decline."""
    decline = None if paid else card_of(method).decline
    charge: Document = {
        "id": new_id("ch", 24),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "BOXOFFICE",
        "captured": False,
        "created": books.created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(method),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(method, intent), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }
    books.store.insert(charge, intent["id"])
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


def capture(books: Books, charge: Document, amount: int) -> None:
    """Takes `amount` of what was authorised; the rest is released."""
    charge |= {
        "captured": True,
        "amount_captured": amount,
        "balance_transaction": new_id("txn", 24),
    }
    books.store.save(charge)

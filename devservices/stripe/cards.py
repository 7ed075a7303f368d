"""Stripe's test payment methods and their outcomes (docs.stripe.com/testing).

Those under "ours" do not exist at Stripe, which has no test card for these cases.
"""

from dataclasses import dataclass, replace
from enum import Enum

from devservices.stripe.documents import Document, new_id, token


@dataclass(frozen=True, slots=True)
class Decline:
    """The bank's reason for a decline."""

    code: str
    decline_code: str | None
    message: str


class Later(Enum):
    """The outcome of a payment that is processing first."""

    NONE = "none"
    AUTHORISES = "authorises"
    FAILS = "fails"


class RefundOutcome(Enum):
    """The outcome of this card's refunds."""

    SUCCEEDS = "succeeds"
    SUCCEEDS_LATER = "succeeds_later"
    FAILS_LATER = "fails_later"


@dataclass(frozen=True, slots=True)
class Card:
    """A test card and the outcome of its payments."""

    brand: str = "visa"
    last4: str = "4242"
    funding: str = "credit"
    decline: Decline | None = None
    challenge: bool = False
    later: Later = Later.NONE
    capture_fails: bool = False
    dispute: str | None = None
    """The reason for which its payments are disputed once they are captured."""
    inquiry: bool = False
    refund: RefundOutcome = RefundOutcome.SUCCEEDS


def _declined(last4: str, decline_code: str, message: str = "Your card was declined.") -> Card:
    return Card(last4=last4, decline=Decline("card_declined", decline_code, message))


GENERIC = _declined("0002", "generic_decline")
INSUFFICIENT = _declined("9995", "insufficient_funds", "Your card has insufficient funds.")
CHALLENGE = Card(last4="3220", challenge=True)

_DECLINES = {
    "": GENERIC,
    "InsufficientFunds": INSUFFICIENT,
    "LostCard": _declined("9987", "lost_card"),
    "StolenCard": _declined("9979", "stolen_card"),
    "Fraudulent": _declined("0019", "fraudulent"),
    "VelocityLimitExceeded": _declined("6975", "card_velocity_exceeded"),
    "ExpiredCard": Card(last4="0069", decline=Decline("expired_card", None, "Your card has expired.")),
    "IncorrectCvc": Card(
        last4="0127", decline=Decline("incorrect_cvc", None, "Your card's security code is incorrect.")
    ),
    "ProcessingError": Card(
        last4="0119",
        decline=Decline(
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
    ),
}

_BRANDS = {
    "visa": Card(),
    "visa_debit": Card(last4="5556", funding="debit"),
    "mastercard": Card("mastercard", "4444"),
    "mastercard_debit": Card("mastercard", "3222", "debit"),
    "mastercard_prepaid": Card("mastercard", "5100", "prepaid"),
    "amex": Card("amex", "8431"),
    "discover": Card("discover", "1117"),
    "diners": Card("diners", "0004"),
    "jcb": Card("jcb", "0505"),
    "unionpay": Card("unionpay", "0005"),
    "kr": Card(last4="0000"),
    "us": Card(),
    "gb": Card(last4="0000"),
    "de": Card(last4="0000"),
}

CARDS: dict[str, Card] = {
    **{f"pm_card_{name}": card for name, card in _BRANDS.items()},
    **{f"pm_card_chargeDeclined{name}": card for name, card in _DECLINES.items()},
    **{f"pm_card_visa_chargeDeclined{name}": card for name, card in _DECLINES.items()},
    "pm_card_threeDSecure2Required": CHALLENGE,
    "pm_card_threeDSecureRequired": replace(CHALLENGE, last4="3063"),
    "pm_card_authenticationRequired": replace(CHALLENGE, last4="3184"),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": replace(
        INSUFFICIENT, last4="8260", challenge=True
    ),
    "pm_card_threeDSecureRequiredChargeDeclined": replace(GENERIC, last4="1629", challenge=True),
    "pm_card_refundFail": Card(last4="5126", refund=RefundOutcome.FAILS_LATER),
    "pm_card_pendingRefund": Card(last4="7726", refund=RefundOutcome.SUCCEEDS_LATER),
    "pm_card_createDispute": Card(last4="0259", dispute="fraudulent"),
    "pm_card_createDisputeProductNotReceived": Card(last4="2685", dispute="product_not_received"),
    "pm_card_createDisputeInquiry": Card(last4="1976", dispute="fraudulent", inquiry=True),
    # ours
    "pm_card_captureFails": Card(last4="9001", capture_fails=True),
    "pm_card_processing": Card(last4="9002", later=Later.AUTHORISES),
    "pm_card_processingFails": Card(last4="9003", later=Later.FAILS),
}


def payment_method(token_id: str, created: int) -> Document | None:
    """A new PaymentMethod for a test token, or None when there is no such token."""
    card = CARDS.get(token_id)
    if card is None:
        return None
    return {
        "id": new_id("pm", 24),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "card": _details(card),
        "created": created,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_token": token_id,
    }


def _details(card: Card) -> Document:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": token(16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }

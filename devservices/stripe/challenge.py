"""3-D Secure: the bank's page and its outcomes."""

from html import escape
from urllib.parse import urlencode

from devservices.stripe import intents
from devservices.stripe.documents import Document
from devservices.stripe.errors import ApiError
from devservices.stripe.ledger import Ledger

FAILED: Document = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "message": (
        "We are unable to authenticate your payment method. Please choose a different payment "
        "method and try again."
    ),
}

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>3-D Secure (local Stripe)</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:12vh auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1rem;margin:0 .5rem .5rem 0;cursor:pointer}}</style>
<h1>Your bank asks</h1><p>Is this payment of <strong>{amount}</strong> yours?</p>
<form method="post"><button name="outcome" value="complete">Complete authentication</button>
<button name="outcome" value="fail">Fail authentication</button></form></html>
"""

CLOSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>3-D Secure (local Stripe)</title>
<p>{sentence} You may close this page.</p></html>
"""


def open_page(amount: str) -> str:
    return PAGE.format(amount=escape(amount))


def closed_page(sentence: str) -> str:
    return CLOSED.format(sentence=escape(sentence))


def is_open(intent: Document, secret: str) -> bool:
    """Whether this challenge is open; another confirm replaces it with a new one."""
    return intent["status"] == "requires_action" and intent.get("_challenge") == secret


def finish(ledger: Ledger, intent: Document, outcome: str) -> bool:
    """Ends an open challenge; returns whether the payment was authorised."""
    if outcome != "complete":
        intents.fail(ledger, intent, dict(FAILED))
        return False
    method = ledger.store.get("payment_method", intent["payment_method"])
    try:
        intents.authorise(ledger, intent, method)
    except ApiError:
        return False
    return True


def return_address(intent: Document, authenticated: bool) -> str | None:
    """The address to redirect the browser to; None without a return_url."""
    if not intent.get("_return_url"):
        return None
    query = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if authenticated else "failed",
    }
    address = str(intent["_return_url"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

"""Stripe's webhooks: the check of their signature, and the intent that they name.

A webhook only triggers a fetch of that intent from Stripe; the amount, the status and the order in its body
are not read.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

TOLERANCE_SECONDS = 300
LONGEST_HEADER = 2_000
MOST_SIGNATURES = 16
LONGEST_ID = 255
REVERSALS = (
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""The types of events about money that goes back"""
_ID = re.compile(rf"[\w-]{{1,{LONGEST_ID}}}", re.ASCII)


class WebhookRefused(Exception):
    """The request is no webhook of Stripe's; the message explains why."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A verified event. `intent_id` is None where it concerns no payment intent."""

    id: str
    type: str
    intent_id: str | None
    created: datetime


def read_event(body: bytes, signature: str | None, secrets: Sequence[str], now: datetime) -> WebhookEvent:
    """Verify a webhook's Stripe-Signature header and return the event in its raw body.

    `secrets` are all that are valid now: two during a rotation. The signed time may be five
    minutes off in either direction; Stripe's SDK checks the past only (docs.stripe.com/webhooks/signatures).

    Raises:
        WebhookRefused: the signature is missing, wrong, too old or too new, or the body is no event.
    """
    signed_at, given = _parsed_header(signature)
    _check_signature(body, signed_at, given, secrets)
    if abs(now.timestamp() - int(signed_at)) > TOLERANCE_SECONDS:
        raise WebhookRefused("The Stripe-Signature is more than five minutes off.")
    return event_of(_document(body))


def _parsed_header(header: str | None) -> tuple[str, list[str]]:
    """The signed time, and the v1 signatures."""
    if not header:
        raise WebhookRefused("There is no Stripe-Signature header.")
    if len(header) > LONGEST_HEADER:
        raise WebhookRefused("The Stripe-Signature header is too long.")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise WebhookRefused("The Stripe-Signature header has no time that can be read.")
    if not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise WebhookRefused("The Stripe-Signature header has no v1 signature.")
    return times[0], signatures


def _check_signature(body: bytes, signed_at: str, given: list[str], secrets: Sequence[str]) -> None:
    """Compare every signature with every secret, in constant time."""
    usable = [secret for secret in secrets if secret.strip()]
    if not usable:
        raise WebhookRefused("No webhook secret is set, so nothing can be verified.")
    signed = signed_at.encode() + b"." + body
    expected = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest().encode() for one in usable]
    matches = [hmac.compare_digest(ours, theirs.encode()) for ours in expected for theirs in given]
    if not any(matches):
        raise WebhookRefused("The Stripe-Signature does not fit the body.")


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise WebhookRefused("The body is not JSON.") from fault
    if not isinstance(document, dict) or document.get("object") != "event":
        raise WebhookRefused("The body is not a Stripe event.")
    return document


def event_of(document: dict[str, Any]) -> WebhookEvent:
    """Return the event in a document of Stripe's.

    Raises:
        WebhookRefused: it is no event.
    """
    event_id, kind, data = (document.get(name) for name in ("id", "type", "data"))
    if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
        raise WebhookRefused("The event has no id.")
    if not isinstance(kind, str) or not (0 < len(kind) <= LONGEST_ID and kind.isprintable()):
        raise WebhookRefused("The event has no type.")
    if not isinstance(data, dict) or not isinstance(data.get("object"), dict):
        raise WebhookRefused("The event is about nothing: data.object is missing.")
    return WebhookEvent(event_id, kind, _intent_id(data["object"]), _created(document.get("created")))


def _created(value: object) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**11:
        raise WebhookRefused("The event has no time of creation.")
    return datetime.fromtimestamp(value, UTC)


def _intent_id(subject: dict[str, Any]) -> str | None:
    """The intent that the event's object is, or that its charge or refund belongs to."""
    found = subject.get("id") if subject.get("object") == "payment_intent" else subject.get("payment_intent")
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) and _ID.fullmatch(found) else None

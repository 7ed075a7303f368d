"""Forged webhooks: without a signature, with a wrong, an old or another body's signature."""

import json
import time

from devservices.stripe.webhook_sender import signature
from faults.history import Call, Outcome
from faults.target import Target


async def send_forged_webhooks(target: Target) -> None:
    """Sends one of each kind; each must be refused with a 4xx."""
    for forgery, body, header in _forgeries(target):
        call = Call("forger", "forged webhook", time.time(), detail={"forgery": forgery})
        headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header else {})
        answer = await target.client.post(
            f"{target.installation.base_url}/webhooks/stripe", content=body, headers=headers
        )
        call.outcome = Outcome.FAILED if 400 <= answer.status_code < 500 else Outcome.OK
        call.code = str(answer.status_code)
        target.api.history.record(call)


def _forgeries(target: Target) -> list[tuple[str, bytes, str]]:
    secret, now = target.installation.secrets["stripe_webhook_secret"], int(time.time())
    subject = {"object": "payment_intent", "id": "pi_forged"}
    event = {"id": "evt_forged", "object": "event", "type": "payment_intent.succeeded", "created": now}
    body = json.dumps({**event, "data": {"object": subject}}).encode()
    return [
        ("no signature", body, ""),
        ("a wrong secret", body, signature("whsec_wrong", body, now)),
        ("an old signature", body, signature(secret, body, now - 3600)),
        ("a signature from the future", body, signature(secret, body, now + 3600)),
        ("another body's signature", body + b" ", signature(secret, body, now)),
        ("a body that is not JSON", b"{", signature(secret, b"{", now)),
    ]

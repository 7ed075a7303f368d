"""Webhooks that Stripe never sent: without a signature, with a wrong one, an old one, another body's."""

import json
import time

from devservices.stripe.webhook_sender import signature
from faults.history import Call, Outcome
from faults.scene import Scene


async def forged_webhooks(scene: Scene) -> None:
    """Send one of each; every one must be refused with a 4xx."""
    for forgery, body, header in _forgeries(scene):
        call = Call("forger", "forged webhook", time.time(), detail={"forgery": forgery})
        headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header else {})
        answer = await scene.client.post(
            f"{scene.house.base_url}/webhooks/stripe", content=body, headers=headers
        )
        call.outcome = Outcome.FAILED if 400 <= answer.status_code < 500 else Outcome.OK
        call.code = str(answer.status_code)
        scene.shop.history.record(call)


def _forgeries(scene: Scene) -> list[tuple[str, bytes, str]]:
    secret, now = scene.house.secrets["stripe_webhook_secret"], int(time.time())
    subject = {"object": "payment_intent", "id": "pi_forged"}
    event = {"id": "evt_forged", "object": "event", "type": "payment_intent.succeeded", "created": now}
    body = json.dumps({**event, "data": {"object": subject}}).encode()
    return [
        ("no signature", body, ""),
        ("a wrong secret", body, signature("whsec_wrong", body, now)),
        ("an old one", body, signature(secret, body, now - 3600)),
        ("one from the future", body, signature(secret, body, now + 3600)),
        ("another body's", body + b" ", signature(secret, body, now)),
        ("of something that is not JSON", b"{", signature(secret, b"{", now)),
    ]

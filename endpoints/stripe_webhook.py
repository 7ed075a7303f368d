"""POST /webhooks/stripe: verify the raw bytes, settle, answer 2xx after the commit."""

import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import BoxofficeError
from endpoints.answers import json_answer, refusal
from kit.log_context import bind
from payments.webhooks import WebhookRefused, read_event
from services.context import ServiceContext
from services.ordering.webhook import handle_webhook

log = logging.getLogger("boxoffice.webhooks")

_MOST_BYTES = 1_000_000


def webhook_route(context: ServiceContext, secrets: Sequence[str]) -> Route:
    """Return the route of Stripe's webhooks. Stripe must not repeat a 4xx, and repeats a 5xx."""

    async def receive(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            context.meters.webhook("too_large")
            return refusal(413, "PAYLOAD_TOO_LARGE", "A webhook's body has at most 1 MB.")
        try:
            event = read_event(body, request.headers.get("stripe-signature"), secrets, context.now())
        except WebhookRefused as error:
            context.meters.webhook("refused")
            return refusal(400, "WEBHOOK_REFUSED", str(error))
        bind(webhook=event.id)
        try:
            applied = await handle_webhook(context, event)
        except BoxofficeError as error:
            context.meters.webhook("again")
            log.warning("webhook %s is to be sent again: %s", event.id, error)
            return refusal(503, error.code, error.message)
        context.meters.webhook("applied" if applied else "not_ours")
        return json_answer({"received": True})

    return Route("/webhooks/stripe", receive, methods=["POST"])


async def _body(request: Request) -> bytes | None:
    """Return the raw bytes; None where there are too many."""
    parts, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > _MOST_BYTES:
                return None
            parts.append(chunk)
    except ClientDisconnect:
        return b""
    return b"".join(parts)

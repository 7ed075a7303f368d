"""Webhook: a verified message of the gateway settles the order of the intent that it names."""

import logging

from db.queries.payments import payment_by_intent
from domain.errors import Unavailable
from payments.gateway import GatewayError, GatewayRejected
from payments.webhooks import WebhookEvent
from services.context import ServiceContext, reading
from services.metrics import measured
from services.ordering.reversals import read_reversals
from services.ordering.settle import apply_intent

log = logging.getLogger("boxoffice.webhook")


@measured("webhook")
async def handle_webhook(context: ServiceContext, event: WebhookEvent) -> bool:
    """Retrieve the intent that a verified webhook names, and settle its order.

    Returns: False where the webhook is of no order of ours; sending it again would not help.

    Raises:
        Unavailable, OutcomeUnknown: An outage; the gateway must send the webhook again.
    """
    if event.intent_id is None:
        return False
    payment = await reading(payment_by_intent(context.database, event.intent_id))
    try:
        intent = await context.gateway.retrieve(event.intent_id)
        reversals = await read_reversals(context, intent, payment, event.type)
    except GatewayRejected:
        log.error("webhook %s (%s) names an intent that the gateway does not know", event.id, event.type)
        return False
    except GatewayError as error:
        raise Unavailable from error
    order_id = payment.order_id if payment else intent.order_id
    if order_id is None:
        log.error("webhook %s (%s) fits no order of ours", event.id, event.type)
        return False
    try:
        await apply_intent(context, order_id, intent, event, reversals)
    except LookupError:
        log.error("webhook %s (%s) names an order that we do not have", event.id, event.type)
        return False
    return True

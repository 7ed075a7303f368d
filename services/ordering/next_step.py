"""The next step of a payment that waits for its buyer, read from Stripe: none of it is stored."""

from dataclasses import dataclass, field

from db.queries.orders import OrderRow
from db.queries.payments import PaymentRow
from domain.errors import Unavailable
from domain.states import UNPAID_STATES, PaymentState
from payments.gateway import GatewayError, Intent, IntentStatus
from services.context import ServiceContext

_WAITING = (PaymentState.REQUIRES_ACTION, PaymentState.FAILED)
_CONFIRMABLE = (
    IntentStatus.REQUIRES_PAYMENT_METHOD,
    IntentStatus.REQUIRES_CONFIRMATION,
    IntentStatus.REQUIRES_ACTION,
)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What the buyer does next: at the bank's page, or with Stripe.js. Neither must be logged."""

    client_secret: str = field(repr=False)
    redirect_url: str | None = field(repr=False)


def secret_of(intent: Intent) -> str | None:
    """Return the secret by which Stripe.js confirms an intent; None where nothing is to be confirmed."""
    return intent.client_secret if intent.status in _CONFIRMABLE else None


async def next_step(context: ServiceContext, order: OrderRow, payment: PaymentRow) -> NextStep | None:
    """Return the next step of an unpaid order's payment; None where it does not wait for the buyer.

    Raises:
        Unavailable: The gateway does not answer.
    """
    if order.state not in UNPAID_STATES or payment.state not in _WAITING or payment.intent_id is None:
        return None
    if context.now() >= order.expires_at:
        return None
    try:
        intent = await context.gateway.retrieve(payment.intent_id)
    except GatewayError as error:
        raise Unavailable from error
    secret = secret_of(intent)
    if secret is None:
        return None
    return NextStep(secret, intent.next_action.url if intent.next_action is not None else None)

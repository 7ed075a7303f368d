"""What people do at Stripe's dashboard and at the bank: refunds by hand, and disputes.

Endpoints under /_control, with JSON like the others (control.py). The webhooks of each are sent as Stripe
sends them.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devservices.stripe import disputes, refunds
from devservices.stripe.app import App
from devservices.stripe.documents import Document, public
from devservices.stripe.errors import ApiError, unexpected_state
from devservices.stripe.forms import Params
from devservices.stripe.json_bodies import json_object
from devservices.stripe.ledger import Ledger

OUTCOMES = {"won": disputes.CHARGEBACKS, "lost": disputes.CHARGEBACKS, "closed": disputes.INQUIRIES}


class ByHand:
    """The endpoints of one app."""

    def __init__(self, app: App) -> None:
        self.app = app

    def routes(self) -> list[Route]:
        return [
            Route("/_control/intents/{id}/refund", self.refund, methods=["POST"]),
            Route("/_control/intents/{id}/dispute", self.dispute, methods=["POST"]),
            Route("/_control/disputes/{id}/escalate", self.escalate, methods=["POST"]),
            Route("/_control/disputes/{id}/close", self.close, methods=["POST"]),
        ]

    async def refund(self, request: Request) -> Response:
        """Refunds what is left, or an amount: {"amount": 500, "reason": "requested_by_customer"}."""
        wanted = await _known(request, "amount", "reason")
        values: Document = {"payment_intent": request.path_params["id"]}
        values |= {name: str(value) for name, value in wanted.items()}
        with self.app.transaction() as ledger:
            return JSONResponse(public(refunds.create(ledger, Params(values))), 201)

    async def dispute(self, request: Request) -> Response:
        """Begins a dispute: {"amount": 500, "reason": "fraudulent", "inquiry": false}."""
        wanted = await _known(request, "amount", "reason", "inquiry")
        amount, reason = wanted.get("amount"), wanted.get("reason", "fraudulent")
        if not isinstance(amount, int | None) or reason not in disputes.REASONS:
            raise ApiError(400, f"amount is a number; reason is one of {', '.join(disputes.REASONS)}.")
        with self.app.transaction() as ledger:
            intent = ledger.intent(request.path_params["id"])
            if intent["latest_charge"] is None:
                raise unexpected_state("Only a captured charge can be disputed.", intent)
            charge = ledger.charge(intent)
            most = disputes.disputed_amount(charge, amount)
            made = disputes.begin(ledger, charge, most, reason, inquiry=wanted.get("inquiry") is True)
        return JSONResponse(public(made), 201)

    async def escalate(self, request: Request) -> Response:
        """Turns an inquiry into a chargeback."""
        await _known(request)
        with self.app.transaction() as ledger:
            dispute = _open(ledger, request, disputes.INQUIRIES)
            disputes.escalate(ledger, dispute)
        return JSONResponse(public(dispute))

    async def close(self, request: Request) -> Response:
        """Ends a dispute: {"outcome": "won", "lost" or, for an inquiry, "closed"}."""
        outcome = (await _known(request, "outcome")).get("outcome")
        if outcome not in OUTCOMES:
            raise ApiError(400, f"outcome is one of {', '.join(OUTCOMES)}.", param="outcome")
        with self.app.transaction() as ledger:
            dispute = _open(ledger, request, OUTCOMES[outcome])
            disputes.decide(ledger, dispute, "warning_closed" if outcome == "closed" else outcome)
        return JSONResponse(public(dispute))


def _open(ledger: Ledger, request: Request, statuses: tuple[str, ...]) -> Document:
    dispute = disputes.retrieve(ledger, Params({}), request.path_params["id"])
    if dispute["status"] not in statuses:
        raise ApiError(400, f"The dispute is {dispute['status']}, not {' or '.join(statuses)}.")
    return dispute


async def _known(request: Request, *names: str) -> Document:
    wanted = await json_object(request)
    for name in set(wanted) - set(names):
        raise ApiError(400, f"Unknown field {name!r}.", param=name)
    return wanted

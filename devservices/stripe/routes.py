"""The routes under /v1, and the headers of their responses."""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devservices.stripe import calls, disputes, intents, refunds
from devservices.stripe.api import Api, ConnectionReset, Operation
from devservices.stripe.cards import payment_method
from devservices.stripe.connections import reset
from devservices.stripe.documents import API_VERSION, Document
from devservices.stripe.errors import ApiError, no_such
from devservices.stripe.forms import Params
from devservices.stripe.idempotency import ApiResponse
from devservices.stripe.ledger import Ledger
from devservices.stripe.listing import lister

Run = Callable[..., Document]
BROWSER_OPERATIONS = ("payment_intent.retrieve", "payment_intent.confirm")


def _retriever(kind: str, noun: str) -> Run:
    def retrieve(ledger: Ledger, params: Params, object_id: str) -> Document:
        found = ledger.store.find(kind, object_id)
        if found is None:
            raise no_such(noun, object_id)
        return found

    return retrieve


def _payment_method(ledger: Ledger, params: Params, method_id: str) -> Document:
    found = ledger.store.find("payment_method", method_id) or payment_method(method_id, ledger.created)
    if found is None:
        raise no_such("PaymentMethod", method_id, "payment_method")
    return found


INTENTS, REFUNDS, EVENTS, CHARGES = "/v1/payment_intents", "/v1/refunds", "/v1/events", "/v1/charges"
DISPUTES = "/v1/disputes"
TABLE: tuple[tuple[str, str, str, Run], ...] = (
    ("POST", INTENTS, "payment_intent.create", intents.create),
    ("GET", INTENTS, "payment_intent.list", lister("payment_intent", INTENTS, "customer")),
    ("GET", f"{INTENTS}/{{id}}", "payment_intent.retrieve", intents.retrieve),
    ("POST", f"{INTENTS}/{{id}}", "payment_intent.update", intents.update),
    ("POST", f"{INTENTS}/{{id}}/confirm", "payment_intent.confirm", intents.confirm),
    ("POST", f"{INTENTS}/{{id}}/capture", "payment_intent.capture", intents.capture),
    ("POST", f"{INTENTS}/{{id}}/cancel", "payment_intent.cancel", intents.cancel),
    ("POST", REFUNDS, "refund.create", refunds.create),
    ("GET", REFUNDS, "refund.list", lister("refund", REFUNDS, "payment_intent", "charge")),
    ("GET", f"{REFUNDS}/{{id}}", "refund.retrieve", refunds.retrieve),
    ("POST", f"{REFUNDS}/{{id}}", "refund.update", refunds.update),
    ("GET", CHARGES, "charge.list", lister("charge", CHARGES, "payment_intent")),
    ("GET", f"{CHARGES}/{{id}}", "charge.retrieve", _retriever("charge", "charge")),
    ("GET", DISPUTES, "dispute.list", lister("dispute", DISPUTES, "payment_intent", "charge")),
    ("GET", f"{DISPUTES}/{{id}}", "dispute.retrieve", disputes.retrieve),
    ("POST", f"{DISPUTES}/{{id}}", "dispute.update", disputes.update),
    ("POST", f"{DISPUTES}/{{id}}/close", "dispute.close", disputes.close),
    ("GET", EVENTS, "event.list", lister("event", EVENTS, "type")),
    ("GET", f"{EVENTS}/{{id}}", "event.retrieve", _retriever("event", "event")),
    ("GET", "/v1/payment_methods/{id}", "payment_method.retrieve", _payment_method),
)


def routes(api: Api, api_key: str | None) -> list[Route]:
    """Every endpoint of the API, and a 404 in Stripe's format for other paths."""
    known = [
        Route(path, _endpoint(api, api_key, name, run), methods=[method]) for method, path, name, run in TABLE
    ]
    return [*known, Route("/v1/{rest:path}", _unknown, methods=["GET", "POST", "DELETE"])]


def _endpoint(api: Api, api_key: str | None, name: str, run: Run) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        identity, target = calls.request_id(), request.path_params.get("id")
        try:
            call = await calls.read(request, identity, api_key)
            return _response(await api.run(call, _operation(name, run, target)), call)
        except ApiError as error:
            return _error_response(error, identity)
        except ConnectionReset:
            assert request.client is not None
            await reset((request.client.host, request.client.port))
            return Response(status_code=500)  # never sent: the connection is reset

    return endpoint


def _operation(name: str, run: Run, target: str | None) -> Operation:
    def bound(ledger: Ledger, params: Params) -> Document:
        return run(ledger, params) if target is None else run(ledger, params, target)

    return Operation(name, bound, target, name in BROWSER_OPERATIONS)


async def _unknown(request: Request) -> Response:
    sentence = (
        f"Unrecognized request URL ({request.method}: {request.url.path}). The local Stripe has only "
        "what Boxoffice uses."
    )
    return _error_response(ApiError(404, sentence), calls.request_id())


def _headers(request_id: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Request-Id": request_id,
        "Stripe-Version": API_VERSION,
        "Cache-Control": "no-cache, no-store",
    }


def _response(response: ApiResponse, call: calls.Call) -> Response:
    headers = _headers(call.request_id)
    if call.idempotency_key:
        headers["Idempotency-Key"] = call.idempotency_key
        headers["Original-Request"] = response.original_request or call.request_id
    if response.original_request:
        headers["Idempotent-Replayed"] = "true"
    if response.status >= 500:
        headers["Stripe-Should-Retry"] = "false" if call.idempotency_key else "true"
    return Response(response.body, response.status, headers)


def _error_response(error: ApiError, request_id: str) -> Response:
    headers = _headers(request_id)
    if error.status == 409:
        headers["Stripe-Should-Retry"] = "true"
    return Response(json.dumps(error.body(), indent=2), error.status, headers)

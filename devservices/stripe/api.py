"""The routes under /v1, and the headers every answer carries."""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devservices.stripe import calls, intents, refunds
from devservices.stripe.answers import Answer
from devservices.stripe.books import Books
from devservices.stripe.cards import payment_method
from devservices.stripe.connections import cut
from devservices.stripe.desk import ConnectionCut, Desk, Operation
from devservices.stripe.documents import API_VERSION, Document
from devservices.stripe.forms import Params
from devservices.stripe.listing import lister
from devservices.stripe.refusals import ApiError, no_such

Run = Callable[..., Document]
BROWSER_OPERATIONS = ("payment_intent.retrieve", "payment_intent.confirm")


def _retriever(kind: str, noun: str) -> Run:
    def retrieve(books: Books, params: Params, object_id: str) -> Document:
        found = books.store.find(kind, object_id)
        if found is None:
            raise no_such(noun, object_id)
        return found

    return retrieve


def _payment_method(books: Books, params: Params, method_id: str) -> Document:
    found = books.store.find("payment_method", method_id) or payment_method(method_id, books.created)
    if found is None:
        raise no_such("PaymentMethod", method_id, "payment_method")
    return found


INTENTS, REFUNDS, EVENTS, CHARGES = "/v1/payment_intents", "/v1/refunds", "/v1/events", "/v1/charges"
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
    ("GET", EVENTS, "event.list", lister("event", EVENTS, "type")),
    ("GET", f"{EVENTS}/{{id}}", "event.retrieve", _retriever("event", "event")),
    ("GET", "/v1/payment_methods/{id}", "payment_method.retrieve", _payment_method),
)


def routes(desk: Desk, api_key: str | None) -> list[Route]:
    """Every endpoint of the API, and a 404 in Stripe's shape for the rest."""
    known = [
        Route(path, _endpoint(desk, api_key, name, run), methods=[method])
        for method, path, name, run in TABLE
    ]
    return [*known, Route("/v1/{rest:path}", _unknown, methods=["GET", "POST", "DELETE"])]


def _endpoint(
    desk: Desk, api_key: str | None, name: str, run: Run
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        identity, target = calls.request_id(), request.path_params.get("id")
        try:
            call = await calls.read(request, identity, api_key)
            return _response(await desk.answer(call, _operation(name, run, target)), call)
        except ApiError as refusal:
            return _refused(refusal, identity)
        except ConnectionCut:
            assert request.client is not None
            await cut((request.client.host, request.client.port))
            return Response(status_code=500)  # nobody is there to read it

    return endpoint


def _operation(name: str, run: Run, target: str | None) -> Operation:
    def bound(books: Books, params: Params) -> Document:
        return run(books, params) if target is None else run(books, params, target)

    return Operation(name, bound, target, name in BROWSER_OPERATIONS)


async def _unknown(request: Request) -> Response:
    sentence = (
        f"Unrecognized request URL ({request.method}: {request.url.path}). The local Stripe speaks only "
        "what Boxoffice uses."
    )
    return _refused(ApiError(404, sentence), calls.request_id())


def _headers(request_id: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Request-Id": request_id,
        "Stripe-Version": API_VERSION,
        "Cache-Control": "no-cache, no-store",
    }


def _response(answer: Answer, call: calls.Call) -> Response:
    headers = _headers(call.request_id)
    if call.idempotency_key:
        headers["Idempotency-Key"] = call.idempotency_key
        headers["Original-Request"] = answer.original_request or call.request_id
    if answer.original_request:
        headers["Idempotent-Replayed"] = "true"
    if answer.status >= 500:
        headers["Stripe-Should-Retry"] = "false" if call.idempotency_key else "true"
    return Response(answer.body, answer.status, headers)


def _refused(refusal: ApiError, request_id: str) -> Response:
    headers = _headers(request_id)
    if refusal.status == 409:
        headers["Stripe-Should-Retry"] = "true"
    answer = Answer(refusal.status, json.dumps(refusal.body(), indent=2))
    return Response(answer.body, answer.status, headers)

"""Endpoints beside Stripe's API: /_control for tests and checkers, /challenge for the pages.

Requests and responses are JSON. A POST needs `Content-Type: application/json`, which a page of another
site cannot send without a CORS preflight.
"""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from devservices.stripe import amounts, challenge, intents
from devservices.stripe.app import App
from devservices.stripe.balances import balances
from devservices.stripe.errors import ApiError, unexpected_state
from devservices.stripe.injected_faults import InvalidFault
from devservices.stripe.json_bodies import json_body, json_object


class Control:
    """The control endpoints of one app."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.store = app.store

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self.health),
            Route("/_control/faults", self.list_faults),
            Route("/_control/faults", self.add_fault, methods=["POST"]),
            Route("/_control/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_control/faults/{id}", self.clear_faults, methods=["DELETE"]),
            Route("/_control/ledger", self.show_ledger),
            Route("/_control/deliveries", self.deliveries),
            Route("/_control/hurry", self.hurry, methods=["POST"]),
            Route("/_control/webhook", self.point_webhook, methods=["PUT"]),
            Route("/_control/events/{id}/resend", self.resend, methods=["POST"]),
            Route("/_control/idempotency/prune", self.prune, methods=["POST"]),
            Route("/_control/intents/{id}/expire", self.expire, methods=["POST"]),
            Route("/_control/challenges/{id}", self.finish_challenge, methods=["POST"]),
            Route("/challenge/{id}/{secret}", self.challenge_page),
            Route("/challenge/{id}/{secret}", self.submit_challenge, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse({"faults": [one.as_json() for one in self.app.faults.pending()]})

    async def add_fault(self, request: Request) -> Response:
        """Adds one fault or a list of faults; returns them with their ids."""
        body = await json_body(request)
        faults = body if isinstance(body, list) else [body]
        try:
            with self.store.transaction():
                added = [self.app.faults.add(one).as_json() for one in faults]
        except InvalidFault as error:
            raise ApiError(400, str(error)) from error
        return JSONResponse({"faults": added}, 201)

    async def clear_faults(self, request: Request) -> Response:
        self.app.faults.clear(request.path_params.get("id"))
        return JSONResponse({"faults": []})

    async def show_ledger(self, request: Request) -> Response:
        return JSONResponse(balances(self.store))

    async def deliveries(self, request: Request) -> Response:
        query = (
            "SELECT id, event, kind, state, attempts, due, created, last_status FROM deliveries ORDER BY id"
        )
        return JSONResponse({"deliveries": [dict(row) for row in self.store.rows.execute(query)]})

    async def hurry(self, request: Request) -> Response:
        """Makes all pending work due now: deliveries, retries, slow payments and refunds."""
        now = self.app.clock()
        with self.store.transaction():
            self.store.rows.execute(
                "UPDATE deliveries SET due = ?, behind = 0 WHERE state = 'pending'", (now,)
            )
            self.store.rows.execute("UPDATE transitions SET due = ?", (now,))
        self.app.wake()
        return JSONResponse({"hurried": True})

    async def point_webhook(self, request: Request) -> Response:
        """Sends webhooks to another address until a restart: {"url": ..., "secret": ...}."""
        wanted = await json_object(request)
        url, secret = wanted.get("url"), wanted.get("secret", self.app.webhooks.secret)
        if not isinstance(url, str | None) or not isinstance(secret, str):
            raise ApiError(400, "url is a text or null, secret a text.")
        self.app.webhooks.url, self.app.webhooks.secret = url, secret
        self.app.wake()
        return JSONResponse({"url": self.app.webhooks.url})

    async def resend(self, request: Request) -> Response:
        """Sends an event again, as the dashboard does; also a dropped one."""
        with self.store.transaction():
            found = self.store.rows.execute(
                "INSERT INTO deliveries (event, kind, body, signing, state, due, created)"
                " SELECT event, kind, body, signing, 'pending', ?, ? FROM deliveries"
                " WHERE event = ? ORDER BY id LIMIT 1",
                (self.app.clock(), self.app.clock(), request.path_params["id"]),
            )
        self.app.wake()
        return JSONResponse({"resent": found.rowcount}, 200 if found.rowcount else 404)

    async def prune(self, request: Request) -> Response:
        """Deletes idempotency keys as after 24 hours: {"older_than_seconds": 0}."""
        wanted = await json_object(request)
        older = wanted.get("older_than_seconds", 0)
        if not isinstance(older, int | float):
            raise ApiError(400, "older_than_seconds is a number.")
        return JSONResponse({"pruned": self.app.api.keys.prune(self.app.clock(), older)})

    async def expire(self, request: Request) -> Response:
        """Expires an authorisation, as the bank does after a week: Stripe cancels the intent."""
        with self.app.transaction() as ledger:
            intent = ledger.intent(request.path_params["id"])
            if intent["status"] != "requires_capture":
                raise unexpected_state("Only an intent in requires_capture can expire.", intent)
            ledger.emit("charge.expired", ledger.charge(intent))
            intents.void(ledger, intent, "expired")
        return JSONResponse({"id": intent["id"], "status": intent["status"]})

    async def finish_challenge(self, request: Request) -> Response:
        """Completes or fails the bank's challenge: {"outcome": "complete" or "fail"}."""
        outcome = (await json_object(request)).get("outcome")
        if outcome not in ("complete", "fail"):
            raise ApiError(400, "outcome is complete or fail.", param="outcome")
        with self.app.transaction() as ledger:
            intent = ledger.intent(request.path_params["id"])
            if intent["status"] != "requires_action":
                raise unexpected_state("No challenge is open for this intent.", intent)
            challenge.finish(ledger, intent, outcome)
        return JSONResponse({"id": intent["id"], "status": intent["status"]})

    async def challenge_page(self, request: Request) -> Response:
        intent = self.store.find("payment_intent", request.path_params["id"])
        if intent is None or not challenge.is_open(intent, request.path_params["secret"]):
            return HTMLResponse(challenge.closed_page("This challenge is no longer open."), 410)
        amount = amounts.shown(intent["amount"], intent["currency"]).upper()
        return HTMLResponse(challenge.open_page(amount))

    async def submit_challenge(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"))
        outcome = form.get("outcome", ["fail"])[0]
        with self.app.transaction() as ledger:
            intent = self.store.find("payment_intent", request.path_params["id"])
            if intent is None or not challenge.is_open(intent, request.path_params["secret"]):
                return HTMLResponse(challenge.closed_page("This challenge is no longer open."), 410)
            authenticated = challenge.finish(ledger, intent, outcome)
        address = challenge.return_address(intent, authenticated)
        if address is None:
            sentence = "Authentication complete." if authenticated else "Authentication failed."
            return HTMLResponse(challenge.closed_page(sentence))
        return RedirectResponse(address, 303)


async def error_response(request: Request, fault: Exception) -> Response:
    """The response to an ApiError outside /v1, in the same format."""
    assert isinstance(fault, ApiError)
    return JSONResponse(fault.body(), fault.status)

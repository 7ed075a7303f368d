"""What tests, checkers and the pages may ask beside Stripe's API: /_control and /challenge.

JSON in, JSON out. A POST must say `Content-Type: application/json`, which no foreign web page can
do without being asked first.
"""

import json
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from devservices.stripe import amounts, challenge, intents
from devservices.stripe.documents import Document
from devservices.stripe.faults import FaultRefused
from devservices.stripe.ledger import ledger
from devservices.stripe.refusals import ApiError, unexpected_state
from devservices.stripe.workshop import Workshop


class Control:
    """The control endpoints over one workshop."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.store = workshop.store

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
            Route("/challenge/{id}/{secret}", self.challenge_answered, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse({"faults": [one.described() for one in self.workshop.faults.waiting()]})

    async def add_fault(self, request: Request) -> Response:
        """One fault, or a list of them; answers them with their ids."""
        wanted = await _json(request)
        several = wanted if isinstance(wanted, list) else [wanted]
        try:
            with self.store.transaction():
                added = [self.workshop.faults.add(one).described() for one in several]
        except FaultRefused as refusal:
            raise ApiError(400, str(refusal)) from refusal
        return JSONResponse({"faults": added}, 201)

    async def clear_faults(self, request: Request) -> Response:
        self.workshop.faults.clear(request.path_params.get("id"))
        return JSONResponse({"faults": []})

    async def show_ledger(self, request: Request) -> Response:
        return JSONResponse(ledger(self.store))

    async def deliveries(self, request: Request) -> Response:
        query = (
            "SELECT id, event, kind, state, attempts, due, created, last_status FROM deliveries ORDER BY id"
        )
        return JSONResponse({"deliveries": [dict(row) for row in self.store.rows.execute(query)]})

    async def hurry(self, request: Request) -> Response:
        """Makes everything that waits due now: deliveries, retries, slow payments and refunds."""
        now = self.workshop.clock()
        with self.store.transaction():
            self.store.rows.execute(
                "UPDATE deliveries SET due = ?, behind = 0 WHERE state = 'pending'", (now,)
            )
            self.store.rows.execute("UPDATE transitions SET due = ?", (now,))
        self.workshop.wake()
        return JSONResponse({"hurried": True})

    async def point_webhook(self, request: Request) -> Response:
        """Sends webhooks elsewhere from now on, until a restart: {"url": ..., "secret": ...}."""
        wanted = await _object(request)
        url, secret = wanted.get("url"), wanted.get("secret", self.workshop.courier.secret)
        if not isinstance(url, str | None) or not isinstance(secret, str):
            raise ApiError(400, "url is a text or null, secret a text.")
        self.workshop.courier.url, self.workshop.courier.secret = url, secret
        self.workshop.wake()
        return JSONResponse({"url": self.workshop.courier.url})

    async def resend(self, request: Request) -> Response:
        """Sends an event once more, as the dashboard's button does; a dropped one too."""
        with self.store.transaction():
            found = self.store.rows.execute(
                "INSERT INTO deliveries (event, kind, body, signing, state, due, created)"
                " SELECT event, kind, body, signing, 'pending', ?, ? FROM deliveries"
                " WHERE event = ? ORDER BY id LIMIT 1",
                (self.workshop.clock(), self.workshop.clock(), request.path_params["id"]),
            )
        self.workshop.wake()
        return JSONResponse({"resent": found.rowcount}, 200 if found.rowcount else 404)

    async def prune(self, request: Request) -> Response:
        """Forgets idempotency keys as a day's passing does: {"older_than_seconds": 0}."""
        wanted = await _object(request)
        older = wanted.get("older_than_seconds", 0)
        if not isinstance(older, int | float):
            raise ApiError(400, "older_than_seconds is a number.")
        return JSONResponse({"pruned": self.workshop.desk.answers.prune(self.workshop.clock(), older)})

    async def expire(self, request: Request) -> Response:
        """Lets an authorisation run out, as the bank does after a week: Stripe cancels the intent."""
        with self.workshop.at_work() as books:
            intent = books.intent(request.path_params["id"])
            if intent["status"] != "requires_capture":
                raise unexpected_state("Only an intent in requires_capture can expire.", intent)
            books.emit("charge.expired", books.charge(intent))
            intents.void(books, intent, "expired")
        return JSONResponse({"id": intent["id"], "status": intent["status"]})

    async def finish_challenge(self, request: Request) -> Response:
        """What the buyer does on the bank's page: {"outcome": "complete" or "fail"}."""
        outcome = (await _object(request)).get("outcome")
        if outcome not in ("complete", "fail"):
            raise ApiError(400, "outcome is complete or fail.", param="outcome")
        with self.workshop.at_work() as books:
            intent = books.intent(request.path_params["id"])
            if intent["status"] != "requires_action":
                raise unexpected_state("No challenge is open for this intent.", intent)
            challenge.finish(books, intent, outcome)
        return JSONResponse({"id": intent["id"], "status": intent["status"]})

    async def challenge_page(self, request: Request) -> Response:
        intent = self.store.find("payment_intent", request.path_params["id"])
        if intent is None or not challenge.is_open(intent, request.path_params["secret"]):
            return HTMLResponse(challenge.closed_page("This challenge is no longer open."), 410)
        amount = amounts.shown(intent["amount"], intent["currency"]).upper()
        return HTMLResponse(challenge.open_page(amount))

    async def challenge_answered(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"))
        outcome = form.get("outcome", ["fail"])[0]
        with self.workshop.at_work() as books:
            intent = self.store.find("payment_intent", request.path_params["id"])
            if intent is None or not challenge.is_open(intent, request.path_params["secret"]):
                return HTMLResponse(challenge.closed_page("This challenge is no longer open."), 410)
            went_through = challenge.finish(books, intent, outcome)
        address = challenge.return_address(intent, went_through)
        if address is None:
            sentence = "Authentication complete." if went_through else "Authentication failed."
            return HTMLResponse(challenge.closed_page(sentence))
        return RedirectResponse(address, 303)


async def refused(request: Request, fault: Exception) -> Response:
    """An ApiError outside /v1, in the same shape."""
    assert isinstance(fault, ApiError)
    return JSONResponse(fault.body(), fault.status)


async def _json(request: Request) -> Any:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ApiError(415, "Send Content-Type: application/json.")
    try:
        return json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as fault:
        raise ApiError(400, "That is not JSON.") from fault


async def _object(request: Request) -> Document:
    wanted = await _json(request)
    if not isinstance(wanted, dict):
        raise ApiError(400, "Send a JSON object.")
    return wanted

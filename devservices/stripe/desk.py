"""Answers calls: key first, then faults, then the operation, all in one transaction."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from devservices.stripe.answers import Answer, Answers
from devservices.stripe.books import Books
from devservices.stripe.calls import Call
from devservices.stripe.documents import Document, public
from devservices.stripe.faults import Fault, Faults
from devservices.stripe.forms import Params
from devservices.stripe.intents import facts_of
from devservices.stripe.listing import check_expand, expanded
from devservices.stripe.refusals import ApiError, no_such
from devservices.stripe.store import Store

log = logging.getLogger("devservices.stripe")

# What a publishable key sees of an intent: no metadata, no charge.
BROWSER_FIELDS = frozenset(
    "id object amount amount_details automatic_payment_methods canceled_at cancellation_reason "
    "capture_method client_secret confirmation_method created currency description "
    "last_payment_error livemode next_action payment_method payment_method_types processing "
    "receipt_email setup_future_usage shipping source status".split()
)


@dataclass(frozen=True, slots=True)
class Operation:
    """Something the API does. `target` is the id in the path, where there is one."""

    name: str
    run: Callable[[Books, Params], Document]
    target: str | None = None
    for_browsers: bool = False


class ConnectionCut(Exception):
    """The caller gets no answer: its connection is to be reset."""


@dataclass(frozen=True, slots=True)
class Strikes:
    """The faults that meet one call."""

    hang: Fault | None
    error: Fault | None
    reset: Fault | None


class Desk:
    """Where every call of the API is answered."""

    def __init__(
        self, store: Store, faults: Faults, books: Callable[[Call], Books], wake: Callable[[], None]
    ) -> None:
        self.store = store
        self.faults = faults
        self.books = books
        self.wake = wake
        self.answers = Answers(store)

    async def answer(self, call: Call, operation: Operation) -> Answer:
        """Raises ApiError for a call turned away before it ran, ConnectionCut by a fault."""
        self._admit(call, operation)
        key = call.idempotency_key
        if not key:
            return await self._work(call, operation)
        kept = self.answers.claim(key, call.path, call.params, self.books(call).now)
        if kept is not None:
            return kept
        try:
            return await self._work(call, operation)
        finally:
            self.answers.release(key)

    def _admit(self, call: Call, operation: Operation) -> None:
        if not call.from_browser:
            return
        if not operation.for_browsers:
            raise ApiError(403, "This API call cannot be made with a publishable API key.")
        intent = self.store.find("payment_intent", operation.target or "")
        if intent is None or not compare_digest(
            (call.client_secret or "").encode(), intent["client_secret"].encode()
        ):
            raise no_such("payment_intent", operation.target or "", "intent")

    async def _work(self, call: Call, operation: Operation) -> Answer:
        strikes = self._strikes(call, operation)
        if early := await self._before(call, strikes):
            return early
        with self.store.transaction():
            answer, saved = self._run(call, operation)
            if strikes.error:
                answer, saved = _broken(strikes.error)
            self._keep(call, answer, saved)
        self.wake()
        if strikes.hang and strikes.hang.when() == "after":
            await asyncio.sleep(strikes.hang.seconds())
        if strikes.reset:
            raise ConnectionCut
        return answer

    async def _before(self, call: Call, strikes: Strikes) -> Answer | None:
        """What strikes before the effect; an answer here means that there will be none."""
        if strikes.hang and strikes.hang.when() != "after":
            await asyncio.sleep(strikes.hang.seconds())
            if strikes.hang.when() == "never":
                raise ConnectionCut
        if strikes.reset and strikes.reset.when() == "before":
            raise ConnectionCut
        if strikes.error and strikes.error.when() == "before":
            answer, saved = _broken(strikes.error)
            with self.store.transaction():
                self._keep(call, answer, saved)
            return answer
        return None

    def _keep(self, call: Call, answer: Answer, saved: bool) -> None:
        if call.idempotency_key and saved:
            now = self.books(call).now
            self.answers.keep(call.idempotency_key, call.path, call.params, call.request_id, answer, now)

    def _run(self, call: Call, operation: Operation) -> tuple[Answer, bool]:
        """The operation's answer and whether its key keeps it. A refusal's traces stay."""
        books, params = self.books(call), call.parameters()
        try:
            check_expand(params)
            document = expanded(books, operation.run(books, params), params)
        except ApiError as refusal:
            return Answer(refusal.status, json.dumps(refusal.body(), indent=2)), refusal.saved
        seen = public(document)
        if call.from_browser:
            seen = {name: value for name, value in seen.items() if name in BROWSER_FIELDS}
        return Answer(200, json.dumps(seen, indent=2)), True

    def _strikes(self, call: Call, operation: Operation) -> Strikes:
        facts = self._facts(call, operation) | {"operation": operation.name}
        take = self.faults.take
        return Strikes(take("api.hang", facts), take("api.error", facts), take("api.reset", facts))

    def _facts(self, call: Call, operation: Operation) -> dict[str, str | None]:
        named = operation.target or call.params.get("payment_intent")
        intent = self.store.find("payment_intent", named) if isinstance(named, str) else None
        if intent is not None:
            return facts_of(intent)
        metadata = call.params.get("metadata")
        return {"order_id": metadata.get("order_id") if isinstance(metadata, dict) else None}


def _broken(fault: Fault) -> tuple[Answer, bool]:
    status = int(fault.params.get("status", 500))
    sentence = str(fault.params.get("message", "An unknown error occurred."))
    refusal = ApiError(status, sentence, kind="api_error")
    return Answer(status, json.dumps(refusal.body(), indent=2)), bool(fault.params.get("stored", True))

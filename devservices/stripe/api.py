"""Runs API calls: idempotency key first, then injected faults, then the operation, in one transaction."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from devservices.stripe.calls import Call
from devservices.stripe.documents import Document, public
from devservices.stripe.errors import ApiError, no_such
from devservices.stripe.forms import Params
from devservices.stripe.idempotency import ApiResponse, IdempotencyKeys
from devservices.stripe.injected_faults import InjectedFault, InjectedFaults
from devservices.stripe.intents import facts_of
from devservices.stripe.ledger import Ledger
from devservices.stripe.listing import check_expand, expanded
from devservices.stripe.store import Store

log = logging.getLogger("devservices.stripe")

# The fields of an intent that a publishable key may read: no metadata, no charge.
BROWSER_FIELDS = frozenset(
    "id object amount amount_details automatic_payment_methods canceled_at cancellation_reason "
    "capture_method client_secret confirmation_method created currency description "
    "last_payment_error livemode next_action payment_method payment_method_types processing "
    "receipt_email setup_future_usage shipping source status".split()
)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API; `target` is the id in the path, if it has one."""

    name: str
    run: Callable[[Ledger, Params], Document]
    target: str | None = None
    for_browsers: bool = False


class ConnectionReset(Exception):
    """The connection is to be reset without a response."""


@dataclass(frozen=True, slots=True)
class CallFaults:
    """The faults injected into one call."""

    hang: InjectedFault | None
    error: InjectedFault | None
    reset: InjectedFault | None


class Api:
    """Runs the calls of the API."""

    def __init__(
        self,
        store: Store,
        faults: InjectedFaults,
        ledger: Callable[[Call], Ledger],
        wake: Callable[[], None],
    ) -> None:
        self.store = store
        self.faults = faults
        self.ledger = ledger
        self.wake = wake
        self.keys = IdempotencyKeys(store)

    async def run(self, call: Call, operation: Operation) -> ApiResponse:
        """The response to a call.

        Raises:
            ApiError: the call is rejected before the operation starts.
            ConnectionReset: an injected fault resets the connection.
        """
        self._authorise(call, operation)
        key = call.idempotency_key
        if not key:
            return await self._run_with_faults(call, operation)
        stored = self.keys.claim(key, call.path, call.params, self.ledger(call).now)
        if stored is not None:
            return stored
        try:
            return await self._run_with_faults(call, operation)
        finally:
            self.keys.release(key)

    def _authorise(self, call: Call, operation: Operation) -> None:
        if not call.from_browser:
            return
        if not operation.for_browsers:
            raise ApiError(403, "This API call cannot be made with a publishable API key.")
        intent = self.store.find("payment_intent", operation.target or "")
        if intent is None or not compare_digest(
            (call.client_secret or "").encode(), intent["client_secret"].encode()
        ):
            raise no_such("payment_intent", operation.target or "", "intent")

    async def _run_with_faults(self, call: Call, operation: Operation) -> ApiResponse:
        faults = self._take_faults(call, operation)
        if early := await self._faults_before(call, faults):
            return early
        with self.store.transaction():
            response, saved = self._run_operation(call, operation)
            if faults.error:
                response, saved = _injected_error(faults.error)
            self._save(call, response, saved)
        self.wake()
        if faults.hang and faults.hang.when() == "after":
            await asyncio.sleep(faults.hang.seconds())
        if faults.reset:
            raise ConnectionReset
        return response

    async def _faults_before(self, call: Call, faults: CallFaults) -> ApiResponse | None:
        """Applies the faults before the operation; a response means that the operation does not run."""
        if faults.hang and faults.hang.when() != "after":
            await asyncio.sleep(faults.hang.seconds())
            if faults.hang.when() == "never":
                raise ConnectionReset
        if faults.reset and faults.reset.when() == "before":
            raise ConnectionReset
        if faults.error and faults.error.when() == "before":
            response, saved = _injected_error(faults.error)
            with self.store.transaction():
                self._save(call, response, saved)
            return response
        return None

    def _save(self, call: Call, response: ApiResponse, saved: bool) -> None:
        if call.idempotency_key and saved:
            now = self.ledger(call).now
            self.keys.save(call.idempotency_key, call.path, call.params, call.request_id, response, now)

    def _run_operation(self, call: Call, operation: Operation) -> tuple[ApiResponse, bool]:
        """The operation's response, and whether its key stores it. An ApiError does not roll back."""
        ledger, params = self.ledger(call), call.parameters()
        try:
            check_expand(params)
            document = expanded(ledger, operation.run(ledger, params), params)
        except ApiError as error:
            return ApiResponse(error.status, json.dumps(error.body(), indent=2)), error.saved
        visible = public(document)
        if call.from_browser:
            visible = {name: value for name, value in visible.items() if name in BROWSER_FIELDS}
        return ApiResponse(200, json.dumps(visible, indent=2)), True

    def _take_faults(self, call: Call, operation: Operation) -> CallFaults:
        facts = self._facts(call, operation) | {"operation": operation.name}
        take = self.faults.take
        return CallFaults(take("api.hang", facts), take("api.error", facts), take("api.reset", facts))

    def _facts(self, call: Call, operation: Operation) -> dict[str, str | None]:
        named = operation.target or call.params.get("payment_intent")
        intent = self.store.find("payment_intent", named) if isinstance(named, str) else None
        if intent is not None:
            return facts_of(intent)
        metadata = call.params.get("metadata")
        return {"order_id": metadata.get("order_id") if isinstance(metadata, dict) else None}


def _injected_error(fault: InjectedFault) -> tuple[ApiResponse, bool]:
    status = int(fault.params.get("status", 500))
    message = str(fault.params.get("message", "An unknown error occurred."))
    error = ApiError(status, message, kind="api_error")
    return ApiResponse(status, json.dumps(error.body(), indent=2)), bool(fault.params.get("stored", True))

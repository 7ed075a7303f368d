"""From a request to payloads: find the document, bind its variables, execute, subscribe."""

from __future__ import annotations

from asyncio import CancelledError, current_task
from collections.abc import AsyncGenerator, Awaitable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import orjson
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution import optimized_is_awaitable

from transport.documents.cache import LONGEST_MESSAGE, LONGEST_SUGGESTED, DocumentCache
from transport.documents.operation import Document, Operation
from transport.documents.persisted import PersistedDocuments
from transport.documents.variables import packed
from transport.executor import CompiledExecutor, Running
from transport.protocol.errors import BadRequest, DocumentInvalid, DocumentRejected
from transport.protocol.limits import Limits
from transport.protocol.payload import Payload, PayloadEncoder
from transport.protocol.ports import Meters
from transport.protocol.request import OperationRequest

from .options import Allowance, ServerOptions
from .subscription import Subscription

MAX_COERCION_ERRORS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """An operation with its variables, ready to run in any context; compared by identity."""

    operation: Operation
    variables: VariableValues
    cost: int
    extensions: dict[str, Any]
    wants_cost: bool = False


class Sharers:
    """A group of subscriptions that share their answers to an event, represented by one object."""

    __slots__ = ("__weakref__",)


class Engine:
    """Runs operations of one schema, independent of sockets."""

    def __init__(
        self,
        schema: strawberry.Schema,
        documents: DocumentCache,
        persisted: PersistedDocuments,
        encoder: PayloadEncoder,
        limits: Limits,
        options: ServerOptions,
        meters: Meters,
    ) -> None:
        self._schema = schema._schema
        self._executor_class: Any = schema.execution_context_class
        self._documents = documents
        self._persisted = persisted
        self._limits = limits
        self._options = options
        self._compiled = (
            CompiledExecutor(
                schema, meters, options.immutable_types, limits.documents, limits.document_cache_bytes
            )
            if options.compiled
            else None
        )
        self._sharers: WeakValueDictionary[Hashable, Sharers] = WeakValueDictionary()
        self.encoder = encoder

    @property
    def options(self) -> ServerOptions:
        """The application's own functions and switches."""
        return self._options

    async def prepare(self, request: OperationRequest, context: Any, wants_cost: bool = False) -> Call:
        """Check everything that can be checked before execution, at the context's cost.

        Raises: GraphQLHTTPError.
        """
        try:
            check_variables(request.variables, self._limits)
            text, digest = await self._persisted.find(request)
            document = await self._document(text, digest, context)
            call = self._call(document, request, wants_cost)
        except BadRequest:
            await self.charge_refusal(context)
            raise
        await self._persisted.register(request)
        return call

    async def charge_refusal(self, context: Any) -> None:
        """Charge a caller for a request that is refused before it is an operation. Raises: RateLimited."""
        await self._options.charge(context, 1, self._limits.refused_document_cost)

    async def _document(self, text: str, digest: str, context: Any) -> Document:
        """The document of a text; preparing a new one is charged for before it begins."""
        known = self._documents.known(digest)
        if known is not None:
            return known
        self._options.check(context, 1)
        characters = len(text) - self._limits.free_document_characters
        if characters > 0 and not self._documents.is_refused(digest):
            await self._options.charge(context, 0, 1 + characters // self._limits.characters_per_cost)
        return self._documents.prepare(text, digest)

    def prepare_known(self, request: OperationRequest, wants_cost: bool = False) -> Call | None:
        """Prepare without waiting; None where the document is not known yet or has to be registered.

        Raises: GraphQLHTTPError.
        """
        check_variables(request.variables, self._limits)
        digest = self._persisted.digest_at_hand(request)
        document = None if digest is None else self._documents.known(digest)
        return None if document is None else self._call(document, request, wants_cost)

    def _call(self, document: Document, request: OperationRequest, wants_cost: bool) -> Call:
        operation = document.operation(request.operation_name)
        variables = self._bind(operation, request.variables)
        cost = self._documents.cost(operation, variables.coerced)
        asked = wants_cost or request.extensions.get("cost") is True
        extensions = {} if operation.kind == "subscription" else request.extensions
        return Call(operation, variables, cost, extensions, asked)

    async def run(self, call: Call, context: Any) -> Payload:
        """Execute a query or mutation."""
        allowance = await self._options.admit(context, call.operation, call.cost)
        return await self._options.watch(call.operation, self._run(call, context, allowance))

    async def _run(self, call: Call, context: Any, allowance: Allowance | None) -> Payload:
        result = await self._execute(self._running(call, context), call.operation)
        return self.encoder.result(result, self._extensions(call, allowance))

    def start(self, run: Running, operation: Operation) -> Any:
        """Execute: the result, or an awaitable of it where a resolver has to wait."""
        if self._compiled is not None:
            started: Any = self._compiled.execute(run, operation)
        else:
            started = run.whole.execute_operation(operation.kind == "mutation")
        return started if isinstance(started, ExecutionResult) else _answered(run, started)

    async def _execute(self, run: Running, operation: Operation) -> ExecutionResult:
        started = self.start(run, operation)
        result: ExecutionResult = started if isinstance(started, ExecutionResult) else await started
        return result

    async def answers(
        self, call: Call, context: Any, last_event_id: str | None = None
    ) -> AsyncGenerator[tuple[Payload, str | None], None]:
        """Yield the one answer of a query or mutation, or a subscription's many."""
        if call.operation.kind != "subscription":
            async with self._options.slot():
                payload = await self.run(call, context)
            yield payload, None
            return
        async with aclosing(self.stream(call, context, last_event_id)) as stream:
            async for item in stream:
                yield item

    async def stream(
        self, call: Call, context: Any, last_event_id: str | None = None
    ) -> AsyncGenerator[tuple[Payload, str | None], None]:
        """Subscribe: yield a payload and its event id for each event of the source.

        The next event is asked for only when the consumer comes back for it, so a slow socket
        slows its own source and nothing piles up between them.
        """
        subscription = await self.subscription(call, context, last_event_id)
        async with aclosing(subscription.payloads()) as payloads:
            async for item in payloads:
                yield item

    async def subscription(self, call: Call, context: Any, last_event_id: str | None = None) -> Subscription:
        """Admit a subscription; its source is not opened yet. Raises: RateLimited."""
        allowance = await self._options.admit(context, call.operation, call.cost)
        return Subscription(
            self,
            call.operation,
            partial(self._executor, call, context),
            partial(self._running_event, call, context),
            self._sharers_of(call, context),
            self._extensions(call, allowance),
            last_event_id,
        )

    def _sharers_of(self, call: Call, context: Any) -> Sharers | None:
        """The group of subscriptions that share an event's answer with this one; None where none may.

        It is looked up for each delivery. What it stands for would be hashed each time.
        """
        rights = self._options.event_rights(context, call.operation) or self._options.rights(context)
        if rights is None or call.wants_cost or call.operation.policy.private:
            return None
        key = (call.operation, packed(call.variables, call.operation.event_variables), rights)
        return self._sharers.setdefault(key, Sharers())

    def _bind(self, operation: Operation, variables: dict[str, Any]) -> VariableValues:
        bound = self._bound(operation, variables, hide_suggestions=True)
        if not isinstance(bound, list):
            return bound
        if self._options.suggestions and len(orjson.dumps(variables, default=str)) <= LONGEST_SUGGESTED:
            again = self._bound(operation, variables, hide_suggestions=False)
            bound = again if isinstance(again, list) else bound
        for error in bound:
            error.message = error.message[:LONGEST_MESSAGE]
        raise DocumentInvalid(bound[0].message, code="BAD_USER_INPUT", errors=bound)

    def _bound(
        self, operation: Operation, variables: dict[str, Any], *, hide_suggestions: bool
    ) -> VariableValues | list[GraphQLError]:
        definitions = operation.node.variable_definitions or ()
        return get_variable_values(
            self._schema,
            definitions,
            variables,
            max_errors=MAX_COERCION_ERRORS,
            hide_suggestions=hide_suggestions,
        )

    def _running(self, call: Call, context: Any) -> Running:
        return Running(lambda: self._executor(call, context), context, call.variables)

    def _running_event(self, call: Call, context: Any, event: Any) -> Running:
        """The execution of one event, in a context of its own."""
        own = self._options.event_context(context)
        run = Running(lambda: self._executor(call, own).build_per_event_executor(event), own, call.variables)
        run.root_value = event
        return run

    def _executor(self, call: Call, context: Any) -> Executor[Any]:
        """Build the executor that Strawberry's resolvers expect, without walking the document."""
        executor: Executor[Any] = self._executor_class(
            self._schema,
            call.operation.fragment_definitions,
            call.operation.fragments,
            None,
            context,
            call.operation.node,
            call.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=not self._options.suggestions,
            operation_extensions=call.extensions,
        )
        return executor

    def _extensions(self, call: Call, allowance: Allowance | None) -> dict[str, Any] | None:
        if not call.wants_cost:
            return None
        cost = {
            "requested": call.cost,
            "limit": self._limits.cost,
            "budget": allowance and allowance.budget,
            "remaining": allowance and allowance.remaining,
            "resetSeconds": allowance and allowance.reset_seconds,
        }
        return {"cost": cost}


async def _answered(run: Running, started: Awaitable[ExecutionResult]) -> ExecutionResult:
    """Await an execution; one whose field was cancelled while its request was not is a fault of ours."""
    try:
        return await started
    except CancelledError as error:
        task = current_task()
        if task is not None and task.cancelling():
            raise
        fault = RuntimeError("A field was cancelled that its request was still waiting for.")
        fault.__cause__ = error
        run.collected_errors.add(GraphQLError(str(fault), original_error=fault), None)
        return ExecutionResult(None, run.errors)


def check_variables(variables: dict[str, Any], limits: Limits) -> None:
    """Bound how many values the variables hold, and how deep.

    Raises: DocumentRejected with VARIABLES_TOO_LARGE.
    """
    if not variables:
        return
    level: list[Any] = [variables]
    seen = depth = 0
    while level:
        depth += 1
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        seen += len(below)
        if seen > limits.variable_values or depth > limits.variable_depth:
            raise DocumentRejected(
                f"The variables hold more than {limits.variable_values} values "
                f"or more than {limits.variable_depth} levels.",
                code="VARIABLES_TOO_LARGE",
            )
        level = below

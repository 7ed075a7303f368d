"""From a request to payloads: find the document, bind its variables, execute, subscribe."""

from __future__ import annotations

from asyncio import Future, ensure_future, shield
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

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

from .documents import DocumentCache
from .errors import DocumentInvalid, DocumentRefused
from .executor import CompiledExecutor
from .limits import Limits
from .operation import Operation
from .options import ServerOptions, admit_all
from .payload import Payload, PayloadEncoder
from .persisted import PersistedDocuments
from .ports import Meters
from .request import OperationRequest
from .sources import close_source, open_source

MAX_COERCION_ERRORS = 10


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with its variables, ready to run for any context."""

    operation: Operation
    variables: VariableValues
    cost: int
    extensions: dict[str, Any]
    wants_cost: bool = False


class Engine:
    """Runs operations of one schema; knows nothing of sockets."""

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
            CompiledExecutor(schema, meters, options.immutable_types) if options.compiled else None
        )
        self.encoder = encoder

    async def prepare(self, request: OperationRequest, wants_cost: bool = False) -> Call:
        """Check everything that can be checked without a context. Raises: Refused."""
        check_variables(request.variables, self._limits)
        text, digest = await self._persisted.find(request)
        document = self._documents.prepare(text, digest)
        await self._persisted.register(request)
        operation = document.operation(request.operation_name)
        variables = self._bind(operation, request.variables)
        cost = self._documents.cost(operation, variables.coerced)
        return Call(operation, variables, cost, request.extensions, wants_cost)

    async def run(self, call: Call, context: Any) -> Payload:
        """Execute a query or mutation."""
        await self._options.admit(context, call.operation, call.cost)
        result = await self._execute(self._executor(call, context), call.operation)
        return self.encoder.result(result, self._extensions(call))

    def begin(self, call: Call, context: Any) -> Payload | Awaitable[Payload] | None:
        """Execute a query as far as it goes without waiting: its payload, or an awaitable of it.

        None where nothing has begun, since it has to be asked first whether the operation may run.
        """
        if self._options.admit is not admit_all or call.operation.kind != "query":
            return None
        started = self._start(self._executor(call, context), call.operation)
        if isinstance(started, ExecutionResult):
            return self.encoder.result(started, self._extensions(call))
        return self._encoded(started, self._extensions(call))

    def _start(self, executor: Executor[Any], operation: Operation) -> Any:
        """Execute: the result, or an awaitable of it where something has to be waited for."""
        if self._compiled is not None:
            return self._compiled.execute(executor, operation)
        return executor.execute_operation(operation.kind == "mutation")

    async def _execute(self, executor: Executor[Any], operation: Operation) -> ExecutionResult:
        started = self._start(executor, operation)
        result: ExecutionResult = started if isinstance(started, ExecutionResult) else await started
        return result

    async def answers(
        self, call: Call, context: Any, last_event_id: str | None = None
    ) -> AsyncGenerator[tuple[Payload, str | None], None]:
        """Yield the one answer of a query or mutation, or a subscription's many."""
        if call.operation.kind != "subscription":
            with self._options.slot():
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
        await self._options.admit(context, call.operation, call.cost)
        executor = self._executor(call, context)
        key = self._sharing_key(call, context)
        source: AsyncIterator[Any] | None = None
        try:
            source = await open_source(executor, self._options.resume_argument, last_event_id)
            async for event in source:
                payload = known_payload(event, key)
                if payload is None:
                    payload = await self._event(executor, call.operation, event, key)
                yield payload, self._options.event_id(event)
        except GraphQLError as error:
            yield self.encoder.refusal([error]), None
        except Exception as error:
            yield self.encoder.fault(error), None
        finally:
            if source is not None:
                await close_source(source)

    async def _event(
        self, executor: Executor[Any], operation: Operation, event: Any, key: Hashable | None
    ) -> Payload:
        """Execute an event, once for all that share it."""
        own = executor.build_per_event_executor(event)
        own.context_value = self._options.event_context(executor.context_value)
        shared = getattr(event, "shared", None) if key is not None else None
        if shared is None:
            return self.encoder.result(await self._execute(own, operation), None)
        flight = shared.get(key)
        if flight is None:
            started = self._start(own, operation)
            if isinstance(started, ExecutionResult):
                payload = shared[key] = self.encoder.result(started, None)
                return payload
            flight = shared[key] = ensure_future(self._encoded(started))
        payload = await shield(cast("Future[Payload]", flight))
        shared[key] = payload
        return payload

    async def _encoded(
        self, started: Awaitable[ExecutionResult], extensions: dict[str, Any] | None = None
    ) -> Payload:
        return self.encoder.result(await started, extensions)

    def _sharing_key(self, call: Call, context: Any) -> Hashable | None:
        """Name what an event's answer depends on, besides the event."""
        rights = self._options.event_rights(context, call.operation) or self._options.rights(context)
        if rights is None:
            return None
        values = call.variables.sources
        used = [values[name].value for name in call.operation.event_variables if name in values]
        return (call.operation, orjson.dumps(used, default=str), rights)

    def _bind(self, operation: Operation, variables: dict[str, Any]) -> VariableValues:
        bound = get_variable_values(
            self._schema,
            operation.node.variable_definitions or (),
            variables,
            max_errors=MAX_COERCION_ERRORS,
            hide_suggestions=not self._options.suggestions,
        )
        if isinstance(bound, list):
            raise DocumentInvalid(bound[0].message, code="BAD_USER_INPUT", errors=bound)
        return bound

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

    def _extensions(self, call: Call) -> dict[str, Any] | None:
        if not call.wants_cost:
            return None
        return {"cost": {"requested": call.cost, "limit": self._limits.cost}}


def known_payload(event: Any, key: Hashable | None) -> Payload | None:
    """Return what another subscriber of equal rights has had encoded already."""
    shared = getattr(event, "shared", None) if key is not None else None
    known = shared.get(key) if shared is not None else None
    return known if isinstance(known, Payload) else None


def check_variables(variables: dict[str, Any], limits: Limits) -> None:
    """Bound how many values the variables hold, and how deep.

    Raises: DocumentRefused with VARIABLES_TOO_LARGE.
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
            raise DocumentRefused(
                f"The variables hold more than {limits.variable_values} values "
                f"or more than {limits.variable_depth} levels.",
                code="VARIABLES_TOO_LARGE",
            )
        level = below

"""Runs operations by compiled selections, and leaves unsupported ones to graphql-core."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, cast

import strawberry
from graphql import ExecutionResult, GraphQLError
from graphql.execution.collect_fields import collect_fields

from kit.cache import Cache
from transport.documents.operation import Operation
from transport.protocol.ports import Meters

from .rows import WrittenRows
from .runs import Run, Select, is_coroutine
from .selections import Compiler

FIELD_BYTES = 3_000
"""Memory of a plan for each field, as measured"""
Conditions = tuple[Any, ...]


class CompiledExecutor:
    """Compiles an operation at its first run, once for each combination of @skip and @include conditions."""

    def __init__(
        self,
        schema: strawberry.Schema,
        meters: Meters,
        immutable: frozenset[type] = frozenset(),
        most_plans: int = 1_000,
        most_bytes: int = 64_000_000,
    ) -> None:
        self._schema = schema
        self._rows = WrittenRows(immutable)
        self._meters = meters
        self._plans: Cache[tuple[Operation, Conditions], Select] = Cache(
            max_entries=most_plans, max_bytes=most_bytes
        )

    def execute(self, run: Run, operation: Operation) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Execute an operation, or one event of a subscription, as graphql-core would."""
        select = self._selection(run, operation)
        if select is None:
            return cast(
                "ExecutionResult | Awaitable[ExecutionResult]",
                run.whole.execute_operation(operation.kind == "mutation"),
            )
        try:
            data = select(run, run.root_value, None)
        except GraphQLError as error:
            return _failed(run, error)
        return _finished(run, data) if is_coroutine(data) else _response(run, data)

    def _selection(self, run: Run, operation: Operation) -> Select | None:
        conditions = tuple(map(run.variable_values.coerced.get, operation.conditions))
        known = self._plans.get((operation, conditions))
        if known is not None:
            return known
        reason = self._unfit(run)
        if reason is not None:
            self._meters.fallback(reason)
            return None
        try:
            select = self._compile(run, operation)
        except GraphQLError:  # a condition that is null; graphql-core knows where to say so
            self._meters.fallback("condition")
            return None
        size_bytes = operation.fields * FIELD_BYTES
        self._plans.put((operation, conditions), select, size_bytes=size_bytes, shared=operation)
        return select

    @staticmethod
    def _unfit(run: Run) -> str | None:
        """The reason why an operation is not compiled."""
        if not run.error_propagation:
            return "error_propagation"
        if run.schema.get_directive("defer") or run.schema.get_directive("stream"):
            return "incremental"
        return None

    def _compile(self, run: Run, operation: Operation) -> Select:
        root = run.schema.get_root_type(operation.node.operation)
        assert root is not None
        collected = collect_fields(
            run.schema,
            run.fragments,
            run.variable_values,
            root,
            operation.node,
            run.hide_suggestions,
        )
        serially = operation.kind == "mutation"
        return Compiler(self._schema, self._rows).root(root, collected.grouped_field_set, run, serially)


async def _finished(run: Run, data: Awaitable[dict[str, Any]]) -> ExecutionResult:
    try:
        return _response(run, await data)
    except GraphQLError as error:
        return _failed(run, error)


def _failed(run: Run, error: GraphQLError) -> ExecutionResult:
    run.collected_errors.add(error, None)
    return _response(run, None)


def _response(run: Run, data: dict[str, Any] | None) -> ExecutionResult:
    return ExecutionResult(data, run.errors)

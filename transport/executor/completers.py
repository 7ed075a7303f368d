"""How a resolved value becomes part of the answer, one closure for each type at each site."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    default_type_resolver,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import Path, Undefined, gather_with_cancel
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

from .runs import Complete, Info, Run, Select, Site, is_awaitable, is_coroutine

Compile = Callable[[GraphQLObjectType, Site, Run], Select]
EXACT: dict[str, tuple[GraphQLLeafType, type]] = {
    "String": (GraphQLString, str),
    "ID": (GraphQLID, str),
    "Boolean": (GraphQLBoolean, bool),
}


def completer_of(site: Site, kind: GraphQLOutputType, compile_selection: Compile, run: Run) -> Complete:
    """Build the completer of a type; null where null is not allowed raises."""
    if is_non_null_type(kind):
        inner = completer_of(site, kind.of_type, compile_selection, run)
        return _non_null(site, inner)
    if is_list_type(kind):
        item = completer_of(site, kind.of_type, compile_selection, run)
        return _list(site, kind, item)
    if is_leaf_type(kind):
        return _leaf(kind)
    if is_abstract_type(kind):
        return _abstract(site, kind, compile_selection)
    assert isinstance(kind, GraphQLObjectType)
    return _object(site, kind, compile_selection(kind, site, run))


def exact_type(kind: GraphQLOutputType) -> type | None:
    """Return the Python type whose values this scalar writes as they are."""
    inner = kind.of_type if is_non_null_type(kind) else kind
    scalar, exact = EXACT.get(getattr(inner, "name", ""), (None, None))
    return exact if inner is scalar else None


def _non_null(site: Site, inner: Complete) -> Complete:
    message = site.null_message

    def complete(run: Run, value: Any, path: Path, info: Info) -> Any:
        completed = inner(run, value, path, info)
        if completed is None:
            raise TypeError(message)
        return completed

    return complete


def _leaf(kind: GraphQLLeafType) -> Complete:
    exact = exact_type(kind)
    coerce = Executor.complete_leaf_value
    is_int, is_float = kind is GraphQLInt, kind is GraphQLFloat

    def complete(_run: Run, value: Any, _path: Path, _info: Info) -> Any:
        given = type(value)
        if given is exact:
            return value
        if is_int and given is int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
            return value
        if is_float and given is float and isfinite(value):
            return value
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        return coerce(kind, value)

    return complete


def _object(site: Site, kind: GraphQLObjectType, select: Select) -> Complete:
    is_type_of = kind.is_type_of

    def complete(run: Run, value: Any, path: Path, info: Info) -> Any:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        if is_type_of is not None:
            verdict = is_type_of(value, info)
            if is_awaitable(verdict):
                return _checked(run, verdict, value, path)
            if not verdict:
                raise invalid_return_type_error(kind, value, site.details)
        return select(run, value, path)

    async def _checked(run: Run, verdict: Any, value: Any, path: Path) -> Any:
        if not await verdict:
            raise invalid_return_type_error(kind, value, site.details)
        selected = select(run, value, path)
        return await selected if is_coroutine(selected) else selected

    return complete


def _abstract(site: Site, kind: GraphQLAbstractType, compile_selection: Compile) -> Complete:
    resolve_type = kind.resolve_type or default_type_resolver
    members: dict[str, Complete] = {}

    def member(run: Run, name: Any, value: Any, info: Info) -> Complete:
        known = members.get(name) if isinstance(name, str) else None
        if known is None:
            runtime = run.ensure_valid_runtime_type(name, kind, site.details, info, value)
            known = members[runtime.name] = _object(site, runtime, compile_selection(runtime, site, run))
        return known

    def complete(run: Run, value: Any, path: Path, info: Info) -> Any:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        name: Any = resolve_type(value, info, kind)
        if is_awaitable(name):
            return _named(run, name, value, path, info)
        return member(run, name, value, info)(run, value, path, info)

    async def _named(run: Run, name: Any, value: Any, path: Path, info: Info) -> Any:
        completed = member(run, await name, value, info)(run, value, path, info)
        return await completed if is_coroutine(completed) else completed

    return complete


def _list(site: Site, kind: GraphQLList[Any], item: Complete) -> Complete:
    item_type = kind.of_type
    exact = exact_type(item_type)

    def complete(run: Run, value: Any, path: Path, info: Info) -> Any:
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        if not isinstance(value, (list, tuple)):
            whole = info if info is not None else site.info(run, path)
            return run.complete_value(kind, site.details, whole, path, value, None)
        if exact is not None and all(type(each) is exact for each in value):
            return list(value)
        return items(run, value, path, info)

    def items(run: Run, values: list[Any] | tuple[Any, ...], path: Path, info: Info) -> Any:
        results: list[Any] = []
        pending: list[int] = []
        try:
            for index, each in enumerate(values):
                completed = one(run, each, Path(path, index, None), info)
                if is_coroutine(completed):
                    pending.append(index)
                results.append(completed)
        except Exception:
            later = [each for each in values[len(results) + 1 :] if is_awaitable(each)]
            waiting = [results[index] for index in pending] + later
            if waiting:
                run.settle_in_background(waiting)
            raise
        return _gathered(results, pending) if pending else results

    def one(run: Run, each: Any, path: Path, info: Info) -> Any:
        try:
            if is_awaitable(each):
                return awaited(run, each, path, info)
            completed = item(run, each, path, info)
            return guarded(run, completed, path) if is_coroutine(completed) else completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path)
            return None

    async def awaited(run: Run, each: Any, path: Path, info: Info) -> Any:
        try:
            completed = item(run, await each, path, info)
            return await completed if is_coroutine(completed) else completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path)
            return None

    async def guarded(run: Run, completed: Any, path: Path) -> Any:
        try:
            return await completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path)
            return None

    return complete


async def _gathered(results: list[Any], pending: list[int]) -> list[Any]:
    if len(pending) == 1:
        results[pending[0]] = await results[pending[0]]
        return results
    awaited = await gather_with_cancel(*(results[index] for index in pending))
    for index, value in zip(pending, awaited, strict=True):
        results[index] = value
    return results

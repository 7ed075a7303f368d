"""The completion of resolved values: one closure for each type at each site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from math import isfinite
from types import CoroutineType
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
    GraphQLUnionType,
    default_type_resolver,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution import Executor
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import Undefined
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import get_strawberry_type_cast
from strawberry.types.union import StrawberryUnion

from .resolvers import DEFINITION
from .runs import (
    Complete,
    Info,
    Run,
    Select,
    Site,
    Trail,
    is_awaitable,
    is_coroutine,
    never_awaitable,
    path_of,
)
from .siblings import gather_siblings

Compile = Callable[[GraphQLObjectType, Site, Run], Select]
LISTED_AT_ONCE = 500
"""Objects of one answer completed in one turn of the event loop; a longer list yields in between."""
EXACT: dict[str, tuple[GraphQLLeafType, type]] = {
    "String": (GraphQLString, str),
    "ID": (GraphQLID, str),
    "Boolean": (GraphQLBoolean, bool),
}


def completer_of(site: Site, kind: GraphQLOutputType, compile_selection: Compile, run: Run) -> Complete:
    """Build the completer of a type; null where null is not allowed raises."""
    nullable = not is_non_null_type(kind)
    inner: Any = kind if nullable else kind.of_type  # type: ignore[union-attr]
    if is_list_type(inner):
        item = completer_of(site, inner.of_type, compile_selection, run)
        return _list(site, inner, item, nullable)
    if is_leaf_type(inner):
        return _leaf_value(site, leaf_writer(inner), nullable)
    if is_abstract_type(inner):
        return _abstract(site, inner, compile_selection, nullable)
    assert isinstance(inner, GraphQLObjectType)
    return _object(site, inner, compile_selection(inner, site, run), nullable)


def exact_type(kind: GraphQLOutputType) -> type | None:
    """Return the Python type whose values this scalar writes as they are."""
    inner = kind.of_type if is_non_null_type(kind) else kind
    scalar, exact = EXACT.get(getattr(inner, "name", ""), (None, None))
    return exact if inner is scalar else None


def leaf_writer(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    """Build the serializer of a leaf type; None stays None."""
    if is_enum_type(kind):
        return _enum_writer(kind)
    exact = exact_type(kind)
    coerce = Executor.complete_leaf_value
    is_int, is_float = kind is GraphQLInt, kind is GraphQLFloat

    def write(value: Any) -> Any:
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

    return write


def _enum_writer(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    """Build the serializer of an enum; each member is looked up once."""
    coerce = Executor.complete_leaf_value
    names: dict[Enum, Any] = {}

    def write(value: Any) -> Any:
        if isinstance(value, Enum):
            name = names.get(value)
            if name is None:
                name = names[value] = coerce(kind, value)
            return name
        if value is None or value is Undefined:
            return None
        if isinstance(value, Exception):
            raise value
        return coerce(kind, value)

    return write


def _absent(site: Site, nullable: bool) -> None:
    """Complete a null."""
    if not nullable:
        raise TypeError(site.null_message)


def _leaf_value(site: Site, write: Callable[[Any], Any], nullable: bool) -> Complete:
    def complete(_run: Run, value: Any, _trail: Trail, _info: Info) -> Any:
        written = write(value)
        return _absent(site, nullable) if written is None else written

    return complete


def _object(site: Site, kind: GraphQLObjectType, select: Select, nullable: bool) -> Complete:
    is_type_of = kind.is_type_of

    def complete(run: Run, value: Any, trail: Trail, info: Info) -> Any:
        if value is None or value is Undefined:
            return _absent(site, nullable)
        if isinstance(value, Exception):
            raise value
        if is_type_of is not None:
            verdict = is_type_of(value, info)
            if verdict is not True:
                if is_awaitable(verdict):
                    return _checked(run, verdict, value, trail)
                if not verdict:
                    raise invalid_return_type_error(kind, value, site.details)
        return select(run, value, trail)

    async def _checked(run: Run, verdict: Any, value: Any, trail: Trail) -> Any:
        if not await verdict:
            raise invalid_return_type_error(kind, value, site.details)
        selected = select(run, value, trail)
        return await selected if is_coroutine(selected) else selected

    return complete


def _abstract(site: Site, kind: GraphQLAbstractType, compile_selection: Compile, nullable: bool) -> Complete:
    resolve_type = kind.resolve_type or default_type_resolver
    named = _names_by_class(kind)
    members: dict[str, Complete] = {}

    def member(run: Run, name: Any, value: Any, info: Info) -> Complete:
        known = members.get(name) if isinstance(name, str) else None
        if known is None:
            runtime = run.ensure_valid_runtime_type(name, kind, site.details, info.whole(), value)
            select = compile_selection(runtime, site, run)
            known = members[runtime.name] = _object(site, runtime, select, nullable)
        return known

    def complete(run: Run, value: Any, trail: Trail, info: Info) -> Any:
        if value is None or value is Undefined:
            return _absent(site, nullable)
        if isinstance(value, Exception):
            raise value
        name: Any = named.get(type(value))
        if name is None or get_strawberry_type_cast(value) is not None:
            name = resolve_type(value, info, kind)
            if is_awaitable(name):
                return _named(run, name, value, trail, info)
        return member(run, name, value, info)(run, value, trail, info)

    async def _named(run: Run, name: Any, value: Any, trail: Trail, info: Info) -> Any:
        completed = member(run, await name, value, info)(run, value, trail, info)
        return await completed if is_coroutine(completed) else completed

    return complete


def _names_by_class(kind: GraphQLAbstractType) -> dict[type, str]:
    """The members of a Strawberry union by their class; generic members are resolved one by one."""
    if type(kind.extensions.get(DEFINITION)) is not StrawberryUnion:
        return {}
    assert isinstance(kind, GraphQLUnionType)
    definitions = ((member.extensions.get(DEFINITION), member.name) for member in kind.types)
    return {
        definition.origin: name
        for definition, name in definitions
        if isinstance(definition, StrawberryObjectDefinition)
        and definition.concrete_of is None
        and not definition.is_graphql_generic
    }


def _list(site: Site, kind: GraphQLList[Any], item: Complete, nullable: bool) -> Complete:
    item_type = kind.of_type
    exact = exact_type(item_type)

    def complete(run: Run, value: Any, trail: Trail, info: Info) -> Any:
        if value is None or value is Undefined:
            return _absent(site, nullable)
        if isinstance(value, Exception):
            raise value
        if not isinstance(value, (list, tuple)):
            whole = site.whole_info(run, trail) if info is None else info.whole()
            return run.complete_value(kind, site.details, whole, path_of(trail), value, None)
        if exact is not None and all(type(each) is exact for each in value):
            return list(value)
        run.listed += len(value)
        if run.listed > LISTED_AT_ONCE and value:
            return in_turns(run, value, trail, info)
        return items(run, value, trail, info)

    async def in_turns(run: Run, values: list[Any] | tuple[Any, ...], above: Trail, info: Info) -> list[Any]:
        results: list[Any] = []
        for start in range(0, len(values), LISTED_AT_ONCE):
            async with run.turns:
                await asyncio.sleep(0)
                some = items(run, values[start : start + LISTED_AT_ONCE], above, info, start)
            results += await some if is_coroutine(some) else some
        return results

    def items(run: Run, values: list[Any] | tuple[Any, ...], above: Trail, info: Info, start: int = 0) -> Any:
        results: list[Any] = []
        pending: list[int] = []
        try:
            for index, each in enumerate(values):
                completed = one(run, each, (above, start + index, None), info)
                if type(completed) is CoroutineType:
                    pending.append(index)
                results.append(completed)
        except Exception:
            later = [each for each in values[len(results) + 1 :] if is_awaitable(each)]
            waiting = [results[index] for index in pending] + later
            if waiting:
                run.settle_in_background(waiting)
            raise
        return _gathered(run, results, pending) if pending else results

    def one(run: Run, each: Any, trail: Trail, info: Info) -> Any:
        try:
            if type(each) not in never_awaitable and is_awaitable(each):
                return awaited(run, each, trail, info)
            completed = item(run, each, trail, info)
            return guarded(run, completed, trail) if type(completed) is CoroutineType else completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path_of(trail))
            return None

    async def awaited(run: Run, each: Any, trail: Trail, info: Info) -> Any:
        try:
            completed = item(run, await each, trail, info)
            return await completed if is_coroutine(completed) else completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path_of(trail))
            return None

    async def guarded(run: Run, completed: Any, trail: Trail) -> Any:
        try:
            return await completed
        except Exception as error:
            run.handle_field_error(error, item_type, site.details, path_of(trail))
            return None

    return complete


async def _gathered(run: Run, results: list[Any], pending: list[int]) -> list[Any]:
    awaited = await gather_siblings(run, [results[index] for index in pending])
    for index, value in zip(pending, awaited, strict=True):
        results[index] = value
    return results

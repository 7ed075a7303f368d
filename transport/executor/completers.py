"""The completion of resolved values: one closure for each type at each site."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from math import isfinite
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
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

from .lists import list_completer
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
)

Compile = Callable[[GraphQLObjectType, Site, Run], Select]
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
        return list_completer(site, inner, item, exact_type(inner.of_type), partial(_absent, site, nullable))
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

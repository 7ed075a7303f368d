"""The selection of one object's fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CoroutineType
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLObjectType, get_named_type, is_abstract_type, is_leaf_type, is_non_null_type
from graphql.execution.collect_fields import GroupedFieldSet, collect_subfields

from .completers import completer_of, exact_type, leaf_writer
from .resolvers import Resolver, resolver_of
from .rows import WrittenRows
from .runs import (
    Complete,
    LazyInfo,
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

Resolve = Callable[[Run, Any, Trail | None], Any]
Fill = Callable[[Run, Any, Trail | None, dict[str, Any]], Any]
LASTING = frozenset({type(None), str, int, float, bool})


class Field(NamedTuple):
    """One field of a compiled selection."""

    key: str
    resolve: Resolve
    attribute: str | None = None
    exact: type | None = None
    """An attribute of exactly this type is written as it is, ..."""
    write: Callable[[Any], Any] | None = None
    """... one that is known not to be awaitable by this; `resolve` handles the rest, and errors."""
    nullable: bool = False
    constant: bool = False
    """Attributes only, down to the leaves: always the same for an immutable row."""


class Compiler:
    """Builds the closures of one operation for given conditions."""

    def __init__(self, schema: strawberry.Schema, rows: WrittenRows) -> None:
        self._schema = schema
        self._rows = rows
        self._constant: set[Select] = set()

    def root(self, kind: GraphQLObjectType, grouped: GroupedFieldSet, run: Run, serially: bool) -> Select:
        """Build the selection of the root; a mutation's fields run one after the other."""
        fields = self._fields(kind, grouped, run)
        return _one_by_one(fields) if serially else _together(fields)

    def selection(self, kind: GraphQLObjectType, site: Site, run: Run) -> Select:
        """Build the selection beneath a field for one runtime type."""
        collected = collect_subfields(
            run.schema,
            run.fragments,
            run.variable_values,
            run.operation,
            kind,
            site.details,
            run.hide_suggestions,
        )
        fields = self._fields(kind, collected.grouped_field_set, run)
        if not self._rows.kinds:
            return _together(fields)
        select = _remembering(fields, self._rows)
        if all(field.constant for field in fields):
            self._constant.add(select)
        return select

    def _fields(self, kind: GraphQLObjectType, grouped: GroupedFieldSet, run: Run) -> list[Field]:
        fields: list[Field] = []
        for key, details in grouped.items():
            name = details[0].node.name.value
            definition = run.schema.get_field(kind, name)
            assert definition is not None
            site = Site(key, definition, kind, details, [detail.node for detail in details])
            fields.append(_typename(key, kind) if name == "__typename" else self._field(site, run))
        return fields

    def _field(self, site: Site, run: Run) -> Field:
        below: list[Select] = []

        def selection(kind: GraphQLObjectType, site: Site, run: Run) -> Select:
            below.append(self.selection(kind, site, run))
            return below[-1]

        resolver = resolver_of(site, self._schema, run)
        complete = completer_of(site, site.definition.type, selection, run)
        named = get_named_type(site.definition.type)
        checks_type = is_abstract_type(named) or getattr(named, "is_type_of", None) is not None
        resolve = _resolved(site, resolver, complete, resolver.needs_info or checks_type)
        kind: Any = site.definition.type
        nullable = not is_non_null_type(kind)
        leaf = kind if nullable else kind.of_type
        if resolver.attribute is None:
            return Field(site.key, resolve)
        if not is_leaf_type(leaf):
            constant = is_leaf_type(named) or (bool(below) and self._constant.issuperset(below))
            return Field(site.key, resolve, resolver.attribute, constant=constant)
        writer = leaf_writer(leaf)
        return Field(site.key, resolve, resolver.attribute, exact_type(leaf), writer, nullable, True)


def _typename(key: str, kind: GraphQLObjectType) -> Field:
    name = kind.name
    return Field(key, lambda _run, _source, _trail: name, constant=True)


def _resolved(site: Site, resolver: Resolver, complete: Complete, needs_info: bool) -> Resolve:
    key, typename = site.key, site.parent.name
    call, kind, details = resolver.call, site.definition.type, site.details

    def resolve(run: Run, source: Any, above: Trail | None) -> Any:
        trail = (above, key, typename)
        try:
            info = LazyInfo(run, site, trail) if needs_info else None
            value = call(run, source, info)
            if type(value) not in never_awaitable and is_awaitable(value):
                return awaited(run, value, trail, info)
            completed = complete(run, value, trail, info)
            return guarded(run, completed, trail) if type(completed) is CoroutineType else completed
        except Exception as error:
            run.handle_field_error(error, kind, details, path_of(trail))
            return None

    async def awaited(run: Run, value: Any, trail: Trail, info: Any) -> Any:
        try:
            completed = complete(run, await value, trail, info)
            return await completed if is_coroutine(completed) else completed
        except Exception as error:
            run.handle_field_error(error, kind, details, path_of(trail))
            return None

    async def guarded(run: Run, completed: Any, trail: Trail) -> Any:
        try:
            return await completed
        except Exception as error:
            run.handle_field_error(error, kind, details, path_of(trail))
            return None

    return resolve


def _together(fields: Sequence[Field]) -> Select:
    fill = _filling(fields)
    return lambda run, source, trail: fill(run, source, trail, {})


def _filling(fields: Sequence[Field]) -> Fill:
    def fill(run: Run, source: Any, trail: Trail | None, results: dict[str, Any]) -> Any:
        pending: list[str] = []
        try:
            for key, resolve, attribute, exact, write, nullable, _ in fields:
                if write is not None:
                    try:
                        value = getattr(source, attribute)  # type: ignore[arg-type]
                        if type(value) is not exact and value is not None:
                            value = write(value) if type(value) in never_awaitable else None
                            nullable = False  # `resolve` reports values that cannot be serialized
                        if value is not None or nullable:
                            results[key] = value
                            continue
                    except Exception:
                        value = None
                value = results[key] = resolve(run, source, trail)
                if type(value) is CoroutineType:
                    pending.append(key)
        except Exception:
            if pending:
                run.settle_in_background([results[key] for key in pending])
            raise
        return _gathered(run, results, pending) if pending else results

    return fill


def _remembering(fields: Sequence[Field], rows: WrittenRows) -> Select:
    """Select from immutable rows: their attributes are serialized once for each row.

    Whatever else a field does, such as calling a resolver, is done for every answer. What is written is
    shared by answers and changed by none.
    """
    select, fill = _together(fields), _filling([field for field in fields if not field.constant])
    varies = not all(field.constant for field in fields)
    written, immutable = rows.of_selection(), rows.kinds

    def remembered(run: Run, source: Any, trail: Trail | None) -> Any:
        if type(source) not in immutable:
            return select(run, source, trail)
        known = written.get(id(source))
        if known is not None:
            return fill(run, source, trail, known[1].copy()) if varies else known[1]
        errors = run.errors
        before = len(errors) if errors else 0
        results = select(run, source, trail)
        after = len(run.errors or ())
        if type(results) is dict and before == after and _lasts(fields, source, immutable):
            constant = {field.key: results[field.key] if field.constant else None for field in fields}
            rows.keep(written, source, constant)
        return results

    return remembered


def _lasts(fields: Sequence[Field], row: Any, immutable: frozenset[type]) -> bool:
    """Whether the objects behind the row's attributes are immutable too."""
    for field in fields:
        if field.constant and field.attribute is not None and field.write is None:
            value = getattr(row, field.attribute)
            for each in value if type(value) in (list, tuple) else (value,):
                if type(each) not in immutable and type(each) not in LASTING:
                    return False
    return True


async def _gathered(run: Run, results: dict[str, Any], pending: list[str]) -> dict[str, Any]:
    awaited = await gather_siblings(run, [results[key] for key in pending])
    results.update(zip(pending, awaited, strict=True))
    return results


def _one_by_one(fields: list[Field]) -> Select:
    async def select(run: Run, source: Any, trail: Trail | None) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for field in fields:
            value = field.resolve(run, source, trail)
            results[field.key] = await value if is_coroutine(value) else value
        return results

    return select

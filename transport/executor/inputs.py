"""The arguments of Strawberry's resolvers: one converter for each argument's type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, TypeGuard

import strawberry
from strawberry.types.arguments import convert_argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
)
from strawberry.types.field import StrawberryField
from strawberry.types.unset import UNSET

Convert = Callable[[Any, Any], Any]
"""Turns a coerced value and Strawberry's info into what the resolver expects."""
PLAIN = (str, int, float, bool, strawberry.ID)


def arguments_of(field: StrawberryField, schema: strawberry.Schema) -> Convert:
    """Build what turns a field's coerced arguments into its resolver's keyword arguments."""
    name_of = schema.config.name_converter.from_argument
    converters = [
        (name_of(argument), argument.python_name, _converter(argument.type, schema, (name_of(argument),)))
        for argument in field.arguments
    ]

    def convert(given: Any, info: Any) -> dict[str, Any]:
        return {
            python_name: as_python(given[name], info)
            for name, python_name, as_python in converters
            if name in given
        }

    return convert


def _converter(kind: Any, schema: strawberry.Schema, path: tuple[str | int, ...]) -> Convert:
    """Convert common types as Strawberry's convert_argument does, with the decisions made once."""
    if isinstance(kind, StrawberryOptional) and not isinstance(kind, StrawberryMaybe):
        return _converter(kind.of_type, schema, path)
    if kind in PLAIN:
        return _same
    if isinstance(kind, StrawberryList) and _item(kind) in PLAIN:
        return _copy
    definition = getattr(kind, "__strawberry_definition__", None)
    if _builds_itself(definition):
        return _input(kind, definition, schema, path)
    return _any(kind, schema, path)


def _builds_itself(definition: Any) -> TypeGuard[StrawberryObjectDefinition]:
    """Whether an input object is built by calling its class."""
    return (
        isinstance(definition, StrawberryObjectDefinition)
        and definition.is_input
        and definition.from_input is None
        and not definition.is_graphql_generic
    )


def _item(kind: StrawberryList) -> Any:
    inner: Any = kind.of_type
    optional = isinstance(inner, StrawberryOptional) and not isinstance(inner, StrawberryMaybe)
    return inner.of_type if optional else inner


def _same(value: Any, _info: Any) -> Any:
    return value


def _copy(value: Any, _info: Any) -> Any:
    return value if value is None or value is UNSET else list(value)


def _any(kind: Any, schema: strawberry.Schema, path: tuple[str | int, ...]) -> Convert:
    registry, config = schema.schema_converter.scalar_registry, schema.config
    return lambda value, info: convert_argument(value, kind, registry, config, info, path=path)


def _input(
    kind: Any, definition: StrawberryObjectDefinition, schema: strawberry.Schema, path: tuple[str | int, ...]
) -> Convert:
    """Build an input object; its fields' converters are found when the first one arrives."""
    name_of = schema.config.name_converter.from_field
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }
    converters: list[tuple[str, str, Convert]] = []

    def convert(value: Any, info: Any) -> Any:
        if value is None or value is UNSET:
            return value
        if not converters:
            for field in definition.fields:
                name = name_of(field)
                inner = _converter(field.resolve_type(type_definition=definition), schema, (*path, name))
                converters.append((name, field.python_name, inner))
        given = dict(absent)
        for name, python_name, as_python in converters:
            if name in value:
                given[python_name] = as_python(value[name], info)
        return kind(**given)

    return convert

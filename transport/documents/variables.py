"""Which variables a part of a document reads, and what was sent for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    DirectiveNode,
    GraphQLInputType,
    Node,
    Undefined,
    VariableNode,
    Visitor,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    visit,
)
from graphql.execution.values import VariableValues

UNCHANGEABLE = (str, int, float, bool, type(None), date, time, Decimal, Enum, UUID)


class _Reader(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.conditions: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.conditions.add(argument.value.name.value)


def variables_in(*nodes: Node) -> set[str]:
    """Return the names of all variables read beneath the nodes."""
    reader = _Reader()
    for node in nodes:
        visit(node, reader)
    return reader.names


def conditions_in(*nodes: Node) -> tuple[str, ...]:
    """Return the names of the variables that directives read, in order."""
    reader = _Reader()
    for node in nodes:
        visit(node, reader)
    return tuple(sorted(reader.conditions))


def packed(variables: VariableValues, names: Iterable[str]) -> bytes:
    """Write what was sent for these variables; equal where an execution would read the same."""
    sources = variables.sources
    given = [
        (name, sources[name].value)
        for name in names
        if name in sources and sources[name].value is not Undefined
    ]
    return orjson.dumps(given)


def are_unchangeable(variables: VariableValues) -> bool:
    """Tell whether no resolver can change these values for whoever uses them next.

    Of lists and input objects resolvers are given their own; a scalar is handed to them as it is.
    """
    return all(
        _is_unchangeable(variables.coerced.get(name), source.signature.type)
        for name, source in variables.sources.items()
    )


def _is_unchangeable(value: Any, kind: GraphQLInputType) -> bool:
    inner: Any = get_nullable_type(kind)
    if value is None:
        return True
    if is_list_type(inner):
        return all(_is_unchangeable(item, inner.of_type) for item in value)
    if is_input_object_type(inner):
        fields = inner.fields.items()
        return type(value) is dict and all(
            _is_unchangeable(value.get(field.out_name or name), field.type) for name, field in fields
        )
    return isinstance(value, UNCHANGEABLE)

"""The variables that a part of a document reads, and their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from graphql import (
    DirectiveNode,
    Node,
    Undefined,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.values import VariableValues


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
    """Encode the values of these variables; equal bytes mean equal values."""
    sources = variables.sources
    given = [
        (name, sources[name].value)
        for name in names
        if name in sources and sources[name].value is not Undefined
    ]
    return orjson.dumps(given)

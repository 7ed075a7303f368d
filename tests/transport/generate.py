"""Documents drawn at random from a schema: valid ones, with fragments, arguments and conditions.

A document may read three variables, and declares those that it reads.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from typing import Any

from graphql import (
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis import strategies as st

VARIABLES = {"$yes": "Boolean = true", "$no": "Boolean = false", "$three": "Int = 3"}
CONDITIONS = ["", "", "", "@skip(if: $yes)", "@include(if: $no)", "@include(if: $yes)", "@skip(if: false)"]
LEAVES = {
    "Int": ["0", "1", "3", "$three"],
    "Float": ["0", "1.5"],
    "Boolean": ["true", "false", "$yes"],
    "String": ['"a"', '"nobody"'],
    "ID": ['"1"'],
}


class DocumentStrategies:
    """Strategies over one schema; depth bounds the nesting."""

    def __init__(
        self,
        schema: GraphQLSchema,
        leaves: Mapping[str, list[str]] = LEAVES,
        without: Collection[str] = (),
    ) -> None:
        self._schema = schema
        self._leaves = leaves
        self._without = without

    def documents(self, depth: int) -> st.SearchStrategy[str]:
        """Draw queries."""
        return self.selection(self._schema.query_type, depth).map(_declared)

    def selection(self, kind: Any, depth: int) -> st.SearchStrategy[str]:
        """Draw a selection on a composite type, fields and fragments mixed."""
        options: list[st.SearchStrategy[str]] = [st.just("__typename")]
        fields = getattr(kind, "fields", {})
        options += [
            self._field(name, field, depth)
            for name, field in fields.items()
            if f"{kind.name}.{name}" not in self._without
        ]
        members = self._schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
        if depth > 0:
            options += [self._fragment(member, depth - 1) for member in members]
        return st.lists(st.one_of(options), min_size=1, max_size=4).map(" ".join)

    def _fragment(self, member: Any, depth: int) -> st.SearchStrategy[str]:
        return self._nested(member, depth).map(lambda inner: f"... on {member.name} {inner}")

    def _nested(self, kind: Any, depth: int) -> st.SearchStrategy[str]:
        return st.deferred(lambda: self.selection(kind, depth)).map(lambda inner: f"{{ {inner} }}")

    def _field(self, name: str, field: Any, depth: int) -> st.SearchStrategy[str]:
        target = get_named_type(field.type)
        nested: st.SearchStrategy[str] = st.just("")
        if is_composite_type(target):
            if depth <= 0:
                return st.just("__typename")
            nested = self._nested(target, depth - 1)
        parts = st.tuples(self._arguments(field.args), st.sampled_from(CONDITIONS), nested)
        return parts.map(lambda drawn: _written(name, *drawn))

    def _arguments(self, arguments: dict[str, Any]) -> st.SearchStrategy[str]:
        drawn = st.tuples(*(self._argument(name, a) for name, a in arguments.items()))
        return drawn.map(lambda given: ", ".join(filter(None, given)))

    def _argument(self, name: str, argument: Any) -> st.SearchStrategy[str]:
        given = self._value(argument.type).map(lambda value: f"{name}: {value}")
        optional = not is_non_null_type(argument.type) or argument.default is not None
        return st.one_of(st.just(""), given) if optional else given

    def _value(self, kind: Any) -> st.SearchStrategy[str]:
        if is_non_null_type(kind):
            return self._value(kind.of_type)
        if is_list_type(kind):
            items = st.lists(self._value(kind.of_type), max_size=2)
            return items.map(lambda values: f"[{', '.join(values)}]")
        if is_input_object_type(kind):
            return self._arguments(kind.fields).map(lambda text: f"{{{text}}}")
        return st.sampled_from(list(kind.values) if is_enum_type(kind) else self._leaves[kind.name])


def _declared(inner: str) -> str:
    used = ", ".join(f"{name}: {kind}" for name, kind in VARIABLES.items() if name in inner)
    return f"query{f'({used})' if used else ''} {{ {inner} }}"


def _written(name: str, arguments: str, condition: str, nested: str) -> str:
    """Write a field under an alias that other arguments never share."""
    alias = f"{name}{zlib.crc32(arguments.encode())}"
    return f"{alias}: {name}{f'({arguments})' if arguments else ''} {condition} {nested}"

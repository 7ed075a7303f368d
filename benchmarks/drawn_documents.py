"""Queries drawn at random from the public schema."""

import json
import random
from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_required_argument,
)

_DEPTH = 5
_BAD_CURSOR = '"bm90aGluZw"'


class Drawing:
    """Draws queries from a schema, with real ids, and with arguments that make fields fail."""

    def __init__(self, schema: GraphQLSchema, ids: Sequence[str], dice: random.Random) -> None:
        self._schema = schema
        self._ids = ids
        self._dice = dice

    def document(self) -> str:
        """A query with one to four root fields, the rows of one event asked for in several of them."""
        event = self._dice.choice(self._ids)
        roots = [self._root(event) for _ in range(self._dice.randint(1, 4))]
        named = (f"{root.partition('(')[0].split()[0]}_{number}: {root}" for number, root in enumerate(roots))
        return "{ " + " ".join(named) + " }"

    def _root(self, event: str) -> str:
        query = self._schema.query_type
        assert query is not None, "the schema has queries"
        if event.startswith("evt_") and self._dice.random() < 0.7:
            inner = self._selection(self._schema.type_map["Event"], _DEPTH - 1, event)
            return f"event(id: {json.dumps(event)}) {inner}"
        name = self._dice.choice(list(query.fields))
        return self._field(query, name, _DEPTH, event)

    def _selection(self, kind: Any, depth: int, event: str) -> str:
        if is_abstract_type(kind):
            members = self._dice.sample(list(self._schema.get_possible_types(kind)), 1)
            inner = " ".join(f"... on {one.name} {self._selection(one, depth, event)}" for one in members)
            return f"{{ __typename {inner} }}"
        names = self._dice.sample(list(kind.fields), min(len(kind.fields), self._dice.randint(1, 4)))
        fields = [
            f"{name}_{number}: {self._field(kind, name, depth, event)}" for number, name in enumerate(names)
        ]
        return "{ " + " ".join(fields) + " }"

    def _field(self, kind: GraphQLObjectType, name: str, depth: int, event: str) -> str:
        definition = kind.fields[name]
        target = get_named_type(definition.type)
        arguments = self._arguments(definition.args, event)
        if not is_composite_type(target):
            return f"{name}{arguments}"
        if depth <= 0:
            return "__typename"
        return f"{name}{arguments} {self._selection(target, depth - 1, event)}"

    def _arguments(self, arguments: dict[str, GraphQLArgument], event: str) -> str:
        given = [
            f"{name}: {value}"
            for name, argument in arguments.items()
            if (is_required_argument(argument) or self._dice.random() < 0.3)
            and (value := self._value(name, argument.type, event))
        ]
        return f"({', '.join(given)})" if given else ""

    def _value(self, name: str, kind: Any, event: str) -> str:
        named = get_named_type(kind)
        if is_list_type(getattr(kind, "of_type", kind)) or is_list_type(kind):
            return f"[{self._value(name, named, event)}]"
        if is_input_object_type(named):
            return "{}" if not any(is_required_argument(each) for each in named.fields.values()) else ""
        if is_enum_type(named):
            return str(self._dice.choice(list(named.values)))
        if name in ("after", "before"):
            return _BAD_CURSOR
        if named.name == "ID":
            return json.dumps(self._dice.choice((event, event, self._dice.choice(self._ids), "nobody")))
        values = {"Int": ("1", "2", "0"), "Boolean": ("true", "false"), "Float": ("37.5",)}
        return self._dice.choice(values.get(named.name, ('"night"',)))

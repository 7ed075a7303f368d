"""The cost of an operation: the fields that its answer can hold, with lists at their requested size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)

SIZE_ARGUMENTS = frozenset({"first", "last", "limit", "pageSize"})
LIST_ARGUMENT = "ids"
"""Of a field that answers one thing for each"""
Input = Any
"""A GraphQLArgument or a GraphQLInputField: both carry a type and a default."""


@dataclass(frozen=True, slots=True)
class CostModel:
    """What the schema's author knows of costs and the document does not show."""

    weights: Mapping[str, int] = field(default_factory=dict)
    """By "Type.field": the cost of one call; 1 by default."""
    list_sizes: Mapping[str, int] = field(default_factory=dict)
    """By "Type.field": the usual length of a list without a size argument."""
    assumed_list_size: int = 10
    scarce_fields: frozenset[str] = frozenset()
    """The root fields, by name, of which an operation may have a few only."""
    most_scarce_fields: int = 4


@dataclass(frozen=True, slots=True)
class Price:
    """A cost, and whether it depends on the variables."""

    cost: int
    by_variables: bool


def cost_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
    model: CostModel,
) -> Price:
    """Price a validated operation; each fragment is priced once."""
    root = schema.get_root_type(operation.operation)
    pricer = _Pricer(schema, fragments, variables, model)
    cost = pricer.price(operation.selection_set, root, None) if root else 0
    return Price(cost, pricer.asked_variables)


def scarce_fields_of(
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    model: CostModel,
) -> int:
    """Count the scarce root fields of a validated operation, those of fragments each time they are spread."""
    if not model.scarce_fields:
        return 0
    counted: dict[str, int] = {}

    def count(selection_set: SelectionSetNode) -> int:
        total = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total += node.name.value in model.scarce_fields
            elif isinstance(node, InlineFragmentNode):
                total += count(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if name not in counted:
                    counted[name] = count(fragments[name].selection_set)
                total += counted[name]
        return total

    return count(operation.selection_set)


class _Pricer:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        model: CostModel,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._model = model
        self.asked_variables = False
        self._priced: dict[tuple[str, int | None], int] = {}

    def price(self, selection_set: SelectionSetNode, parent: GraphQLNamedType, size: int | None) -> int:
        """Add up a selection; `size` is the length that the field above requested of its connection."""
        total = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total += self._field(node, parent, size)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                total += self.price(node.selection_set, inner, size)
            elif isinstance(node, FragmentSpreadNode):
                total += self._fragment(node.name.value, size)
        return total

    def _fragment(self, name: str, size: int | None) -> int:
        key = (name, size)
        if key not in self._priced:
            definition = self._fragments[name]
            condition = self._schema.type_map[definition.type_condition.name.value]
            self._priced[key] = self.price(definition.selection_set, condition, size)
        return self._priced[key]

    def _field(self, node: FieldNode, parent: GraphQLNamedType, size: int | None) -> int:
        name = node.name.value
        definition = self._schema.get_field(parent, name)  # type: ignore[arg-type]
        weight = self._model.weights.get(f"{parent.name}.{name}", 1)
        if definition is None or node.selection_set is None:
            return weight
        target = get_named_type(definition.type)
        own = self._size_argument(node, definition)
        if not _is_list(definition):
            return weight + self.price(node.selection_set, target, own)
        times = self._times(f"{parent.name}.{name}", target, own if own is not None else size)
        return weight + times * self.price(node.selection_set, target, None)

    def _times(self, key: str, target: GraphQLNamedType, asked: int | None) -> int:
        if target.name.startswith("__"):
            return 1
        if asked is not None:
            return asked
        return self._model.list_sizes.get(key, self._model.assumed_list_size)

    def _size_argument(self, node: FieldNode, definition: GraphQLField) -> int | None:
        """Find the largest size in the arguments that are given, or else in defaults."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        sizes = [
            size
            for name in given
            if (size := self._size_of(name, definition.args[name], given[name])) is not None
        ]
        if sizes:
            return max(sizes)
        for name, argument in definition.args.items():
            size = None if name in given else self._size_of(name, argument, None)
            if size is not None:
                return size
        return None

    def _size_of(self, name: str, wanted: Input, value: ValueNode | None) -> int | None:
        """Find a size in an argument, or in the fields of its input object."""
        if name == LIST_ARGUMENT and value is not None:
            return self._length(value)
        if name in SIZE_ARGUMENTS:
            return _positive(self._literal(value) if value else _default(wanted))
        target = get_named_type(wanted.type)
        if not is_input_object_type(target) or not SIZE_ARGUMENTS & target.fields.keys():
            return None
        for inner in SIZE_ARGUMENTS & target.fields.keys():
            return _positive(self._in_object(value, inner, target.fields[inner]))
        return None

    def _length(self, value: ValueNode) -> int | None:
        """The length of a list; a single value is a list of one."""
        if isinstance(value, VariableNode):
            found = self._variable(value)
            return len(found) if isinstance(found, list) else 1
        return len(value.values) if isinstance(value, ListValueNode) else 1

    def _in_object(self, value: ValueNode | None, name: str, wanted: Input) -> Any:
        if isinstance(value, VariableNode):
            whole = self._variable(value)
            return whole.get(name, _default(wanted)) if isinstance(whole, dict) else None
        if isinstance(value, ObjectValueNode):
            for item in value.fields:
                if item.name.value == name:
                    return self._literal(item.value)
        return _default(wanted)

    def _literal(self, value: ValueNode) -> Any:
        if isinstance(value, VariableNode):
            return self._variable(value)
        return int(value.value) if isinstance(value, IntValueNode) else None

    def _variable(self, value: VariableNode) -> Any:
        self.asked_variables = True
        return self._variables.get(value.name.value)


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _positive(value: Any) -> int | None:
    return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else None


def _default(wanted: Input) -> Any:
    default = wanted.default
    if default is None:
        return wanted.default_value
    if isinstance(default.literal, IntValueNode):
        return int(default.literal.value)
    return default.value

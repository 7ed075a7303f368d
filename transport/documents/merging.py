"""The effort of field merging in a document, counted before validation compares pair by pair.

OverlappingFieldsCanBeMerged looks at every pair of fields that share a response name at one place
of the answer. Here the same places are visited once each, and only the pairs are counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)


def merging_effort(
    roots: Iterable[SelectionSetNode],
    fragments: Mapping[str, FragmentDefinitionNode],
    most: int,
) -> tuple[int, int]:
    """Count visited fields, and those with the pairs to compare; stop counting beyond most."""
    fields = effort = 0
    places = [[root] for root in roots]
    while places and effort <= most:
        groups, visited = _group(places.pop(), fragments, most)
        fields += visited
        effort += visited
        for same in groups.values():
            effort += len(same) ** 2 - 1
            nested = [field.selection_set for field in same if field.selection_set]
            if nested:
                places.append(nested)
    return fields, effort


def _group(
    sets: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode], most: int
) -> tuple[dict[str, list[FieldNode]], int]:
    """Group the fields of one level by response name; each fragment is entered once."""
    groups: defaultdict[str, list[FieldNode]] = defaultdict(list)
    spread: set[str] = set()
    pending = list(sets)
    visited = 0
    while pending and visited <= most:
        for node in pending.pop().selections:
            visited += 1
            if isinstance(node, FieldNode):
                groups[(node.alias or node.name).value].append(node)
            elif isinstance(node, InlineFragmentNode):
                pending.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                definition = fragments.get(node.name.value)
                if definition is not None:
                    pending.append(definition.selection_set)
    return groups, visited + len(spread) ** 2

"""How long an answer may be cached, derived once for each document from hints on types and fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)


@dataclass(frozen=True, slots=True)
class CacheHint:
    """How long a type or field may be cached, in seconds, and by which caches."""

    max_age_s: float = 0.0
    swr_s: float = 0.0
    private: bool = False


Hints = Mapping[str, CacheHint]
"""By "Type.field" or "Type"; a root field without a hint is never cached."""


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """The caching policy of an operation: the strictest of everything that it reads."""

    max_age_s: float
    swr_s: float
    private: bool

    @property
    def shareable(self) -> bool:
        """True where any two callers of equal rights read the same answer."""
        return not self.private and self.max_age_s > 0

    def within(self, seconds: float) -> CachePolicy:
        """The same policy for an answer that is true only for so many seconds more."""
        if self.max_age_s + self.swr_s <= seconds:
            return self
        max_age_s = min(self.max_age_s, seconds)
        return replace(self, max_age_s=max_age_s, swr_s=min(self.swr_s, seconds - max_age_s))

    def header(self, personal: bool) -> str:
        """Write the Cache-Control header; personal narrows it to the caller alone."""
        if self.private:
            return "private, no-store"
        if self.max_age_s < 1:
            return "no-store"
        scope = "private" if personal else "public"
        header = f"{scope}, max-age={int(self.max_age_s)}"
        if self.swr_s >= 1:
            header += f", stale-while-revalidate={int(self.swr_s)}"
        return header


KEEP_FOREVER = CachePolicy(max_age_s=float("inf"), swr_s=float("inf"), private=False)
NEVER_KEEP = CachePolicy(max_age_s=0.0, swr_s=0.0, private=False)


def policy_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    hints: Hints,
) -> CachePolicy:
    """Return the least of every hint the operation touches."""
    root = schema.get_root_type(operation.operation)
    if operation.operation.value == "mutation" or root is None:
        return NEVER_KEEP
    policy = _Reader(schema, fragments, hints, root).read(operation.selection_set, root)
    if operation.operation.value == "subscription":
        return replace(NEVER_KEEP, private=policy.private)
    return NEVER_KEEP if policy.max_age_s == float("inf") else policy


class _Reader:
    """Walks a validated selection; each fragment is read once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        hints: Hints,
        root: GraphQLNamedType,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._hints = hints
        self._root = root
        self._known: dict[str, CachePolicy] = {}

    def read(self, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> CachePolicy:
        policy = KEEP_FOREVER
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                policy = _least(policy, self._field(node, parent))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.type_map[condition.name.value] if condition else parent
                policy = _least(policy, self.read(node.selection_set, inner))
            elif isinstance(node, FragmentSpreadNode):
                policy = _least(policy, self._fragment(node.name.value))
        return policy

    def _fragment(self, name: str) -> CachePolicy:
        if name not in self._known:
            definition = self._fragments[name]
            condition = self._schema.type_map[definition.type_condition.name.value]
            self._known[name] = self.read(definition.selection_set, condition)
        return self._known[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> CachePolicy:
        name = node.name.value
        field = self._schema.get_field(parent, name)  # type: ignore[arg-type]
        if field is None or name == "__typename":
            return KEEP_FOREVER
        target = get_named_type(field.type)
        policy = self._type(target)
        hint = self._hints.get(f"{parent.name}.{name}")
        if hint is not None:
            policy = _least(policy, _from_hint(hint))
        elif parent is self._root:
            policy = _least(policy, NEVER_KEEP)
        if node.selection_set:
            policy = _least(policy, self.read(node.selection_set, target))
        return policy

    def _type(self, target: GraphQLNamedType) -> CachePolicy:
        hint = self._hints.get(target.name)
        policy = _from_hint(hint) if hint else KEEP_FOREVER
        if is_abstract_type(target) and hint is None:
            for member in self._schema.get_possible_types(target):
                policy = _least(policy, self._type(member))
        return policy


def _from_hint(hint: CacheHint) -> CachePolicy:
    return CachePolicy(hint.max_age_s, hint.swr_s, hint.private)


def _least(one: CachePolicy, other: CachePolicy) -> CachePolicy:
    return CachePolicy(
        max_age_s=min(one.max_age_s, other.max_age_s),
        swr_s=min(one.swr_s, other.swr_s),
        private=one.private or other.private,
    )

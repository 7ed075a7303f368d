"""The linear guard: bounds on a document, checked before anything is resolved.

Two passes, each linear in the text: one over the tokens, before parsing; one over the tree, in
which a fragment is measured once however often it is spread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from transport.protocol.errors import DocumentInvalid, DocumentRejected
from transport.protocol.limits import Limits

from .merging import merging_effort

TOKEN = re.compile(
    r"""
      (?P<ignored>(?>[\s,\ufeff]++|\#[^\n\r]*+)++)
    | (?:
        "{3}(?>\\"{3}|"(?!"")|[^"\\]|\\(?!"{3}))*+"{3}
      | "(?>\\.|[^"\\\n\r])*+"
      | \.\.\.
      | [_A-Za-z][_0-9A-Za-z]*+
      | -?[0-9][0-9A-Za-z.+-]*+
      | [!$&:=@|(){}\[\]]
      )
    """,
    re.VERBOSE,
)
OPENING = frozenset("({[")
CLOSING = frozenset(")}]")
NESTING_PER_DEPTH = 4
"""Brackets and inline fragments nest too; no hand-written document has more of them in a level."""


def scan(text: str, limits: Limits) -> int:
    """Bound a text's size, tokens and nesting before it is parsed; return the number of its tokens.

    Outside parentheses a colon follows an alias and nothing else. Stops at the first thing that is
    no token: the parser then says what is wrong with it.
    Raises: DocumentRejected with DOCUMENT_TOO_LARGE, TOO_MANY_TOKENS, ALIAS_LIMIT or DEPTH_LIMIT.
    """
    if len(text) > limits.document_bytes:
        raise DocumentRejected(f"The document is longer than {limits.document_bytes} characters.")
    tokens = nesting = parentheses = aliases = position = 0
    while match := TOKEN.match(text, position):
        position = match.end()
        if match.lastgroup == "ignored":
            continue
        symbol = match[0]
        tokens += 1
        nesting += (symbol in OPENING) - (symbol in CLOSING)
        parentheses += (symbol == "(") - (symbol == ")")
        aliases += symbol == ":" and parentheses == 0
        if aliases > limits.aliases:
            raise _refused("ALIAS_LIMIT", f"more than {limits.aliases} aliases")
        if nesting > limits.depth * NESTING_PER_DEPTH:
            raise _refused("DEPTH_LIMIT", f"more than {limits.depth} levels")
        if tokens > limits.tokens:
            raise _refused("TOO_MANY_TOKENS", f"more than {limits.tokens} tokens")
    return tokens


def inspect(document: DocumentNode, limits: Limits, introspection: bool) -> int:
    """Bound a tree's definitions, depth, aliases, directives and repeated fields.

    Returns how many fields it selects at most, fragments spread.

    Raises: DocumentRejected with the limit's own code; DocumentInvalid for a fragment cycle.
    """
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    if len(document.definitions) - len(operations) > limits.fragments:
        raise _refused("FRAGMENT_LIMIT", f"more than {limits.fragments} fragments")
    if len(operations) * len(fragments) > limits.fragment_uses:
        raise _refused("FRAGMENT_LIMIT", "too many operations that share fragments")
    if len(operations) > limits.operations:
        raise _refused("OPERATION_LIMIT", f"more than {limits.operations} operations")
    survey = _Survey(fragments, limits, introspection)
    for operation in operations:
        extent = survey.measure(operation.selection_set, 0)
        _check(extent, len(operation.directives or ()), limits)
    for fragment in fragments.values():
        survey.fragment(fragment.name.value, 0)
    roots = [definition.selection_set for definition in (*operations, *fragments.values())]
    fields, effort = merging_effort(roots, fragments, limits.merging)
    if effort > limits.merging:
        raise _refused("REPEATED_FIELDS_LIMIT", "too many fields of the same name")
    return fields


@dataclass(frozen=True, slots=True)
class _Extent:
    """How much a selection holds once its fragments are spread."""

    depth: int = 0
    nesting: int = 0
    aliases: int = 0
    directives: int = 0


class _Survey:
    """Measures each selection set and each fragment once."""

    def __init__(
        self,
        fragments: dict[str, FragmentDefinitionNode],
        limits: Limits,
        introspection: bool,
    ) -> None:
        self._fragments = fragments
        self._limits = limits
        self._introspection = introspection
        self._measured: dict[str, _Extent | None] = {}

    def measure(self, selection_set: SelectionSetNode, level: int) -> _Extent:
        """Add up a selection set; level bounds this function's own recursion."""
        if level > self._limits.depth * NESTING_PER_DEPTH:
            raise _refused("DEPTH_LIMIT", f"more than {self._limits.depth} levels")
        return _sum(self._selection(node, level) for node in selection_set.selections)

    def fragment(self, name: str, level: int) -> _Extent:
        """Measure a fragment once; an unknown one is left to validation."""
        if name in self._measured:
            extent = self._measured[name]
            if extent is None:
                raise DocumentInvalid(f"Cannot spread fragment '{name}' within itself.")
            return extent
        definition = self._fragments.get(name)
        if definition is None:
            return _Extent()
        self._measured[name] = None
        extent = self.measure(definition.selection_set, level + 1)
        self._measured[name] = extent
        return extent

    def _selection(self, node: SelectionNode, level: int) -> _Extent:
        directives = len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            inner, depth, aliases = self.fragment(node.name.value, level), 0, 0
        else:
            depth, aliases = self._field(node) if isinstance(node, FieldNode) else (0, 0)
            nested: SelectionSetNode | None = node.selection_set  # type: ignore[attr-defined]
            inner = self.measure(nested, level + 1) if nested else _Extent()
        return _Extent(
            depth=inner.depth + depth,
            nesting=inner.nesting + 1,
            aliases=inner.aliases + aliases,
            directives=inner.directives + directives,
        )

    def _field(self, node: FieldNode) -> tuple[int, int]:
        if not self._introspection and node.name.value in ("__schema", "__type"):
            raise DocumentRejected("Introspection is off.", code="INTROSPECTION_DISABLED")
        return 1, 1 if node.alias else 0


def _sum(extents: Iterable[_Extent]) -> _Extent:
    depth = nesting = aliases = directives = 0
    for extent in extents:
        depth = max(depth, extent.depth)
        nesting = max(nesting, extent.nesting)
        aliases += extent.aliases
        directives += extent.directives
    return _Extent(depth, nesting, aliases, directives)


def _check(extent: _Extent, own_directives: int, limits: Limits) -> None:
    if extent.depth > limits.depth or extent.nesting > limits.depth * NESTING_PER_DEPTH:
        raise _refused("DEPTH_LIMIT", f"more than {limits.depth} levels")
    if extent.aliases > limits.aliases:
        raise _refused("ALIAS_LIMIT", f"more than {limits.aliases} aliases")
    if extent.directives + own_directives > limits.directives:
        raise _refused("DIRECTIVE_LIMIT", f"more than {limits.directives} directives")


def _refused(code: str, excess: str) -> DocumentRejected:
    return DocumentRejected(f"The document has {excess}.", code=code)

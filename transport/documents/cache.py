"""The document cache: each text is parsed, guarded, validated and priced once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from sys import getsizeof
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from kit.cache import Cache
from transport.protocol.errors import DocumentInvalid, DocumentRejected
from transport.protocol.limits import Limits
from transport.protocol.ports import Meters

from . import guard
from .cost import CostModel, cost_of, scarce_fields_of
from .hints import Hints, policy_of
from .lean_tree import free_tokens
from .operation import Document, Operation
from .variables import conditions_in, variables_in

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
MAX_VALIDATION_ERRORS = 10
MOST_ERRORS_IF_LONG = 2
LONGEST_MESSAGE = 1_000
TOKEN_BYTES = 400
"""Memory of the tree for each token, as measured"""
FAILURE_BYTES = 1_000
LONGEST_SUGGESTED = 4_000


@dataclass(frozen=True, slots=True)
class _Failure:
    """A rejection that is kept, so that the same text is rejected again at no cost."""

    kind: type[DocumentRejected | DocumentInvalid]
    message: str
    code: str
    errors: tuple[GraphQLError, ...]

    def again(self) -> DocumentRejected | DocumentInvalid:
        return self.kind(self.message, code=self.code, errors=self.errors)

    @property
    def size_bytes(self) -> int:
        return FAILURE_BYTES + sum(FAILURE_BYTES + getsizeof(error.message) for error in self.errors)


def digest_of(text: str) -> str:
    """Name a text by the lower-case hex of its sha256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class DocumentCache:
    """Prepares each text once; rejections are kept too."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        hints: Hints,
        meters: Meters,
        *,
        costs: CostModel,
        introspection: bool,
        suggestions: bool,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._hints = hints
        self._costs = costs
        self._meters = meters
        self._introspection = introspection
        self._suggestions = suggestions
        self._known: Cache[str, Document | _Failure] = Cache(
            max_entries=limits.documents, max_bytes=limits.document_cache_bytes
        )

    def prepare(self, text: str, digest: str) -> Document:
        """Return the document of a text. Raises: DocumentRejected, DocumentInvalid."""
        known = self._known.get(digest)
        self._meters.cached("document", "miss" if known is None else "hit")
        if known is None:
            known = self._try_prepare(text, digest)
            self._known.put(digest, known, size_bytes=known.size_bytes)
        if isinstance(known, _Failure):
            raise known.again()
        return known

    def known(self, digest: str) -> Document | None:
        """Return a valid document that was prepared before; None leaves the rest to `prepare`."""
        known = self._known.get(digest)
        if not isinstance(known, Document):
            return None
        self._meters.cached("document", "hit")
        return known

    def is_refused(self, digest: str) -> bool:
        """Whether a document is known to be refused."""
        return isinstance(self._known.get(digest), _Failure)

    def cost(self, operation: Operation, variables: Mapping[str, Any]) -> int:
        """Price an operation. Raises: DocumentRejected with COST_LIMIT or SCARCE_FIELDS_LIMIT."""
        most = self._costs.most_scarce_fields
        if operation.scarce_fields > most:
            names, asked = ", ".join(sorted(self._costs.scarce_fields)), operation.scarce_fields
            raise DocumentRejected(
                f"An operation may ask {most} times for {names}; this one does {asked} times.",
                code="SCARCE_FIELDS_LIMIT",
            )
        cost = operation.fixed_cost
        if cost is None:
            cost = cost_of(
                self._schema,
                operation.node,
                operation.fragment_definitions,
                variables,
                self._costs,
            ).cost
        if cost > self._limits.cost:
            raise DocumentRejected(
                f"The operation costs {cost}, the limit is {self._limits.cost}.", code="COST_LIMIT"
            )
        return cost

    def _try_prepare(self, text: str, digest: str) -> Document | _Failure:
        try:
            return self._prepare(text, digest)
        except (DocumentRejected, DocumentInvalid) as error:
            return _Failure(type(error), error.message, error.error_code, error.errors)

    def _prepare(self, text: str, digest: str) -> Document:
        tokens = guard.scan(text, self._limits)
        try:
            tree = parse(text, max_comments=self._limits.comments)
        except GraphQLError as error:
            raise _invalid("GRAPHQL_PARSE_FAILED", [error]) from None
        fields = guard.inspect(tree, self._limits, self._introspection)
        # A long list of errors helps no reader, and each may cost as much as the document is long.
        is_long = len(text) > LONGEST_SUGGESTED
        errors = validate(
            self._schema,
            tree,
            RULES,
            max_errors=MOST_ERRORS_IF_LONG if is_long else MAX_VALIDATION_ERRORS,
            hide_suggestions=is_long or not self._suggestions,
        )
        if errors:
            raise _invalid("GRAPHQL_VALIDATION_FAILED", errors)
        free_tokens(tree)
        fragments = {d.name.value: d for d in tree.definitions if isinstance(d, FragmentDefinitionNode)}
        size_bytes = tokens * TOKEN_BYTES + getsizeof(text)
        operations = {
            d.name.value if d.name else None: self._operation(d, fragments, digest, fields, size_bytes)
            for d in tree.definitions
            if isinstance(d, OperationDefinitionNode)
        }
        return Document(operations, size_bytes)

    def _operation(
        self,
        node: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        digest: str,
        fields: int,
        size_bytes: int,
    ) -> Operation:
        priced = cost_of(self._schema, node, fragments, {}, self._costs)
        return Operation(
            name=f"{digest}:{node.name.value}" if node.name else digest,
            node=node,
            kind=node.operation.value,
            fragment_definitions=fragments,
            fragments={name: FragmentDetails(d) for name, d in fragments.items()},
            policy=policy_of(self._schema, node, fragments, self._hints),
            scarce_fields=scarce_fields_of(node, fragments, self._costs),
            fixed_cost=None if priced.by_variables else priced.cost,
            event_variables=_event_variables(node, fragments),
            conditions=conditions_in(node, *fragments.values()),
            root_fields=tuple(_root_fields(node)),
            fields=fields,
            size_bytes=size_bytes,
        )


def _invalid(code: str, errors: list[GraphQLError]) -> DocumentInvalid:
    bare = [_bare(error, code) for error in errors]
    return DocumentInvalid(bare[0].message, code=code, errors=bare)


def _bare(error: GraphQLError, code: str) -> GraphQLError:
    """The same error without a reference to the document."""
    message = error.message
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + " …"
    bare = GraphQLError(message, extensions={**(error.extensions or {}), "code": code})
    bare.locations = error.locations
    return bare


def _root_fields(node: OperationDefinitionNode) -> list[str]:
    return [
        selection.name.value
        for selection in node.selection_set.selections
        if isinstance(selection, FieldNode)
    ]


def _event_variables(
    node: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """Root arguments choose the stream; only what lies beneath shapes an event's answer."""
    parts: list[Node] = list(fragments.values())
    for selection in node.selection_set.selections:
        if isinstance(selection, FieldNode):
            parts += selection.directives or ()
            parts += [selection.selection_set] if selection.selection_set else []
        else:
            parts.append(selection)
    return tuple(sorted(variables_in(*parts)))

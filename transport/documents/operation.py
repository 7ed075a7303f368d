"""An operation of a valid document, with everything that is known without its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import FragmentDefinitionNode, OperationDefinitionNode
from graphql.execution.collect_fields import FragmentDetails

from transport.protocol.errors import BadRequest

from .hints import CachePolicy


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a valid document, with everything that is known without its variables."""

    name: str
    """Unique among all operations of all documents."""
    node: OperationDefinitionNode
    kind: str
    """query, mutation or subscription"""
    fragment_definitions: dict[str, FragmentDefinitionNode]
    fragments: dict[str, FragmentDetails]
    policy: CachePolicy
    scarce_fields: int
    """How many of the scarce root fields it asks for (CostModel)."""
    fixed_cost: int | None
    """None where the cost depends on the variables."""
    event_variables: tuple[str, ...]
    """The variables an event's answer depends on: those used below the root fields' arguments."""
    conditions: tuple[str, ...]
    """The variables that directives read: they choose among the compiled plans."""
    root_fields: tuple[str, ...]
    """The names of the fields on the root type, for metrics and data versions."""
    fields: int
    """How many fields it selects at most, fragments spread."""
    size_bytes: int
    """An estimate of the memory of its document, which it keeps alive."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A valid document and its operations by name."""

    operations: Mapping[str | None, Operation]
    size_bytes: int

    def operation(self, name: str | None) -> Operation:
        """Return the operation to run. Raises: BadRequest where the name does not identify one."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        operation = self.operations.get(name) if name is not None else None
        if operation is not None:
            return operation
        message = (
            f"Unknown operation named '{name}'."
            if name is not None
            else "Must provide operation name if query contains multiple operations."
        )
        raise BadRequest(message, code="OPERATION_RESOLUTION_FAILURE")

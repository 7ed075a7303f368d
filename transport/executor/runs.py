"""The vocabulary of compiled code: what a run is, what a site is, what the closures look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isgenerator
from types import CoroutineType
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLField, GraphQLObjectType
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable

Run: TypeAlias = Executor[Any]
"""The state of one execution: graphql-core's own."""
Info: TypeAlias = Any
"""The resolve info of a field; None where nothing at this site reads it."""
Complete: TypeAlias = Callable[[Run, Any, Path, Info], Any]
"""Completes a resolved value: the result, or a coroutine of it."""
Select: TypeAlias = Callable[[Run, Any, Path | None], Any]
"""Resolves all fields of an object: a dictionary, or a coroutine of it."""

_never_awaitable: set[type] = set()


@dataclass(frozen=True, slots=True)
class Site:
    """One field at one place of an operation."""

    key: str
    definition: GraphQLField
    parent: GraphQLObjectType
    details: list[FieldDetails]
    nodes: list[FieldNode]

    def info(self, run: Run, path: Path) -> Info:
        """Build the resolve info that resolvers and type resolvers read."""
        return run.build_resolve_info(self.definition, self.nodes, self.parent, path)

    @property
    def null_message(self) -> str:
        """What is wrong when this field must not be null and is."""
        name = self.nodes[0].name.value
        return f"Cannot return null for non-nullable field {self.parent}.{name}."


def is_coroutine(value: Any) -> bool:
    """Tell a result of compiled code that is still to be awaited from data."""
    return type(value) is CoroutineType


def is_awaitable(value: Any) -> bool:
    """Tell what a resolver returned from a promise of it; types are learned once."""
    kind = type(value)
    if kind in _never_awaitable:
        return False
    if optimized_is_awaitable(value):
        return True
    if not isgenerator(value):
        _never_awaitable.add(kind)
    return False

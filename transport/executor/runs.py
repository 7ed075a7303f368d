"""The types of compiled code: runs, sites and the signatures of closures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isgenerator
from types import CoroutineType
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLError, GraphQLField, GraphQLObjectType
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable

Run: TypeAlias = "Running"
"""The state of one execution."""
Trail: TypeAlias = tuple[Any, str | int, str | None]
"""A path in the making: the trail above or None, a key or an index, and the type that has the field.

Few values need their path, so it is made when one does.
"""
Info: TypeAlias = Any
"""The resolve info of a field; None where nothing at this site reads it."""
Complete: TypeAlias = Callable[[Run, Any, Trail, Info], Any]
"""Completes a resolved value: the result, or a coroutine of it."""
Select: TypeAlias = Callable[[Run, Any, Trail | None], Any]
"""Resolves all fields of an object: a dictionary, or a coroutine of it."""

never_awaitable: set[type] = set()
"""Types whose values are known not to be awaitable"""


def path_of(trail: Trail) -> Path:
    """Build graphql-core's path."""
    above, key, typename = trail
    return Path(path_of(above) if above is not None else None, key, typename)


class Running:
    """One execution: what every one needs, and graphql-core's own state as soon as anything else is asked.

    Few executions meet an error or a resolver that reads more than the context, and graphql-core's
    Executor costs as much to make as a small answer.
    """

    __slots__ = ("_make", "_turns", "_whole", "context_value", "listed", "root_value", "variable_values")

    def __init__(
        self, make: Callable[[], Executor[Any]], context_value: Any, variable_values: VariableValues
    ) -> None:
        self._make = make
        self._whole: Executor[Any] | None = None
        self._turns: asyncio.Lock | None = None
        self.listed = 0
        """Objects of lists that were completed, or are about to be"""
        self.root_value: Any = None
        self.context_value = context_value
        self.variable_values = variable_values

    @property
    def whole(self) -> Executor[Any]:
        """Graphql-core's state of this execution."""
        if self._whole is None:
            self._whole = self._make()
        return self._whole

    @property
    def turns(self) -> asyncio.Lock:
        """Held by the part of a large answer that is completed in this turn of the event loop."""
        if self._turns is None:
            self._turns = asyncio.Lock()
        return self._turns

    @property
    def errors(self) -> list[GraphQLError] | None:
        """The errors so far, None where there are none."""
        return None if self._whole is None else self._whole.collected_errors.errors or None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


@dataclass(frozen=True, slots=True)
class Site:
    """One field at one place of an operation."""

    key: str
    definition: GraphQLField
    parent: GraphQLObjectType
    details: list[FieldDetails]
    nodes: list[FieldNode]

    def whole_info(self, run: Run, trail: Trail) -> Info:
        """Build the resolve info as graphql-core does."""
        return run.build_resolve_info(self.definition, self.nodes, self.parent, path_of(trail))

    @property
    def null_message(self) -> str:
        """The error of a null in a field that must not be null."""
        name = self.nodes[0].name.value
        return f"Cannot return null for non-nullable field {self.parent}.{name}."


class LazyInfo:
    """Stands for the resolve info: most that read it ask for nothing but the context or the field's name."""

    __slots__ = ("_run", "_site", "_trail", "_whole", "context")

    def __init__(self, run: Run, site: Site, trail: Trail) -> None:
        self.context = run.context_value
        self._run = run
        self._site = site
        self._trail = trail
        self._whole: Info = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole(), name)

    @property
    def field_name(self) -> str:
        """The field's name in the schema, which Strawberry's unions ask for."""
        return self._site.nodes[0].name.value

    def whole(self) -> Info:
        """The resolve info itself."""
        if self._whole is None:
            self._whole = self._site.whole_info(self._run, self._trail)
        return self._whole


def is_coroutine(value: Any) -> bool:
    """Whether a result of compiled code is to be awaited."""
    return type(value) is CoroutineType


def is_awaitable(value: Any) -> bool:
    """Whether a resolver returned an awaitable; each type is examined once."""
    kind = type(value)
    if kind in never_awaitable:
        return False
    if optimized_is_awaitable(value):
        return True
    if not isgenerator(value):
        never_awaitable.add(kind)
    return False

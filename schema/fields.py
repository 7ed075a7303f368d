"""Fields that are computed: Strawberry's decorators with types that mypy can follow.

The Python annotation says what the resolver returns (a row, a view), `graphql_type` what clients see.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import strawberry

OWN_ID = "Opaque and unique, for clients' caches; `node` does not take it"
LAST = "1 to 100, from the end; then `first` is not used"
LAST_OF_500 = "1 to 500, from the end; then `first` is not used"
BEFORE = "The cursor to end before"

Function = TypeVar("Function", bound=Callable[..., object])


def field(*, description: str, graphql_type: object = None) -> Callable[[Function], Function]:
    """A field of a type or of the Query root; without `graphql_type`, the annotation is the type."""
    made = strawberry.field(graphql_type=graphql_type, description=description)
    return cast("Callable[[Function], Function]", made)


def mutation(*, description: str, graphql_type: object) -> Callable[[Function], Function]:
    """A field of the Mutation root."""
    made = strawberry.mutation(graphql_type=graphql_type, description=description)
    return cast("Callable[[Function], Function]", made)


def subscription(*, description: str, graphql_type: object) -> Callable[[Function], Function]:
    """A field of the Subscription root."""
    made = strawberry.subscription(graphql_type=graphql_type, description=description)
    return cast("Callable[[Function], Function]", made)

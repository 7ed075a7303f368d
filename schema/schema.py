"""The schema, built once at import; `schema.graphql` beside this file is its committed snapshot."""

from datetime import date

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.mutations import Mutation
from schema.nodes import UserError
from schema.queries import Query
from schema.scalars import SCALARS
from schema.subscriptions import Subscription

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[UserError, date],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def sdl() -> str:
    """The schema in GraphQL's own language, as `boxoffice schema` prints it."""
    return f"{schema.as_str().strip()}\n"

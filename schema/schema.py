"""The schema, built once at import; `schema.graphql` beside this file is its committed snapshot."""

from datetime import date

import strawberry
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.schema.config import StrawberryConfig

from schema.mutations import Mutation
from schema.nodes import UserError
from schema.queries import Query
from schema.scalars import SCALARS
from schema.subscriptions import Subscription


def _drop_null_defaults(built: GraphQLSchema) -> None:
    """Remove defaults of None: in Python they mean "may be left out", in the SDL they would be `= null`."""
    for named in built.type_map.values():
        if isinstance(named, GraphQLObjectType):
            inputs = [argument for each in named.fields.values() for argument in each.args.values()]
        elif isinstance(named, GraphQLInputObjectType):
            inputs = list(named.fields.values())
        else:
            continue
        for each in inputs:
            if each.default_value is None:
                each.default_value = Undefined


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[UserError, date],
    config=StrawberryConfig(scalar_map=SCALARS),
)
_drop_null_defaults(schema._schema)


def sdl() -> str:
    """The schema in GraphQL's own language, as `boxoffice schema` prints it."""
    return f"{schema.as_str().strip()}\n"

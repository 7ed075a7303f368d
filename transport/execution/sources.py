"""A subscription's source: the event stream that its root field's resolver returns."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from inspect import isawaitable
from typing import Any

from graphql import GraphQLArgument, GraphQLError, located_error
from graphql.execution import Executor
from graphql.execution.collect_fields import collect_fields
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, Undefined
from graphql.utilities import coerce_input_value

MAX_DIGITS = 19


async def open_source(
    executor: Executor[Any], resume_argument: str, last_event_id: str | None
) -> AsyncIterator[Any]:
    """Call the root field's subscriber; last_event_id overrides the resume argument.

    This is CreateSourceEventStream of the specification. graphql-core's own leaves no room to
    change an argument, which resuming needs.
    Raises: GraphQLError with the field's path.
    """
    schema = executor.schema
    root = schema.subscription_type
    if root is None:
        raise GraphQLError("The schema has no subscriptions.", executor.operation)
    fields = collect_fields(
        schema, executor.fragments, executor.variable_values, root, executor.operation
    ).grouped_field_set
    response_name, details = next(iter(fields.items()))
    nodes = [detail.node for detail in details]
    definition = root.fields[nodes[0].name.value]
    path = Path(None, response_name, root.name)
    info = executor.build_resolve_info(definition, nodes, root, path)
    try:
        arguments = get_argument_values(definition, nodes[0], executor.variable_values)
        resumed = definition.args.get(resume_argument)
        if resumed is not None and last_event_id is not None:
            _resume(arguments, resume_argument, resumed, last_event_id)
        subscribe = definition.subscribe or executor.subscribe_field_resolver
        source = subscribe(executor.root_value, info, **arguments)
        if isawaitable(source):
            source = await source
        if not isinstance(source, AsyncIterable):
            raise TypeError(f"{response_name} did not return an event stream.")
        return aiter(source)
    except Exception as error:
        raise located_error(error, nodes, path.as_list()) from error


async def close_source(source: AsyncIterator[Any]) -> None:
    """Close a source that is no longer read."""
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()


def _resume(arguments: dict[str, Any], name: str, argument: GraphQLArgument, last_event_id: str) -> None:
    """Set the argument, unless this server cannot have sent the id."""
    number = last_event_id.isdecimal() and len(last_event_id) < MAX_DIGITS
    value: Any = int(last_event_id) if number else last_event_id
    coerced = coerce_input_value(value, argument.type)
    if coerced is not Undefined:
        arguments[name] = coerced

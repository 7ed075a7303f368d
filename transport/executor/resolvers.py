"""The resolution of a field's value: by an attribute, a Strawberry resolver or any other resolver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import strawberry
from graphql import GraphQLField, VariableNode, default_field_resolver
from graphql.execution.values import get_argument_values
from strawberry.types.field import StrawberryField

from transport.documents.variables import variables_in

from .inputs import arguments_of
from .runs import Info, Run, Site

Call = Callable[[Run, Any, Info], Any]
Arguments = Callable[[Run], dict[str, Any]]
DEFINITION = "strawberry-definition"
IMMUTABLE = (str, int, float, bool, type(None))


class Resolver(NamedTuple):
    """The call of a field's resolver, and whether it reads the resolve info."""

    call: Call
    needs_info: bool
    attribute: str | None = None
    """The attribute behind the field, where its resolver only reads that attribute."""


def resolver_of(site: Site, schema: strawberry.Schema, run: Run) -> Resolver:
    """Choose the cheapest call with the result of the schema's resolver."""
    if _is_event(site.definition):
        return Resolver(lambda _run, source, _info: source, False)
    field = _plain_strawberry_field(site.definition, schema)
    if field is None:
        return _any_resolver(site, run)
    if field.base_resolver is None:
        name = field.python_name
        return Resolver(lambda _run, source, _info: getattr(source, name), False, name)
    return _function(field, site, schema, run)


def _is_event(definition: GraphQLField) -> bool:
    """Whether this is a field of Strawberry's Subscription, which resolves to the event of its source."""
    field = definition.extensions.get(DEFINITION)
    return isinstance(field, StrawberryField) and field.is_subscription


def _plain_strawberry_field(definition: GraphQLField, schema: strawberry.Schema) -> StrawberryField | None:
    """Return the field where Strawberry adds nothing around its resolver.

    Extensions (permissions among them), exception handlers and subclasses with a way of their own
    keep Strawberry's wrapper.
    """
    field = definition.extensions.get(DEFINITION)
    converter = schema.schema_converter
    plain = (
        isinstance(field, StrawberryField)
        and not field.extensions
        and type(field).get_result is StrawberryField.get_result
        and hasattr(definition.resolve, "_is_default")
        and definition.subscribe is None
        and not converter.exception_handlers
        and schema.config.default_resolver is getattr
    )
    return field if plain else None


def _any_resolver(site: Site, run: Run) -> Resolver:
    resolve = site.definition.resolve or default_field_resolver
    arguments = _arguments_of(site, run)
    if arguments is None:
        return Resolver(lambda _run, source, info: resolve(source, info.whole()), True)
    return Resolver(lambda run, source, info: resolve(source, info.whole(), **arguments(run)), True)


def _function(field: StrawberryField, site: Site, schema: strawberry.Schema, run: Run) -> Resolver:
    """Call the function as its signature asks: with self, parent, root, info, arguments."""
    resolver = field.base_resolver
    assert resolver is not None
    function: Any = resolver.wrapped_func
    read, convert = _arguments_of(site, run), arguments_of(field, schema)
    # `root: Parent` is both.
    by_name = {p.name for p in (resolver.parent_parameter, resolver.root_parameter) if p}
    info_name = resolver.info_parameter.name if resolver.info_parameter else None
    takes_self = bool(resolver.self_parameter)
    make_info = schema.config.info_class
    if not (by_name or info_name or field.arguments):
        if takes_self:
            return Resolver(lambda _run, source, _info: function(source), False)
        return Resolver(lambda _run, _source, _info: function(), False)

    if read is None and len(by_name) == 1 and info_name is not None and not takes_self:
        (source_name,) = by_name

        def call_with_both(_run: Run, source: Any, raw_info: Info) -> Any:
            return function(**{source_name: source, info_name: make_info(raw_info, field)})

        return Resolver(call_with_both, True)

    def call(run: Run, source: Any, raw_info: Info) -> Any:
        info = make_info(raw_info, field)
        given = convert(read(run), info) if read else {}
        for name in by_name:
            given[name] = source
        if info_name is not None:
            given[info_name] = info
        return function(source, **given) if takes_self else function(**given)

    return Resolver(call, True)


def _variables_alone(site: Site, read: Arguments) -> Arguments | None:
    """Take arguments that are variables as they were coerced; `read` judges what is absent or null."""
    definition, given = site.definition, site.nodes[0].arguments or ()
    names = [
        (definition.args[each.name.value].out_name or each.name.value, each.value.name.value)
        for each in given
        if isinstance(each.value, VariableNode)
    ]
    if len(names) != len(given) or len(names) != len(definition.args):
        return None

    def take(run: Run) -> dict[str, Any]:
        coerced = run.variable_values.coerced
        values = {name: coerced.get(variable) for name, variable in names}
        return read(run) if None in values.values() else values

    return take


def _arguments_of(site: Site, run: Run) -> Arguments | None:
    """Read literal arguments once, others on every call; None where the field takes none."""
    definition, node = site.definition, site.nodes[0]
    if not (definition.args or node.arguments):
        return None

    def read(run: Run) -> dict[str, Any]:
        return get_argument_values(definition, node, run.variable_values, None, run.hide_suggestions)

    if any(variables_in(argument) for argument in node.arguments or ()):
        return _variables_alone(site, read) or read
    try:
        fixed = read(run)
    except Exception:
        return read
    immutable = all(isinstance(value, IMMUTABLE) for value in fixed.values())
    return (lambda _run: fixed) if immutable else read

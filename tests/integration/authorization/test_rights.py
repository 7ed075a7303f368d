"""Every root field and every field of every type, tried by every role: rights.txt, run."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from devservices.local_stripe import LocalStripe
from devservices.valkey import Valkey
from schema.schema import schema
from tests.apis import app_on, client_of, settings_on
from tests.integration.authorization.table import ROLES, RootRow, TypeRow, read_table
from tests.integration.authorization.world import HELD_PER_NETWORK, World
from tests.transport.clients import listening

ROOTS, TYPES = read_table()
TYPE_MAP = schema._schema.type_map
ROOT_NAMES = {"Query", "Mutation", "Subscription"}
# How the first word of a way is asked for.
WAYS = {
    "event": 'event(id: "{event}")',
    "draft": 'event(id: "{draft}")',
    "events": "events",
    "searchEvents": 'searchEvents(input: {{keyword: "evening"}})',
    "suggest": 'suggest(prefix: "an")',
    "order": 'order(id: "{order}")',
    "booked": 'order(id: "{booked}")',
    "refunded": 'order(id: "{refunded}")',
    "paying": 'order(id: "{paying}")',
    "disputed": 'order(id: "{disputed}")',
    "user": 'node(id: "{user}")',
    "me": "me",
    "challenge": "challenge",
    "entry": 'queueEntry(eventId: "{line}")',
}


@pytest.fixture(scope="module")
async def world(
    module_postgres_url: str, redis_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    stripe = LocalStripe(Path(tmp_path_factory.mktemp("stripe")), "http://127.0.0.1:9/", "whsec_local_test")
    stripe.start()
    urls = (module_postgres_url, redis_server.url())
    changes = {
        "stripe_api_base": stripe.url(),
        "challenge": "pow",
        "max_held_per_network": str(HELD_PER_NETWORK),
    }
    try:
        async with app_on(*urls, **changes) as app, client_of(app) as api, listening(app) as address:
            world = World(api, f"ws://{address}/graphql")
            await world.settle_in(settings_on(*urls, **changes))
            yield world
    finally:
        stripe.stop()


def object_types() -> dict[str, GraphQLObjectType]:
    """Every object type of ours, roots included."""
    found = {name: kind for name, kind in TYPE_MAP.items() if isinstance(kind, GraphQLObjectType)}
    return {name: kind for name, kind in found.items() if not name.startswith("__")}


def test_every_field_of_the_schema_has_a_row() -> None:
    rows = {row.field for row in ROOTS}
    rows |= {f"{row.type}.{name}" for row in TYPES for name in row.fields}

    fields = {f"{name}.{field}" for name, kind in object_types().items() for field in kind.fields}

    assert fields - rows == set(), "write a line for each of these into rights.txt"
    assert rows - fields == set(), "these are gone from the schema"


@pytest.mark.parametrize("row", ROOTS, ids=lambda row: f"{row.field}-{row.of}")
async def test_root_field_is_as_the_table_says(world: World, row: RootRow) -> None:
    outcomes = [await outcome_of_root(world, row, role) for role in ROLES]

    assert dict(zip(ROLES, outcomes, strict=True)) == dict(zip(ROLES, row.outcomes, strict=True))


@pytest.mark.parametrize("row", TYPES, ids=lambda row: f"{row.type}-{row.along}")
async def test_fields_of_a_type_are_as_the_table_says(world: World, row: TypeRow) -> None:
    for role, expected in zip(ROLES, row.outcomes, strict=True):
        outcomes = await outcomes_of_type(world, row, role)

        assert outcomes == dict.fromkeys(row.fields, expected), role


async def outcome_of_root(world: World, row: RootRow, role: str) -> str:
    """What a role gets of a root field."""
    root, _, name = row.field.partition(".")
    if root == "Mutation":
        answer = await mutate(world, name, row.of, role, "__typename")
    elif root == "Subscription":
        answer = await world.first_message(
            f"subscription {{ {subscription(world, name, row.of)} }}", world.tokens[role]
        )
    else:
        answer = await ask(world, f"{{ {query(world, name, row.of)} }}", role)
    return outcome(answer)


def query(world: World, name: str, of: str) -> str:
    """A selection of one field of Query."""
    match name:
        case "node" | "event" | "order":
            return f'{name}(id: "{world.ids[of]}") {{ __typename }}'
        case "nodes":
            return f'nodes(ids: ["{world.ids[of]}"]) {{ __typename }}'
        case "queueEntry":
            return f'queueEntry(eventId: "{world.ids[of]}") {{ __typename }}'
        case "searchEvents" | "suggest" | "events":
            return f"{WAYS[name].format()} {{ __typename }}"
        case "me":
            return "me { __typename }"
        case "challenge":
            return "challenge { salt }"
    return name


def subscription(world: World, name: str, of: str, selected: str = "__typename") -> str:
    """A selection of one field of Subscription."""
    argument = "orderId" if name == "orderUpdated" else "eventId"
    return f'{name}({argument}: "{world.ids[of]}") {{ {selected} }}'


async def ask(world: World, document: str, role: str) -> dict[str, Any]:
    return (await world.api.ask(document, token=world.tokens[role])).body


async def mutate(world: World, name: str, of: str, role: str, selected: str) -> dict[str, Any]:
    kind = object_types()["Mutation"].fields[name].args["input"].type
    document = (
        f"mutation ($input: {kind}) {{ {name}(input: $input) "
        f"{{ __typename {selected} ... on UserError {{ code message }} }} }}"
    )
    given = await world.variables(name, of)
    return (await world.api.ask(document, {"input": given}, world.tokens[role])).body


def outcome(answer: dict[str, Any]) -> str:
    """yes, null, or a code, of an answer with one root field."""
    if "errors" in answer:
        code: str = answer["errors"][0]["extensions"]["code"]
        return code
    value = next(iter(answer["data"].values()))
    if value is None or value == [None]:
        return "null"
    return str(value["code"]) if isinstance(value, dict) and "code" in value else "yes"


async def outcomes_of_type(world: World, row: TypeRow, role: str) -> dict[str, str]:
    """What a role gets of each field of a type."""
    selected = selection_of(row)
    first, *rest = row.along.split(".")
    if first in ROOT_NAMES:
        return await outcomes_of_operation(world, row, role, selected)
    for step in reversed(rest):
        selected = f"{step} {{ {selected} }}"
    if first == "user":
        selected = f"... on User {{ {selected} }}"
    answer = await ask(world, f"{{ {WAYS[first].format(**world.ids)} {{ {selected} }} }}", role)
    return outcomes_in(answer, rest, row.fields)


async def outcomes_of_operation(world: World, row: TypeRow, role: str, selected: str) -> dict[str, str]:
    """The same, of what a mutation or a subscription answers."""
    root, name, *rest = row.along.split(".")
    if root == "Subscription":
        for step in rest:
            selected = f"{step} {{ {selected} }}"
        asked = subscription(world, name, "event", selected)
        answer = await world.first_message(f"subscription {{ {asked} }}", world.tokens[role])
        return outcomes_in(answer, rest, row.fields)
    of = rest[0] if rest else "event"
    if of == "taken":
        await mutate(world, name, of, "buyer", "")
    answer = await mutate(world, name, of, role, f"... on {row.type} {{ {selected} }}")
    value = None if "errors" in answer else next(iter(answer["data"].values()))
    if value is not None and value["__typename"] != row.type:
        return dict.fromkeys(row.fields, value["code"])
    return outcomes_in(answer, [], row.fields)


def selection_of(row: TypeRow) -> str:
    """Every field that the row names."""
    fields = object_types()[row.type].fields
    leaves = {name: is_leaf_type(get_named_type(fields[name].type)) for name in row.fields}
    return " ".join(name if leaf else f"{name} {{ __typename }}" for name, leaf in leaves.items())


def outcomes_in(answer: dict[str, Any], steps: list[str], fields: tuple[str, ...]) -> dict[str, str]:
    """yes where a field was answered, null where what it belongs to was not there, else the code."""
    if "errors" in answer:
        return dict.fromkeys(fields, answer["errors"][0]["extensions"]["code"])
    found: list[Any] = [next(iter(answer["data"].values()))]
    for step in ["", *steps]:
        found = [value[step] if step else value for value in found]
        found = [each for value in found for each in (value if isinstance(value, list) else [value])]
        if found == [None]:
            return dict.fromkeys(fields, "null")
    return {name: "yes" if all(name in value for value in found) else "missing" for name in fields}

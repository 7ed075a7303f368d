"""The served schema against the public contract and against its own snapshot."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)
from graphql.utilities import find_breaking_changes

from schema import schema as served_module
from schema.schema import sdl

CONTRACT = (Path(__file__).parent / "contract.graphql").read_text(encoding="utf-8")
SNAPSHOT = Path(served_module.__file__).parent / "schema.graphql"


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    return build_schema(CONTRACT)


@pytest.fixture(scope="module")
def served() -> GraphQLSchema:
    return build_schema(sdl())


def test_nothing_breaks_when_the_served_schema_replaces_the_contract(
    contract: GraphQLSchema, served: GraphQLSchema
) -> None:
    assert [change.description for change in find_breaking_changes(contract, served)] == []


def test_every_type_and_field_of_the_contract_is_served_with_its_exact_type(
    contract: GraphQLSchema, served: GraphQLSchema
) -> None:
    assert _signatures(contract) - _signatures(served) == set()


def test_every_default_is_the_contracts(contract: GraphQLSchema, served: GraphQLSchema) -> None:
    served_defaults = _defaults(served)
    different = {
        name: (value, served_defaults.get(name))
        for name, value in _defaults(contract).items()
        if served_defaults.get(name) != value
    }
    assert different == {}


def test_the_selection_takes_exactly_one_kind(served: GraphQLSchema) -> None:
    selection = served.type_map["SelectionInput"]
    assert isinstance(selection, GraphQLInputObjectType)
    assert selection.is_one_of


def test_everything_has_a_description(served: GraphQLSchema) -> None:
    silent = []
    for name, named in served.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        if not named.description:
            silent.append(name)
        for field_name, field in getattr(named, "fields", {}).items():
            if not field.description:
                silent.append(f"{name}.{field_name}")
            silent += [
                f"{name}.{field_name}({argument_name}:)"
                for argument_name, argument in getattr(field, "args", {}).items()
                if not argument.description
            ]
    assert silent == []


def test_the_snapshot_is_the_served_schema() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == sdl(), (
        "The schema changed. If that is meant: `boxoffice schema > schema/schema.graphql`."
    )


def _signatures(schema: GraphQLSchema) -> set[str]:
    return {line for named in schema.type_map.values() for line in _lines(named)}


def _lines(named: GraphQLNamedType) -> list[str]:
    if named.name.startswith("__"):
        return []
    if isinstance(named, GraphQLEnumType):
        return [f"{named.name}.{value}" for value in named.values]
    if isinstance(named, GraphQLUnionType):
        return [f"{named.name} = {member.name}" for member in named.types]
    lines = [f"{named.name} is {type(named).__name__}"]
    lines += [f"{named.name} implements {each.name}" for each in getattr(named, "interfaces", ())]
    for field_name, field in getattr(named, "fields", {}).items():
        lines.append(f"{named.name}.{field_name}: {field.type}")
        for argument_name, argument in getattr(field, "args", {}).items():
            lines.append(f"{named.name}.{field_name}({argument_name}: {argument.type})")
    return lines


def _defaults(schema: GraphQLSchema) -> dict[str, object]:
    found: dict[str, object] = {}
    for named in schema.type_map.values():
        if named.name.startswith("__"):
            continue
        for field_name, field in getattr(named, "fields", {}).items():
            if isinstance(named, GraphQLInputObjectType):
                found[f"{named.name}.{field_name}"] = field.default_value
            for argument_name, argument in getattr(field, "args", {}).items():
                found[f"{named.name}.{field_name}({argument_name}:)"] = argument.default_value
    return found

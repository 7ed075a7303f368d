"""Every import contract holds, and breaks when an import that it forbids is planted."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter.application import use_cases
from importlinter.application.user_options import UserOptions
from importlinter.configuration import configure
from importlinter.domain.contract import registry

ROOT = Path(__file__).parents[2]

PLANTED = [
    ("The floors", "kit.clock", "domain.money"),
    ("The floors", "transport.server", "domain.money"),
    ("The floors", "domain.money", "db.session"),
    ("The floors", "services.context", "resolvers.context"),
    ("The floors", "telemetry.tracing", "services.context"),
    ("The floors", "resolvers.context", "subscriptions.seat_topic"),
    ("The subjects of services", "services.identity.tokens", "services.ordering.pay"),
    ("The subjects of services", "services.search.find_events", "services.catalogue.block_seats"),
    ("The subjects of services", "services.ordering.pay", "services.doctor.repair"),
    ("The subjects of services", "services.metrics", "services.context"),
    ("The schema reads", "schema.events", "db.queries.events"),
    ("What `up` embeds", "devservices.up", "domain.money"),
    ("Nothing of the product", "telemetry.tracing", "faults"),
    ("Nothing of the product", "kit.clock", "tools"),
    ("Only the commands", "telemetry.tracing", "devservices.up"),
    ("Redis's SDK", "telemetry.tracing", "redis"),
    ("Stripe's SDK", "telemetry.tracing", "stripe"),
    ("Meilisearch's SDK", "telemetry.tracing", "meilisearch"),
    ("Strawberry", "telemetry.tracing", "strawberry"),
    ("SQL's drivers", "telemetry.tracing", "sqlalchemy"),
    ("The SDKs of metrics", "services.metrics", "prometheus_client"),
    ("The challenge's library", "telemetry.tracing", "altcha"),
    ("Transport's rooms", "transport.protocol.errors", "transport.server"),
]


@cache
def options() -> UserOptions:
    configure()
    return use_cases.read_user_options(str(ROOT / "pyproject.toml"))


@cache
def imports() -> grimp.ImportGraph:
    roots = options().session_options["root_packages"]
    return grimp.build_graph(*roots, include_external_packages=True, cache_dir=None)


def contracts() -> dict[str, dict[str, Any]]:
    return {contract["name"]: contract for contract in options().contracts_options}


def holds(name: str, graph: grimp.ImportGraph) -> bool:
    use_cases._register_contract_types(options())
    contract_options = contracts()[name]
    contract = registry.get_contract_class(contract_options["type"])(
        name=name, session_options=options().session_options, contract_options=contract_options
    )
    return contract.check(graph, verbose=False).kept


@pytest.mark.parametrize("name", sorted(contracts()))
def test_contract_holds_when_nothing_is_planted(name: str) -> None:
    assert holds(name, imports())


@pytest.mark.parametrize(("start", "importer", "imported"), PLANTED)
def test_contract_breaks_when_an_import_is_planted(start: str, importer: str, imported: str) -> None:
    (name,) = [name for name in contracts() if name.startswith(start)]
    graph = copy.deepcopy(imports())
    assert importer in graph.modules, "the planted module is one of ours"
    if imported not in graph.modules:
        graph.add_module(imported, is_squashed=True)

    graph.add_import(importer=importer, imported=imported)

    assert not holds(name, graph)


def test_every_contract_has_a_planted_import() -> None:
    assert all(any(name.startswith(start) for start, *_ in PLANTED) for name in contracts())


def test_contract_breaks_when_a_subject_of_services_is_not_declared() -> None:
    (name,) = [name for name in contracts() if name.startswith("The subjects of services")]
    graph = copy.deepcopy(imports())
    graph.add_module("services.undeclared")

    assert not holds(name, graph)

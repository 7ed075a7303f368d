"""The table of metrics, the dashboard and the alert rules speak of what is there, and of all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.apis import api_on

DOCUMENTS = Path(__file__).parents[3] / "docs" / "operations"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<kind>\w+) \| (?P<labels>[\w, ]*?) ?\| ", re.MULTILINE)
NAME = re.compile(r"\b(?:boxoffice|process)_\w+")
GROUPS = ["Sale health", "Payments", "Search", "Live", "Parts and processes"]


def documented() -> dict[str, str]:
    """Each metric of the table and its type."""
    rows = list(ROW.finditer((DOCUMENTS / "metrics.md").read_text()))
    assert len(rows) == len({row["name"] for row in rows})
    return {row["name"]: row["kind"] for row in rows}


def labels_of(name: str) -> set[str]:
    """The labels that the table gives a metric."""
    text = (DOCUMENTS / "metrics.md").read_text()
    (found,) = [row["labels"] for row in ROW.finditer(text) if row["name"] == name]
    return {label.strip() for label in found.split(",") if label.strip()}


@pytest.fixture
async def exposed(postgres_url: str, redis_url: str) -> dict[str, str]:
    """Each metric that a process shows and its type."""
    async with api_on(postgres_url, redis_url) as api:
        text = (await api.client.get("/metrics")).text
    return {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in text_string_to_metric_families(text)
    }


def metric_of(series: str) -> str:
    """The metric that a series belongs to: a histogram's has a suffix."""
    known = documented()
    stem = re.sub(r"_(?:bucket|count|sum)$", "", series)
    return series if series in known else stem


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of the dashboard and the rules, and where it stands."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCUMENTS / "grafana-dashboard.json").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DOCUMENTS / "alerts.yml").read_text())["groups"]
    assert len({group["name"] for group in groups}) == len(groups)
    return [rule for group in groups for rule in group["rules"]]


async def test_the_table_lists_each_metric_with_its_type(exposed: dict[str, str]) -> None:
    assert documented() == exposed


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_an_expression_is_of_metrics_and_labels_that_exist(place: str, expression: str) -> None:
    series = NAME.findall(expression)
    assert series, place
    for name in series:
        kind = documented()[metric_of(name)]
        suffixed = name != metric_of(name)
        assert suffixed == (kind == "histogram"), f"{name} is a {kind}"
    known = {"le"}.union(*(labels_of(metric_of(name)) for name in series))
    asked = set(re.findall(r"(\w+)(?:=~|!=|=)\"", expression))
    for grouping in re.findall(r"by \(([\w, ]+)\)", expression):
        asked |= {label.strip() for label in grouping.split(",")}
    assert asked <= known


def test_every_metric_of_ours_is_on_the_dashboard_or_in_a_rule() -> None:
    shown = {metric_of(name) for _, expression in expressions() for name in NAME.findall(expression)}
    ours = {name for name in documented() if name.startswith("boxoffice_")}

    # What is read when a line of people is looked at, and what only says of whom the figures are.
    assert ours - shown == {
        "boxoffice_operation_seconds",
        "boxoffice_process",
        "boxoffice_waiting_room_admitted",
        "boxoffice_waiting_room_ended",
        "boxoffice_waiting_room_eta_error",
        "boxoffice_waiting_room_lapsed",
        "boxoffice_waiting_room_rate_per_minute",
    }


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    panels = dashboard()["panels"]

    assert [panel["title"] for panel in panels if panel["type"] == "row"] == GROUPS
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies on another"
        taken |= cells
        assert panel["type"] == "row" or all(target["refId"] for target in panel["targets"])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_a_rule_is_whole_and_its_runbook_is_there(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"\d+[sm]", rule["for"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    chapters = re.findall(r"^#+ (.+)$", (DOCUMENTS.parents[1] / path).read_text(), re.MULTILINE)
    assert anchor in {chapter.lower().replace(" ", "-") for chapter in chapters}
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_alerts_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(set(names)) == len(names) >= 20

"""The published figures are the ones that hold."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from settings import LIMITS_IN_PRODUCTION
from transport import GraphQLHTTPError, Limits

PAGE = Path(__file__).parents[3] / "docs" / "limits.md"
PUBLISHED = {
    "body_bytes",
    "document_bytes",
    "tokens",
    "depth",
    "aliases",
    "directives",
    "cost",
    "merging",
    "operation_id_bytes",
    "init_bytes",
    "operations_per_connection",
    "subscription_cost",
    "free_document_characters",
    "reservation_cost",
    "refused_document_cost",
}


def test_page_names_every_limit_when_a_figure_changes() -> None:
    page = PAGE.read_text()
    limits = Limits()
    published = {field.name for field in fields(limits)} & PUBLISHED
    assert published == PUBLISHED
    assert [name for name in PUBLISHED if f"{getattr(limits, name):,}" not in page] == []


def codes_of(kind: type[GraphQLHTTPError]) -> set[str]:
    return {kind.code}.union(*(codes_of(below) for below in kind.__subclasses__()))


def test_page_names_every_code_of_the_transport() -> None:
    page = PAGE.read_text()
    codes = {code for code in codes_of(GraphQLHTTPError) if code.isupper()}

    assert len(codes) > 15
    assert sorted(code for code in codes if code not in page) == []


def test_page_names_every_limit_of_production_with_its_figure() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    missing = [
        name
        for name, figure in LIMITS_IN_PRODUCTION.items()
        if not any(f"{name.upper()} |" in row and f"| {figure:,} |" in row for row in rows)
    ]

    assert missing == []

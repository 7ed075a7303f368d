"""The published figures are the ones that hold."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from transport import Limits

PAGE = Path(__file__).parents[3] / "docs" / "limits.md"
PUBLISHED = {"body_bytes", "document_bytes", "tokens", "depth", "aliases", "directives", "cost", "merging"}


def test_page_names_every_limit_when_a_figure_changes() -> None:
    page = PAGE.read_text()
    limits = Limits()
    published = {field.name for field in fields(limits)} & PUBLISHED
    assert published == PUBLISHED
    assert [name for name in PUBLISHED if f"{getattr(limits, name):,}" not in page] == []

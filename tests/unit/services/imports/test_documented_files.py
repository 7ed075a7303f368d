"""The examples of files in docs/organising.md are read as the page says."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.catalogue.imports.listings import Given
from services.catalogue.imports.reading import read_catalogue

PAGE = (Path(__file__).parents[4] / "docs" / "organising.md").read_text()
BLOCKS = dict(re.findall(r"```(jsonl|ics|json)\n(.*?)```", PAGE, re.DOTALL))


@pytest.mark.parametrize(
    ("kind", "given", "prices"),
    [
        ("jsonl", Given(), [[2450], [3000, 5000]]),
        ("ics", Given(), [[2450]]),
        ("json", Given(timezone="Australia/Sydney"), [[2450]]),
    ],
)
def test_example_is_read_when_it_is_imported(
    tmp_path: Path, kind: str, given: Given, prices: list[list[int]]
) -> None:
    file = tmp_path / f"events.{kind}"
    file.write_text(BLOCKS[kind])

    events = read_catalogue(file, given).events

    assert events[0].starts_at == datetime(2027, 4, 3, 8, 30, tzinfo=UTC)
    assert [[section.price.amount for section in event.sections] for event in events] == prices

"""docs/failure-modes.md names tests and faults; each must exist, and every fault must be in it."""

import re
from pathlib import Path

from faults.catalogue import FAULTS
from faults.cluster.catalogue import CLUSTER_FAULTS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "failure-modes.md").read_text()
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]


def written_tests() -> set[str]:
    """The names of all tests, as their files define them."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"def (test_\w+)\(", file.read_text())}


def test_every_named_test_exists_when_the_page_is_read() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))

    assert len(named) > 30
    assert named - written_tests() == set()


def test_every_fault_is_on_the_page_when_the_page_is_read() -> None:
    assert set(re.findall(r"`fault:([\w-]+)`", PAGE)) == set(FAULTS) | set(CLUSTER_FAULTS)


def test_every_row_says_what_shows_it_when_the_page_is_read() -> None:
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, len(ROWS) + 1))
    assert len([row for row in ROWS if int(row.split("|")[1]) <= 28]) >= 20
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 7 and all(cells), row
        assert re.search(r"`(test_|fault:)", cells[-1]), row

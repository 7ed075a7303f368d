"""docs/caches.md against the code: every file that makes a cache is named there."""

import re
from pathlib import Path

from tools.lint.findings import source_files

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "caches.md").read_text(encoding="utf-8")
MADE = re.compile(r"\b(?:Cache(?:\[.*\])?\($|Cache(?:\[.*\])?\(\w|lru_cache\(|TtlTable\()", re.MULTILINE)
WITHOUT_PRODUCT = {"tests", "benchmarks", "faults", "tools"}


def files_with_a_cache() -> set[str]:
    paths = (path.relative_to(ROOT) for path in source_files(ROOT, ".py"))
    product = [path for path in paths if path.parts[0] not in WITHOUT_PRODUCT]
    return {str(path) for path in product if MADE.search((ROOT / path).read_text(encoding="utf-8"))}


def test_every_file_that_makes_a_cache_is_on_the_page() -> None:
    found = files_with_a_cache()

    assert len(found) > 20
    assert {name for name in found if f"`{name}`" not in PAGE} == set()


def test_a_cache_is_found_when_a_line_makes_one() -> None:
    lines = [
        "self._rows: Cache[UUID, Row | None] = Cache(",
        "self._texts: Cache[str, str] = Cache(max_entries=capacity)",
        "_kept = lru_cache(maxsize=256)(_quoted)",
        "self.events: TtlTable[UUID, EventRow] = TtlTable(clock)",
    ]

    assert [bool(MADE.search(line)) for line in lines] == [True] * 4

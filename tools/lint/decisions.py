"""Every decision in docs/adr/ has a status and a date, and the index has the same."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.lint.findings import Finding

FOLDER = Path("docs/adr")
INDEX = "README.md"
STATUS = re.compile(
    r"^Status: (accepted|proposed|rejected|superseded(?: by \[[^\]]+\]\([\w.-]+\))?)$", re.MULTILINE
)
DATE = re.compile(r"^Date: (\d{4}-\d\d-\d\d)$", re.MULTILINE)
ROW = re.compile(r"^\| \[[^\]]+\]\(([\w.-]+)\) \| (\w+) \| (\S+) \|", re.MULTILINE)


def findings(root: Path) -> Iterator[Finding]:
    """Every decision that lacks one of them, and every row of the index that differs from its decision."""
    rows = index(root)
    decisions = sorted(path for path in (root / FOLDER).glob("*.md") if path.name != INDEX)
    for path in decisions:
        yield from faults(FOLDER / path.name, path.read_text(encoding="utf-8"), rows.get(path.name))
    for name in sorted(rows.keys() - {path.name for path in decisions}):
        yield Finding(FOLDER / INDEX, 1, f"{name} is in the index and not in the folder")


def index(root: Path) -> dict[str, tuple[str, str]]:
    """Status and date of each file, as the index has them."""
    page = root / FOLDER / INDEX
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return {name: (status, date) for name, status, date in ROW.findall(text)}


def faults(path: Path, text: str, row: tuple[str, str] | None) -> Iterator[Finding]:
    status, date = STATUS.search(text), DATE.search(text)
    if status is None:
        yield Finding(path, 1, "no line `Status: accepted`, proposed, rejected or superseded")
    if date is None:
        yield Finding(path, 1, "no line `Date: YYYY-MM-DD`")
    if row is None:
        yield Finding(path, 1, f"not in the index, {FOLDER / INDEX}")
    elif status and date and row != (status.group(1).split()[0], date.group(1)):
        yield Finding(path, 1, f"the index says {' '.join(row)}")

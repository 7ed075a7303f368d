"""Every path that a page names exists: links, and paths of the project in backticks.

The pages are README.md, CONTRIBUTING.md and the like at the root, and everything in docs/. A decision that
was superseded or rejected may name files that are gone. Source files are read too, for the pages that their
comments refer to.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.lint.findings import NOT_SOURCE, Finding, source_files

LINK = re.compile(r"\]\(([^()\s]+)\)")
CODE = re.compile(r"`([^`\s]+)`")
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
PAGE = re.compile(r"\bdocs/[\w./-]+\.(?:md|svg|png|json|yml)\b")
ADDRESS = re.compile(r"[a-z]+:")
FENCE = re.compile(r"^\s*```")
HEADING = re.compile(r"^#+\s+(.*)")
PLACEHOLDER = re.compile(r"\b(?:NAME|SUBJECT|VERB)\b")  # any name: at least one file must fit
SOURCE = (".py", ".lua", ".sql", ".md", ".mako", ".graphql")
PLANTED = Path("tests/unit/tools")  # its faults are there on purpose
CLOSED = re.compile(r"^Status: (?:superseded|rejected)", re.MULTILINE)


def findings(root: Path) -> Iterator[Finding]:
    """Every path that is named and does not exist."""
    names = {path.name for path in source_files(root, *SOURCE)}
    top = {path.name for path in root.iterdir()} - NOT_SOURCE
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        yield from broken_links(root, page, text)
        if not CLOSED.search(text):
            yield from missing_paths(root, page, text, top, names)
    for path in source_files(root, ".py", ".lua", ".sql", ".js"):
        if PLANTED not in path.relative_to(root).parents:
            yield from missing_pages(root, path)


def pages(root: Path) -> list[Path]:
    return sorted(root.glob("*.md")) + sorted((root / "docs").rglob("*.md"))


def broken_links(root: Path, page: Path, text: str) -> Iterator[Finding]:
    """Relative links to a file, or to a heading, that is not there."""
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if ADDRESS.match(target):
                continue
            name, _, anchor = target.partition("#")
            linked = page.parent / name if name else page
            if not linked.exists():
                yield Finding(page.relative_to(root), number, f"the link {target} leads nowhere")
            elif anchor and linked.suffix == ".md" and anchor not in anchors(linked):
                yield Finding(page.relative_to(root), number, f"{target}: that page has no such heading")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= bool(FENCE.match(line))
        heading = HEADING.match(line)
        if heading and not fenced:
            words = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading.group(1)).lower())
            found.add(words.replace(" ", "-"))
    return found


def missing_paths(root: Path, page: Path, text: str, top: set[str], names: set[str]) -> Iterator[Finding]:
    """Paths of the project in backticks that match no file."""
    for number, line in enumerate(text.splitlines(), 1):
        for quoted in CODE.findall(line):
            if PATH.fullmatch(quoted) and not exists(root, page, quoted, top, names):
                yield Finding(page.relative_to(root), number, f"`{quoted}` does not exist")


def exists(root: Path, page: Path, quoted: str, top: set[str], names: set[str]) -> bool:
    """Whether the text is no path of the project, or one that matches a file."""
    first, _, rest = quoted.partition("/")
    if rest and first in top:
        return any(root.glob(PLACEHOLDER.sub("*", quoted).rstrip("/")))
    if Path(quoted).suffix in SOURCE and "*" not in quoted:
        return quoted in names if not rest else (page.parent / quoted).exists()
    return True


def missing_pages(root: Path, path: Path) -> Iterator[Finding]:
    """Pages of docs/ that a source file refers to and that are not there."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for named in PAGE.findall(line):
            if not (root / named).exists():
                yield Finding(path.relative_to(root), number, f"{named} does not exist")

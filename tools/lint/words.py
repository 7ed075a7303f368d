"""Private words stay out: each has a standard term that a reader can look up.

The words are whole words, also as parts of names (`turned_away`, `OrderDesk`). Comments, texts, names and
pages are read alike. The SDL is left out: its descriptions are public and change with a release.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.lint.doc_paths import CLOSED
from tools.lint.findings import Finding, source_files

READ = (".py", ".md", ".lua", ".sql", ".js", ".css", ".html", ".yml", ".json", ".mako")
INSTEAD = {
    r"(?<!box )(?<!box_)(?<!box-)office": "context",
    r"desks?": "writer, or page",
    r"gathering": "batcher",
    r"notice[ _]?board": "process registry",
    r"announcer": "publisher",
    r"latecomers?": "unindexed changes, or name them",
    r"whoever": "the noun: a client, a process, a buyer",
    r"short[ _]way": "fast path",
    r"long[ _]way": "ASGI path",
    r"turn(?:s|ed|ing)?[ _]away": "refuse",
    r"the moment that": "when",
    r"closeness": "match quality",
    r"manners?": "preferences",
    r"told": "notified, sent, answered or received",
    r"workshop": "app",
    r"courier": "webhook sender",
}
WORD = re.compile(rf"(?<![a-z])(?:{'|'.join(f'({word})' for word in INSTEAD)})(?![a-z])", re.IGNORECASE)
TERMS = list(INSTEAD.values())
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
LEFT_OUT = ("tools/lint/words.py", "tests/unit/tools/test_words.py", "docs/operations/grafana-dashboard.json")


def findings(root: Path) -> Iterator[Finding]:
    """Every private word, with the standard term."""
    for path in source_files(root, *READ):
        shown = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if str(shown) in LEFT_OUT or (path.suffix == ".md" and CLOSED.search(text)):
            continue
        yield from in_text(shown, CAMEL.sub("_", text))


def in_text(path: Path, text: str) -> Iterator[Finding]:
    for found in WORD.finditer(text):
        term = TERMS[(found.lastindex or 1) - 1]
        line = text.count("\n", 0, found.start()) + 1
        yield Finding(path, line, f"{found.group()!r} is a private word; write {term}")

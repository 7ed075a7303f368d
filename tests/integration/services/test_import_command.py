"""`boxoffice import events` in a pipe, on a terminal, and with a file that is refused."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from io import FileIO
from pathlib import Path

from tests.unit.services.imports.test_documented_files import BLOCKS


def _command(folder: Path, content: str, *options: str) -> list[str]:
    file = folder / "events.jsonl"
    file.write_text(content)
    return [sys.executable, "-m", "cli", "import", "events", str(file), "--data-dir", str(folder), *options]


def _environment(postgres_url: str) -> dict[str, str]:
    return os.environ | {"BOXOFFICE_DATABASE_URL": postgres_url, "TERM": "xterm"}


def _all_of(terminal: FileIO) -> bytes:
    """What a terminal was sent; Linux ends it with an error."""
    found = b""
    with suppress(OSError):
        while piece := terminal.read(100_000):
            found += piece
    return found


def test_output_is_plain_lines_when_it_goes_into_a_pipe(postgres_url: str, tmp_path: Path) -> None:
    command = _command(tmp_path, BLOCKS["jsonl"], "--publish")

    done = subprocess.run(
        command, env=_environment(postgres_url), capture_output=True, text=True, timeout=60, check=True
    )

    *progress, summary = done.stdout.splitlines()
    assert progress == ["events: 0 of 2", "events: 2 of 2"]
    assert summary.startswith("2 events (2 new), 0 venues and 0 performers are imported; 2 drafts were")
    assert "\x1b" not in done.stdout and done.stderr == ""


def test_progress_is_a_bar_when_output_goes_to_a_terminal(postgres_url: str, tmp_path: Path) -> None:
    ours, its = pty.openpty()
    command = _command(tmp_path, BLOCKS["jsonl"])

    with subprocess.Popen(command, env=_environment(postgres_url), stdout=its) as process:
        os.close(its)
        with FileIO(ours) as terminal:
            shown = _all_of(terminal).decode()

    assert process.returncode == 0
    assert "\x1b[" in shown and "━" in shown and "2/2" in shown
    assert "2 events (2 new)" in shown


def test_a_refused_file_ends_with_its_lines_and_nothing_imported(postgres_url: str, tmp_path: Path) -> None:
    command = _command(tmp_path, BLOCKS["jsonl"].replace('"timezone": "Australia/Sydney", ', ""))

    done = subprocess.run(
        command, env=_environment(postgres_url), capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "2 lines are refused, and nothing is imported:" in done.stderr
    assert "events.jsonl:1-2: timezone: is missing; give --timezone." in done.stderr

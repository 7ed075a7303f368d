"""README.md's query and docs/tutorial.md, typed as they stand, with every file of examples/."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, LiveServer, serving

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, Path]]:
    """An installation with the invented part of the demo, and its data dir."""
    home = tmp_path_factory.mktemp("tutorial")
    with serving(home) as server:
        demo = [sys.executable, "-m", "cli", "demo", "--invented-only", "--data-dir", str(home / "data")]
        subprocess.run(demo, cwd=ROOT, check=True, capture_output=True)
        yield server, home / "data"


def typed(script: str, server: LiveServer, data_dir: Path) -> str:
    """What the commands print; one that fails ends the test."""
    script = script.replace("http://127.0.0.1:8000", server.base_url)
    if shutil.which("curl") is None:
        script = "\n".join(line for line in script.splitlines() if not line.startswith("curl"))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "BOXOFFICE_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_ticket_is_bought_when_the_tutorial_is_typed(shown: tuple[LiveServer, Path]) -> None:
    script = "\n".join(BLOCK.findall(TUTORIAL))

    printed = typed(script, *shown)

    for expected in ("The Velvet Switchboard", '"RESERVED"', '"BOOKED"', '"seatAvailability"', '"ON_SALE"'):
        assert expected in printed
    assert '"errors"' not in printed
    assert "PostgreSQL, Redis, Stripe and the search index agree." in printed


def test_readme_shows_the_answer_when_its_query_is_typed(shown: tuple[LiveServer, Path]) -> None:
    command = re.search(r"^\.venv/bin/boxoffice query .*$", README, re.MULTILINE)
    answer = re.search(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert command and answer

    printed = typed(command.group(), *shown)

    assert constant(printed) == constant(answer.group(1))


def constant(text: str) -> str:
    """Without the demo's dates, which follow the day it is loaded, and the places that other tests bought."""
    return re.sub(r'("startsAt"|"available"): [^,}\n]+', r"\1: -", text.strip())


def test_every_example_is_used_when_the_pages_are_read() -> None:
    named = set(re.findall(r"examples/([\w-]+\.\w+)", README + TUTORIAL))

    assert named == {path.name for path in (ROOT / "examples").iterdir()}

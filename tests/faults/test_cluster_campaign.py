"""A short campaign against an installation of many nodes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = "kill-primary,promote,move-slot"


@pytest.mark.timeout(300)
@pytest.mark.skipif(
    shutil.which("haproxy") is None and "CI" not in os.environ,
    reason="no haproxy on PATH: install Debian's package",
)
def test_no_invariant_is_violated_when_nodes_fail_under_load(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "faults", "--cluster", "--seed", "20271231", "--out", str(tmp_path)]
    words = ["--minutes", "0.6", "--faults", FAULTS]

    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, timeout=280)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    figures = report["figures"]
    assert report["violations"] == []
    assert figures["faults injected"] >= 2
    assert figures["acknowledged bookings"] > 10
    assert figures["lost bookings"] == figures["double bookings"] == 0
    assert figures["longest time to settle (s)"] < 30

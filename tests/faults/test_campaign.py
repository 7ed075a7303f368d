"""A short campaign against a whole installation, and a control run without a guard."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS = "kill-redis,postgres-replies-lost,webhooks-doubled,kill-api-0,late-payments,webhooks-forged"


def run_campaign(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "faults", "--seed", "20271231", "--out", str(out), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)


@pytest.mark.timeout(300)
def test_no_invariant_is_violated_when_parts_fail_under_load(tmp_path: Path) -> None:
    done = run_campaign(tmp_path, "--minutes", "0.5", "--faults", FAULTS)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    figures = report["figures"]
    assert report["violations"] == []
    assert figures["faults injected"] >= 2
    assert figures["acknowledged bookings"] > 10
    assert figures["lost bookings"] == figures["double bookings"] == 0
    assert figures["captured but unbooked after settling"] == 0
    assert figures["longest time to settle (s)"] < 30
    assert (tmp_path / "history.jsonl").read_text().count('"operation"') == figures["calls made"]


@pytest.mark.timeout(300)
def test_control_is_caught_when_two_guards_of_a_seat_are_removed(tmp_path: Path) -> None:
    done = run_campaign(tmp_path, "--controls", "hold-check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "caught: " in done.stdout
    violations = json.loads((tmp_path / "hold-check" / "report.json").read_text())["violations"]
    assert 1 in {one["invariant"] for one in violations}

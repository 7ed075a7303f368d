"""Every drawn document is answered, over HTTP and WebSocket: the benchmark `documents`, for tests."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(200)
def test_every_drawn_document_is_answered_when_fields_fail_beside_shared_rows() -> None:
    command = [sys.executable, "-m", "benchmarks", "documents", "--documents", "250", "--seed", "20271231"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every operation was answered" in done.stdout
    assert "in part with errors" in done.stdout

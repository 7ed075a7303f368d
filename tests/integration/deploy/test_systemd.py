"""The systemd units of deploy/: checked by systemd's own tools, and against the settings that they set."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from settings import PREFIX, Settings
from tests.installations import ROOT

UNITS = ROOT / "deploy/systemd"
SERVICES = sorted(UNITS.glob("*.service"))
INSTANCE = "boxoffice-api@8001.service"
# Of 100; a service without any restriction has 96.
MOST_EXPOSURE = 20


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """systemd-analyze's answer; skipped where there is none, but not in CI."""
    program = shutil.which("systemd-analyze")
    if program is None:
        assert not os.environ.get("CI"), "CI has systemd-analyze"
        pytest.skip("no systemd-analyze on this machine: apt-get install systemd")
    return subprocess.run([program, *words], capture_output=True, text=True)


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units as on a machine, with the program of this environment."""
    program = str(Path(sys.executable).parent / "boxoffice")
    for unit in UNITS.iterdir():
        name = INSTANCE if "@" in unit.name else unit.name
        text = unit.read_text().replace("/opt/boxoffice/bin/boxoffice", program)
        (tmp_path / name).write_text(text)
    return sorted(tmp_path.iterdir())


def test_systemd_has_no_complaint_about_the_units(installed: list[Path]) -> None:
    done = analyze("verify", *installed)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_control_systemd_complains_when_a_unit_has_a_misspelt_line(installed: list[Path]) -> None:
    unit = next(each for each in installed if each.name == INSTANCE)
    unit.write_text(unit.read_text().replace("NoNewPrivileges", "NoNewPrivilege"))

    assert "NoNewPrivilege" in analyze("verify", unit).stderr


def test_services_may_do_little(installed: list[Path]) -> None:
    for unit in installed:
        if unit.suffix == ".service":
            done = analyze("security", "--offline=yes", f"--threshold={MOST_EXPOSURE}", unit)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_units_set_settings_that_exist_and_run_commands_that_exist(unit: Path) -> None:
    known = {PREFIX + each.name.upper() for each in fields(Settings)}
    text = unit.read_text()

    assert set(re.findall(r"\bBOXOFFICE_\w+(?==)", text)) <= known
    (command,) = re.findall(r"^ExecStart=/opt/boxoffice/bin/boxoffice (\w+)$", text, re.MULTILINE)
    help_text = subprocess.run(
        [sys.executable, "-m", "cli", command, "--help"], cwd=ROOT, capture_output=True
    )
    assert help_text.returncode == 0


def test_services_have_the_time_that_a_stop_may_take() -> None:
    production = Settings(environment="production", drain_seconds=5)
    for unit in SERVICES:
        found = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        assert found is None or int(found[1]) > production.stop_seconds, unit.name

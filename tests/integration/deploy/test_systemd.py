"""The systemd units of deploy/: checked by systemd's own tools, and against the settings that they set."""

import contextlib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from devservices.ports import HOST
from settings import PREFIX, Settings
from tests.installations import ROOT, clean_environment, command, until
from tests.integration.devservices.test_serving_in_production import production_settings, status_of

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
    (word,) = re.findall(r"^ExecStart=/opt/boxoffice/bin/boxoffice (\w+)$", text, re.MULTILINE)
    help_text = subprocess.run([sys.executable, "-m", "cli", word, "--help"], cwd=ROOT, capture_output=True)
    assert help_text.returncode == 0


def test_services_have_the_time_that_a_stop_may_take() -> None:
    production = Settings(environment="production", drain_seconds=5)
    for unit in SERVICES:
        found = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        assert found is None or int(found[1]) > production.stop_seconds, unit.name


def environment_of(unit: Path, instance: str) -> dict[str, str]:
    """What the unit sets, with its instance."""
    lines = re.findall(r"^Environment=(.+)$", unit.read_text(), re.MULTILINE)
    pairs = (pair.partition("=") for line in lines for pair in line.replace("%i", instance).split())
    return {name: value for name, _, value in pairs}


def four_digit_port() -> int:
    """A free port whose number with a 1 before it is free too."""
    while True:
        port = random.randrange(2000, 10_000)
        with contextlib.suppress(OSError), socket.socket() as public, socket.socket() as inside:
            public.bind((HOST, port))
            inside.bind((HOST, 10_000 + port))
            return port


def test_a_process_is_ready_and_ends_in_time_with_the_environment_of_its_unit(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    port = four_digit_port()
    unit = UNITS / "boxoffice-api@.service"
    environment = clean_environment() | production_settings(postgres_url, redis_url)
    environment |= environment_of(unit, str(port)) | {"BOXOFFICE_DATA_DIR": str(tmp_path)}
    timeout = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
    assert timeout is not None

    process = subprocess.Popen(command("serve"), cwd=tmp_path, env=environment)
    try:
        until(lambda: status_of(port, "/healthz") == 200 or process.poll() is not None)
        until(lambda: status_of(10_000 + port, "/readyz") == 200 or process.poll() is not None)
        assert process.poll() is None
        process.terminate()
        process.wait(int(timeout[1]))
    finally:
        process.kill()
        process.wait()

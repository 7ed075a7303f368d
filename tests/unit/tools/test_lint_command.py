"""The command that `make lint` runs."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.__main__ import RULES, main


def test_status_is_one_when_a_rule_is_violated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, {"a.py": "\n" * 500})

    assert main(["lengths", "--root", str(tmp_path)]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("a.py:1: 500 lines")
    assert shown[1].startswith("1 violations of the house rules")


def test_status_is_zero_when_every_rule_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(tmp_path, {"a.py": "\n"})

    assert main(["lengths", "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("All house rules are kept")


def test_status_is_two_when_the_rule_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["lenghts"])

    assert stop.value.code == 2
    assert f"unknown rule lenghts; there are {', '.join(RULES)}" in capsys.readouterr().err

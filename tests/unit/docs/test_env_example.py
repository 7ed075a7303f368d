""".env.example against settings.py: every setting once, with its default, and none that does not exist."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from settings import PREFIX, Settings, written

PAGE = (Path(__file__).resolve().parents[3] / ".env.example").read_text(encoding="utf-8")
LINES = re.findall(r"^#([A-Z_]+)=(.*)$", PAGE, flags=re.MULTILINE)


def test_every_setting_stands_there_once_with_its_default() -> None:
    expected = {PREFIX + each.name.upper(): written(each.default) for each in fields(Settings)}

    assert len(LINES) == len(dict(LINES))
    assert dict(LINES) == expected


def test_defaults_are_read_back_when_every_line_is_set(tmp_path: Path) -> None:
    copied = tmp_path / ".env"
    copied.write_text(re.sub(rf"^#({PREFIX})", r"\1", PAGE, flags=re.MULTILINE), encoding="utf-8")

    assert Settings.load(env={}, dotenv=copied) == Settings()


@pytest.mark.parametrize("name", [name for name, _ in LINES])
def test_a_sentence_explains_each_group(name: str) -> None:
    group = next(block for block in PAGE.split("\n\n") if f"#{name}=" in block)

    assert re.search(r"^# .{10,}", group, flags=re.MULTILINE), group

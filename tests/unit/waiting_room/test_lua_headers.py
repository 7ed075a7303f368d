"""A header that is not true is worse than none: each is held against its code and its callers."""

import re
from pathlib import Path

import pytest

import waiting_room
from waiting_room.keys import RoomKeys
from waiting_room.outcomes import Outcome
from waiting_room.scripts import SCRIPT_KEYS, SCRIPTS

FOLDER = Path(waiting_room.__file__).parent / "lua"
FIELDS = ("PROMISE", "KEYS", "ARGV", "RETURNS", "TTL", "COST")
NAMES = sorted(SCRIPT_KEYS)


def header(name: str) -> dict[str, str]:
    lines = SCRIPTS[name].text.splitlines()
    head = [line[3:] for line in lines[: len(FIELDS)] if line.startswith("-- ")]
    return dict(line.split(":", 1) for line in head)


def code(name: str) -> str:
    return "\n".join(line for line in SCRIPTS[name].text.splitlines() if not line.lstrip().startswith("--"))


def test_every_script_is_in_the_table_when_the_folder_is_listed() -> None:
    assert {path.stem for path in FOLDER.glob("*.lua")} == set(SCRIPT_KEYS)


@pytest.mark.parametrize("name", NAMES)
def test_header_has_every_field_in_order_when_read(name: str) -> None:
    assert tuple(header(name)) == FIELDS


@pytest.mark.parametrize("name", NAMES)
def test_keys_agree_when_header_table_and_code_are_compared(name: str) -> None:
    listed = tuple(part.strip() for part in header(name)["KEYS"].split(","))
    used = {int(number) for number in re.findall(r"KEYS\[(\d+)\]", code(name))}

    assert listed == SCRIPT_KEYS[name]
    assert used <= set(range(1, len(listed) + 1))
    assert max(used) == len(listed)
    assert all(hasattr(RoomKeys, key) for key in listed)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_agree_when_header_and_code_are_compared(name: str) -> None:
    text = re.sub(r"\([^)]*\)", "", header(name)["ARGV"]).strip()
    listed = [part for part in text.split(",") if part.strip()]
    used = {int(number) for number in re.findall(r"ARGV\[(\d+)\]", code(name))}

    assert max(used, default=0) <= len(listed)
    assert "then" in text or len(used) == len(listed)


@pytest.mark.parametrize("name", NAMES)
def test_codes_agree_when_header_code_and_outcomes_are_compared(name: str) -> None:
    listed = set(re.findall(r"\{([A-Z]+)", header(name)["RETURNS"]))
    used = set(re.findall(r"(?:return|local answer =) \{'([A-Z]+)'", code(name)))
    used |= set(re.findall(r"(?:and|or) '([A-Z]{3,})'", code(name)))

    assert used == listed
    assert listed <= set(Outcome)

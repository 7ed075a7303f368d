"""The letters of seat statuses: Lua and the pages cannot import the enum, so they are compared with it."""

import re
from pathlib import Path

import pytest

import reservations
from domain.seat_status import BLOCKED, BOOKED, FREE, HELD, STATUS_OF_CLAIM, SeatStatus, status_name
from domain.states import ClaimState
from schema.enums import SeatStatus as PublicStatus

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((Path(reservations.__file__).parent / "lua").glob("*.lua"))


def test_letter_belongs_to_one_status_when_all_are_listed() -> None:
    assert {status.name: status.value for status in SeatStatus} == {
        "AVAILABLE": "A",
        "HELD": "H",
        "BOOKED": "B",
        "BLOCKED": "X",
    }
    assert [FREE, HELD, BOOKED, BLOCKED] == [b"A", b"H", b"B", b"X"]


def test_names_are_those_of_the_schema_when_compared() -> None:
    assert [status.name for status in SeatStatus] == [status.value for status in PublicStatus]
    assert [status_name(status) for status in SeatStatus] == [status.name for status in SeatStatus]
    assert [status_name(ord(status)) for status in SeatStatus] == [status.name for status in SeatStatus]


def test_live_claim_has_a_status_of_its_own_name() -> None:
    assert {claim: status.name for claim, status in STATUS_OF_CLAIM.items()} == {
        claim: claim.value for claim in ClaimState if claim is not ClaimState.ENDED
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_lua_uses_letters_of_statuses_only(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", text)

    assert set(re.findall(r"'([A-Z])'", code)) <= set(SeatStatus)
    assert {int(byte) for byte in re.findall(r"string\.byte\([^)]*\) [~=]= (\d+)", code)} <= {FREE[0]}
    for legend in re.findall(r"a byte a place: (.*)", text):
        assert dict(part.split()[::-1] for part in legend.split(", ")) == {
            "free": "A",
            "held": "H",
            "booked": "B",
            "blocked": "X",
        }


def test_pages_have_the_same_bytes_when_compared() -> None:
    text = (ROOT / "web/scripts/map/statuses.js").read_text(encoding="utf-8")
    constants = {name: int(byte) for name, byte in re.findall(r"export const ([A-Z]+) = (\d+);", text)}
    letters = re.search(r"const LETTERS = \{ (.*) \};", text)
    assert letters is not None
    pairs = [part.partition(": ")[::2] for part in letters.group(1).split(", ")]

    assert {name: constants[constant or name] for name, constant in pairs} == {
        status.name: ord(status) for status in SeatStatus
    }

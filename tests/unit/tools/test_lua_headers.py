"""The rule on Lua headers: each kind of disagreement is found."""

from pathlib import Path

import pytest

from tests.unit.tools.planting import plant
from tools.lint.lua_headers import findings

GOOD = """-- PROMISE
--   Adds an amount to a counter.
-- KEYS
--   1 counter     INTEGER: the sum
-- ARGV
--   1 limit       amount
--   2.. amounts   numbers
-- RETURNS {code, sum}
--   ADDED         the sum
--   OVER          the sum, unchanged
-- TTL
--   none
-- COST
--   O(amounts)
-- include: shared/total.lua

for index = 2, #ARGV do add(KEYS[1], ARGV[index]) end
if total > tonumber(ARGV[1]) then return {'OVER', total} end
return {'ADDED', total}
"""
ENUM = 'from enum import StrEnum\n\n\nclass Outcome(StrEnum):\n    ADDED = "ADDED"\n    OVER = "OVER"\n'


def found(root: Path, script: str) -> list[str]:
    plant(
        root,
        {
            "counting/lua/add.lua": script,
            "counting/lua/shared/total.lua": "local total = 0\n",
            "counting/outcomes.py": ENUM,
        },
    )
    assert all(each.path == Path("counting/lua/add.lua") for each in findings(root))
    return [each.message for each in findings(root)]


def test_nothing_is_found_when_header_and_code_agree(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == []


FAULTS = {
    "a field is missing": ("-- TTL\n--   none\n", "", "the header has the fields PROMISE, KEYS, ARGV"),
    "a field is empty": ("--   O(amounts)\n", "", "COST is empty"),
    "a key is not used": ("-- ARGV\n", "--   2 other       HASH: x\n-- ARGV\n", "the header has KEYS [1, 2]"),
    "a number is left out": ("--   2.. amounts", "--   3.. amounts", "ARGV are numbered (1, 3)"),
    "an argument is not named": ("tonumber(ARGV[1])", "tonumber(ARGV[3])", "the header has ARGV [1, 2]"),
    "a code is not named": (
        "--   OVER          the sum, unchanged\n",
        "",
        "header has the codes ['ADDED']",
    ),
    "a code is never returned": (
        "{'OVER', total}",
        "{'ADDED', total}",
        "'OVER'], the code returns ['ADDED']",
    ),
    "a code is not in the enum": ("'OVER'", "'MORE'", "the code returns ['ADDED', 'MORE']"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_when_it_is_planted(tmp_path: Path, fault: str) -> None:
    before, after, message = FAULTS[fault]
    assert GOOD.count(before) == 1

    assert any(message in each for each in found(tmp_path, GOOD.replace(before, after)))


def test_key_of_a_fragment_is_found_when_the_header_lacks_it(tmp_path: Path) -> None:
    found(tmp_path, GOOD)
    plant(tmp_path, {"counting/lua/shared/total.lua": "local total = redis.call('GET', KEYS[2])\n"})

    assert [each.message for each in findings(tmp_path)] == ["the header has KEYS [1], the code uses [1, 2]"]


def test_code_is_found_when_the_enum_lacks_it(tmp_path: Path) -> None:
    script = GOOD.replace("OVER ", "MORE ").replace("'OVER'", "'MORE'")

    assert found(tmp_path, script) == ["outcomes.py has no MORE"]

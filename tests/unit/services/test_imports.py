"""`boxoffice import plan`: what it says of a plan, and of what is none."""

from pathlib import Path

import orjson
import pytest

from domain.errors import InvalidInput
from services.catalogue.demo.seating_plans import arena
from services.catalogue.import_files import describe_plan, read_plan


def test_seats_are_counted_by_category_when_a_plan_is_read(tmp_path: Path) -> None:
    file = tmp_path / "arena.json"
    file.write_bytes(orjson.dumps(arena()))

    lines = describe_plan(read_plan(file)[0]).splitlines()

    assert lines[0] == "Arena: 17760 seats, 5200 by 4400 units."
    assert lines[1] == "  section Block 101: 320 seats"
    assert lines[-2:] == ["  category Wheelchair: 24 seats", "  category Floor standing: no seats"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "name: is missing (a string is expected)."),
        (b"not a plan", "The plan is not JSON"),
        (b" " * 40_000_001, "plan.json is larger than 40 MB."),
    ],
)
def test_file_is_refused_when_it_holds_no_plan(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_plan(file)
    assert caught.value.message.startswith(message)


def test_file_is_refused_when_it_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.json cannot be read: No such file"):
        read_plan(tmp_path / "gone.json")

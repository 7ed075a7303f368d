"""A header that is not true is worse than none: each is held against its code, caller and outcomes."""

import re
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest

from reservations.outcomes import Candidate, Correction, Outcome, Truth
from reservations.store import LUA, SeatStore

EVENT, HOLD = UUID(int=1), UUID(int=2)
NAMES = sorted(path.stem for path in LUA.glob("*.lua"))


def header(name: str) -> str:
    lines = (LUA / f"{name}.lua").read_text().splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:end])


def code(name: str) -> str:
    lines = (LUA / f"{name}.lua").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def listed(name: str, field: str, following: str) -> list[str]:
    part = header(name).split(f"\n{field}\n")[1].split(f"\n{following}")[0]
    return re.findall(r"^ {2}(\d+)(?:\.\.)? ", part, flags=re.M)


class Recorder:
    """A runner that notes how each script is called, and answers as if it had nothing to do."""

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}
        self.arguments: dict[str, int] = {}
        self.names: dict[str, str] = {}

    async def run(self, *command: Any) -> Any:
        name, count = self.names[command[1]], command[2]
        self.keys[name] = count
        self.arguments[name] = len(command) - 3 - count
        if name == "snapshot":
            return [b"READ", 1, b"A", b"epoch"]
        return [b"NOTHING", 0, b""]

    async def servers(self) -> list["Recorder"]:
        return [self]


async def no_truth(_: UUID) -> Truth:
    return Truth(b"A", (), 0)


@pytest.mark.parametrize("name", NAMES)
def test_header_says_everything_when_read(name: str) -> None:
    text = header(name)

    assert text.split("\n")[0].endswith(".") or text.split("\n\n")[0].rstrip().endswith(".")
    positions = [text.index(f"\n{field}") for field in ("KEYS", "ARGV", "RETURNS", "TTL:", "COST:")]
    assert positions == sorted(positions)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_agree_when_header_and_code_are_compared(name: str) -> None:
    for field, following in (("KEYS", "ARGV"), ("ARGV", "RETURNS")):
        numbers = [int(number) for number in listed(name, field, following)]
        used = {int(number) for number in re.findall(rf"{field}\[(\d+)\]", code(name))}
        used |= {int(number) for number in re.findall(rf"for index = (\d+), #{field}", code(name))}

        assert numbers == list(range(1, len(numbers) + 1))
        assert max(used) == len(numbers)
        assert used == set(numbers)


@pytest.mark.parametrize("name", NAMES)
def test_codes_agree_when_header_code_and_outcomes_are_compared(name: str) -> None:
    promised = set(re.findall(r"^ {2}([A-Z]{4,})", header(name).split("\nRETURNS")[1], flags=re.M))
    returned = set(re.findall(r"(?:return \{|refused\(|and |or |code = )'([A-Z]{4,})'", code(name)))

    assert returned == promised
    assert promised <= set(Outcome)


CALLS: dict[str, Callable[[SeatStore], Coroutine[Any, Any, Any]]] = {
    "hold": lambda store: store.hold(EVENT, HOLD, [Candidate((1,), ((0, 3),))], 1, orphan_rule=True),
    "turn": lambda store: store.book(EVENT, HOLD),
    "lapse": lambda store: store.lapse(EVENT),
    "block": lambda store: store.block(EVENT, [1], blocked=True),
    "extend": lambda store: store.extend(EVENT, HOLD, None),
    "build": lambda store: store.build(EVENT),
    "correct": lambda store: store.correct(EVENT, [Correction(1, "A", "", "B", "h", None)]),
    "snapshot": lambda store: store.snapshot(EVENT),
}


@pytest.mark.parametrize("name", NAMES)
async def test_caller_passes_what_the_header_says(name: str) -> None:
    recorder = Recorder()
    store = SeatStore(recorder, no_truth)
    recorder.names = {script.digest: script.name for script in store._scripts.values()}

    try:
        await CALLS[name](store)
    except ValueError:
        assert name == "hold", "only hold has no use for NOTHING"

    assert recorder.keys[name] == len(listed(name, "KEYS", "ARGV"))
    open_ended = re.search(r"^ {2}(\d+)\.\. ", header(name).split("\nARGV")[1], flags=re.M)
    fixed = len(listed(name, "ARGV", "RETURNS"))
    if open_ended:
        assert recorder.arguments[name] >= int(open_ended.group(1)) - 1
    else:
        assert recorder.arguments[name] == fixed

"""The Python callers of every Lua script: they pass the keys and the arguments that its header names."""

import ast
import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn
from uuid import UUID

import pytest

import pubsub.keys
import pubsub.scripts
import reservations.keys
import reservations.scripts
import waiting_room.keys
import waiting_room.scripts
from domain.waiting_room import WaitingRoomSettings
from kit.lua import CommandRunner, LuaScript
from pubsub.budgets import Budgets
from pubsub.document_store import RedisDocuments
from reservations.outcomes import Candidate, Correction, HoldAnswer, Outcome, SeatSource
from reservations.store import SeatStore
from tools.lint.lua_headers import Header, outcomes, read_header
from waiting_room.store import Restored, WaitingRoomStore

EVENT, USER = UUID(int=1), UUID(int=2)
TYPES = ("STRING", "INTEGER", "HASH", "LIST", "SORTED SET", "STREAM", "CHANNEL")
Call = Callable[[CommandRunner], Awaitable[object]]


@dataclass(frozen=True)
class Room:
    scripts: ModuleType
    keys: ModuleType
    calls: dict[str, Call]


async def one_hold(_: UUID) -> SeatSource:
    return SeatSource(b"A", (), 0)


def seats(runner: CommandRunner) -> SeatStore:
    return SeatStore(runner, one_hold)


def waiting(runner: CommandRunner) -> WaitingRoomStore:
    return WaitingRoomStore(runner)


CANDIDATES = [Candidate((1,), ((0, 3),))]
REFUSED = HoldAnswer(Outcome.TAKEN, 0, (1,))
CORRECTIONS = [Correction(1, "A", "", "B", "h", None)]
SETTINGS = WaitingRoomSettings(enabled=True)
PEOPLE = [Restored(USER, "W", 1, "", 0)]
ROOMS = {
    "reservations": Room(
        reservations.scripts,
        reservations.keys,
        {
            "hold": lambda runner: seats(runner).hold(EVENT, USER, CANDIDATES, 1, orphan_rule=True),
            "set_state": lambda runner: seats(runner).book(EVENT, USER),
            "extend": lambda runner: seats(runner).extend(EVENT, USER, None),
            "lapse": lambda runner: seats(runner).lapse(EVENT),
            "block": lambda runner: seats(runner).block(EVENT, [1], blocked=True),
            "correct": lambda runner: seats(runner).correct(EVENT, CORRECTIONS),
            "build": lambda runner: seats(runner).build(EVENT),
            "refuse": lambda runner: seats(runner).refuse(EVENT, USER, REFUSED, "request"),
            "retire": lambda runner: seats(runner).retire(EVENT),
            "snapshot": lambda runner: seats(runner).snapshot(EVENT),
        },
    ),
    "waiting_room": Room(
        waiting_room.scripts,
        waiting_room.keys,
        {
            "join": lambda runner: waiting(runner).join(EVENT, USER, [1], network="::1", cost=1),
            "entry": lambda runner: waiting(runner).standing(EVENT, USER),
            "end": lambda runner: waiting(runner).leave(EVENT, USER),
            "away": lambda runner: waiting(runner).mark_away(EVENT, [USER]),
            "check": lambda runner: waiting(runner).check(EVENT, USER, "nonce"),
            "open": lambda runner: waiting(runner).configure(
                EVENT, SETTINGS, on_sale_at=None, selling=True, version=1
            ),
            "admit": lambda runner: waiting(runner).tick(EVENT),
            "confirm": lambda runner: waiting(runner).confirm(EVENT, 1, through="", admitted=0),
            "close": lambda runner: waiting(runner).close(EVENT),
            "restore": lambda runner: waiting(runner).restore(EVENT, 1, PEOPLE),
            "reopen": lambda runner: waiting(runner).reopen(EVENT, 1, drawn_ms=0),
        },
    ),
    "pubsub": Room(
        pubsub.scripts,
        pubsub.keys,
        {
            "register_document": lambda runner: RedisDocuments(runner).put("hash", "text"),
            "recall_document": lambda runner: RedisDocuments(runner).get("hash"),
            "spend": lambda runner: Budgets(runner).spend("ann", 1, 2),
        },
    ),
}
EVERY_SCRIPT = [(room, name) for room in ROOMS for name in ROOMS[room].scripts.SCRIPT_KEYS]


class EventDocument(Exception):
    """Carries one command out of the caller."""


class Recorder:
    """A runner that raises the first command, so that nothing is answered."""

    async def run(self, *command: Any) -> NoReturn:
        raise EventDocument(*command)

    async def servers(self) -> list[CommandRunner]:
        return [self]


def folder(room: str) -> Path:
    return Path(ROOMS[room].scripts.FOLDER)


def header(room: str, name: str) -> Header:
    return read_header((folder(room) / f"{name}.lua").read_text(encoding="utf-8"))


def described_keys(module: ModuleType) -> dict[str, str]:
    """The docstring of every key of a keys.py, by the key's name."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    found = {}
    for body in bodies:
        for node, following in itertools.pairwise(body):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(following, ast.Expr):
                continue
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            found[ast.unparse(target).lower()] = ast.literal_eval(following.value)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.endswith(("_key", "_channel")):
            found[node.name.removesuffix("_key")] = ast.get_docstring(node) or ""
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_table_names_every_script_when_the_folder_is_listed(room: str) -> None:
    assert {path.stem for path in folder(room).glob("*.lua")} == set(ROOMS[room].scripts.SCRIPT_KEYS)
    assert set(ROOMS[room].calls) == set(ROOMS[room].scripts.SCRIPT_KEYS)


@pytest.mark.parametrize(("room", "name"), EVERY_SCRIPT)
def test_keys_agree_when_header_table_and_keys_module_are_compared(room: str, name: str) -> None:
    described = described_keys(ROOMS[room].keys)
    types = [described[key].partition(":")[0] for key in header(room, name).keys]

    assert header(room, name).keys == ROOMS[room].scripts.SCRIPT_KEYS[name]
    assert list(header(room, name).key_types) == types


@pytest.mark.parametrize(("room", "name"), EVERY_SCRIPT)
async def test_caller_passes_what_the_header_names(room: str, name: str) -> None:
    with pytest.raises(EventDocument) as recorded:
        await ROOMS[room].calls[name](Recorder())

    verb, digest, key_count, *rest = recorded.value.args
    script: LuaScript = ROOMS[room].scripts.SCRIPTS[name]
    expected = len(header(room, name).arguments)
    assert (verb, digest, key_count) == ("EVALSHA", script.digest, len(header(room, name).keys))
    passed = len(rest) - key_count
    assert passed == expected or (header(room, name).repeats and passed >= expected - 1)


@pytest.mark.parametrize("room", ROOMS)
def test_every_outcome_is_returned_by_some_script(room: str) -> None:
    codes = {code for name in ROOMS[room].scripts.SCRIPT_KEYS for code in header(room, name).codes}

    assert codes == outcomes(folder(room).parent / "outcomes.py")


@pytest.mark.parametrize("room", ROOMS)
def test_key_says_type_lifetime_and_owner_when_it_is_defined(room: str) -> None:
    for name, text in described_keys(ROOMS[room].keys).items():
        flat = " ".join(text.split())

        assert re.match(rf"(?:{'|'.join(TYPES)}): .+ Lifetime: .+ Owner: .+\.", flat), name


def test_fragment_is_part_of_the_script_when_it_is_included(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "answer.lua").write_text("local function answer() return 42 end\n")
    (tmp_path / "ask.lua").write_text("-- include: shared/answer.lua\nreturn answer()\n")

    script = LuaScript.load(tmp_path / "ask.lua")

    assert (script.name, script.text) == ("ask", "local function answer() return 42 end\nreturn answer()\n")

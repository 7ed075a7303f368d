"""The store of holds: every action on an event's places, each one atomic script."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from redis.exceptions import RedisError

from domain.errors import Unavailable
from domain.seat_status import SeatStatus
from kit.clock import Clock, milliseconds, utc_now
from kit.lua import Argument, CommandRunner, LuaScript
from reservations.keys import (
    DEADLINES_PATTERN,
    META_PATTERN,
    SERVER_RUNS,
    EventKeys,
    event_id_of,
    event_keys,
)
from reservations.outcomes import (
    Candidate,
    Correction,
    Delta,
    FreeRange,
    HoldAnswer,
    Outcome,
    SeatSnapshot,
    Truth,
)

LUA = Path(__file__).parent / "lua"
# A client that was away for this many changes gets a snapshot instead.
DELTAS_KEPT = 4096
_SNAPSHOTS_CACHED = 512

Answer = TypeVar("Answer")
LoadTruth = Callable[[UUID], Awaitable[Truth]]


class SeatStore:
    """Places of events in Redis, rebuilt from PostgreSQL wherever they are missing.

    Every method raises `Unavailable` while Redis is away.
    """

    def __init__(self, runner: CommandRunner, load_truth: LoadTruth, clock: Clock = utc_now) -> None:
        self._runner = runner
        self._load_truth = load_truth
        self._clock = clock
        self._scripts = {path.stem: LuaScript.load(path) for path in sorted(LUA.glob("*.lua"))}
        self._builds: dict[UUID, asyncio.Task[None]] = {}
        self._recent: OrderedDict[UUID, tuple[float, SeatSnapshot]] = OrderedDict()

    async def hold(
        self,
        event_id: UUID,
        hold_id: UUID,
        wish: Sequence[Candidate] | FreeRange,
        deadline_ms: int,
        *,
        orphan_rule: bool,
    ) -> HoldAnswer:
        """Hold the first candidate that is free, all of it or nothing; the same hold id holds once."""
        keys = event_keys(event_id)
        free_range, candidates = _as_arguments(wish)
        for _ in range(3):
            code, version, places = await self._run(
                "hold",
                [keys.places, keys.meta, keys.claims, keys.deadlines, keys.deltas],
                [
                    str(hold_id),
                    self._now_ms(),
                    deadline_ms,
                    keys.channel,
                    DELTAS_KEPT,
                    int(orphan_rule),
                    free_range,
                    *candidates,
                ],
            )
            outcome = Outcome(code)
            if outcome is Outcome.MISSING:
                await self.build(event_id)
            elif outcome is Outcome.LAPSED:
                await self.lapse(event_id)
            else:
                return HoldAnswer(outcome, version, _places(places))
        return HoldAnswer(Outcome.TAKEN, 0, ())

    async def book(self, event_id: UUID, hold_id: UUID) -> Outcome:
        """Turn a hold's places to booked; NOTHING where they are, or the hold is not there."""
        return await self._turn(event_id, hold_id, SeatStatus.BOOKED, ())

    async def give_back(self, event_id: UUID, hold_id: UUID, places: Sequence[int] = ()) -> None:
        """Free a hold's places, or some of them."""
        await self._turn(event_id, hold_id, SeatStatus.AVAILABLE, places)

    async def _turn(self, event_id: UUID, hold_id: UUID, state: str, places: Sequence[int]) -> Outcome:
        keys = event_keys(event_id)
        code, _, _ = await self._run(
            "turn",
            [keys.places, keys.meta, keys.claims, keys.deadlines, keys.deltas],
            [str(hold_id), state, keys.channel, DELTAS_KEPT, _listed(places)],
        )
        return Outcome(code)

    async def extend(self, event_id: UUID, hold_id: UUID, deadline_ms: int | None) -> Outcome:
        """Move a hold's deadline; None leaves its end to PostgreSQL alone.

        NOTHING where it has this deadline, or the hold is not there.
        """
        keys = event_keys(event_id)
        deadline = "+inf" if deadline_ms is None else deadline_ms
        code, _, _ = await self._run("extend", [keys.meta, keys.deadlines], [str(hold_id), deadline])
        return Outcome(code)

    async def block(self, event_id: UUID, places: Sequence[int], *, blocked: bool) -> HoldAnswer:
        """Take free places out of the sale, or put them back; TAKEN names those held or booked."""
        keys = event_keys(event_id)
        seen, state = SeatStatus.AVAILABLE, SeatStatus.BLOCKED
        if not blocked:
            seen, state = state, seen
        for _ in range(2):
            code, version, answer = await self._run(
                "block",
                [keys.places, keys.meta, keys.deltas],
                [_listed(places), seen, state, keys.channel, DELTAS_KEPT],
            )
            if code != Outcome.MISSING:
                # An organiser reads what they wrote; buyers are too many for that.
                self._recent.pop(event_id, None)
                return HoldAnswer(Outcome(code), version, _places(answer))
            await self.build(event_id)
        return HoldAnswer(Outcome.MISSING, 0, ())

    async def lapse(self, event_id: UUID, most: int = 200) -> tuple[str, ...]:
        """End the holds that are past their deadline; returns their ids."""
        keys = event_keys(event_id)
        _, _, holds = await self._run(
            "lapse",
            [keys.places, keys.meta, keys.claims, keys.deadlines, keys.deltas],
            [self._now_ms(), most, keys.channel, DELTAS_KEPT],
        )
        return tuple(holds.split(",")) if holds else ()

    async def correct(self, event_id: UUID, corrections: Sequence[Correction]) -> int:
        """Set places right that differ from PostgreSQL; returns how many were."""
        keys = event_keys(event_id)
        arguments: list[Argument] = [keys.channel, DELTAS_KEPT]
        for item in corrections:
            deadline = "" if item.deadline_ms is None else item.deadline_ms
            arguments += [item.place, item.seen, item.seen_hold, item.state, item.hold, deadline]
        _, _, turned = await self._run(
            "correct",
            [keys.places, keys.meta, keys.claims, keys.deadlines, keys.deltas],
            arguments,
        )
        return len(_places(turned))

    async def snapshot(self, event_id: UUID) -> SeatSnapshot:
        """The places now, lapsed holds ended."""
        keys = event_keys(event_id)
        for _ in range(8):
            code, version, places, epoch = await self._ask(
                "snapshot", [keys.places, keys.meta, keys.deadlines], [self._now_ms()]
            )
            outcome = Outcome(code.decode())
            if outcome is Outcome.MISSING:
                await self.build(event_id)
            elif outcome is Outcome.LAPSED:
                await self.lapse(event_id)
            else:
                snapshot = SeatSnapshot(epoch.decode(), version, places)
                self._remember(event_id, snapshot)
                return snapshot
        raise Unavailable

    async def read(self, event_ids: Iterable[UUID], max_age_seconds: float = 1.0) -> dict[UUID, SeatSnapshot]:
        """The places of many events, each at most `max_age_seconds` old; absent where Redis has none yet.

        An event that nobody has touched is not built for a listing: the caller counts it from PostgreSQL.
        """
        wanted = list(dict.fromkeys(event_ids))
        found = {
            event_id: snapshot
            for event_id in wanted
            if (snapshot := self.recent(event_id, max_age_seconds)) is not None
        }
        missing = [event_id for event_id in wanted if event_id not in found]
        if not missing:
            return found
        answers = await asyncio.gather(*map(self._peek, missing))
        found.update({key: value for key, value in zip(missing, answers, strict=True) if value})
        return found

    def recent(self, event_id: UUID, max_age_seconds: float) -> SeatSnapshot | None:
        """What this process has read of an event, if it is at most so old."""
        entry = self._recent.get(event_id)
        return entry[1] if entry and entry[0] >= time.monotonic() - max_age_seconds else None

    async def _peek(self, event_id: UUID) -> SeatSnapshot | None:
        keys = event_keys(event_id)
        epoch, version = await self._command("HMGET", keys.meta, "epoch", "version")
        if epoch is None:
            return None
        entry = self._recent.get(event_id)
        if entry and (entry[1].epoch, entry[1].version) == (epoch.decode(), int(version)):
            self._remember(event_id, entry[1])
            return entry[1]
        return await self.snapshot(event_id)

    def _remember(self, event_id: UUID, snapshot: SeatSnapshot) -> None:
        self._recent[event_id] = (time.monotonic(), snapshot)
        self._recent.move_to_end(event_id)
        if len(self._recent) > _SNAPSHOTS_CACHED:
            self._recent.popitem(last=False)

    async def deltas_since(self, event_id: UUID, version: int) -> list[Delta] | None:
        """The changes after `version`, in order; None where they are no longer all there."""
        keys = event_keys(event_id)
        current, entries = await asyncio.gather(
            self._command("HGET", keys.meta, "version"),
            self._command("XRANGE", keys.deltas, f"{version + 1}-0", "+"),
        )
        if current is None or int(current) < version:
            return None
        deltas = [_delta(entry) for entry in entries]
        expected = range(version + 1, version + 1 + len(deltas))
        complete = version + len(deltas) >= int(current)
        if not complete or any(d.version != v for d, v in zip(deltas, expected, strict=True)):
            return None
        return deltas

    async def version(self, event_id: UUID) -> tuple[str, int] | None:
        """The epoch and the version; None where Redis has no such event."""
        epoch, version = await self._command("HMGET", event_keys(event_id).meta, "epoch", "version")
        return None if epoch is None else (epoch.decode(), int(version))

    async def holds(self, event_id: UUID) -> dict[str, tuple[int, ...]]:
        """Every hold and booking that Redis knows, with its places."""
        answer = await self._command("HGETALL", event_keys(event_id).claims)
        pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
        return {hold.decode(): _places(listed.decode()) for hold, listed in pairs}

    async def events_with_holds(self) -> list[UUID]:
        """The events that have a hold with a deadline, on the servers that answer."""
        return await self._events(DEADLINES_PATTERN)

    async def events_built(self) -> list[UUID]:
        """The events that are in Redis, on the servers that answer."""
        return await self._events(META_PATTERN)

    async def _events(self, pattern: str, *, all_must_answer: bool = False) -> list[UUID]:
        answers = await asyncio.gather(
            *(_scan(server, pattern) for server in await self._servers()), return_exceptions=True
        )
        found = [keys for keys in answers if not isinstance(keys, BaseException)]
        for failure in answers:
            if isinstance(failure, BaseException) and (all_must_answer or not found):
                raise failure
        return [event_id_of(key) for key in dict.fromkeys(key for keys in found for key in keys)]

    async def new_server_runs(self) -> str | None:
        """The run ids of the servers, if they are not those that built what is here."""
        servers = await self._servers()
        *infos, known = await asyncio.gather(
            *(_answer(server.run("INFO", "server")) for server in servers), self._command("GET", SERVER_RUNS)
        )
        runs = " ".join(sorted(map(_run_id, infos)))
        return None if known is not None and known.decode() == runs else runs

    async def built_elsewhere(self, runs: str) -> list[UUID]:
        """The events that were built under other server runs: their latest writes may be lost."""
        events = await self._events(META_PATTERN, all_must_answer=True)
        built = await asyncio.gather(
            *(self._command("HGET", event_keys(event_id).meta, "run") for event_id in events)
        )
        known = {run.encode() for run in runs.split()}
        return [event_id for event_id, run in zip(events, built, strict=True) if run not in known]

    async def remember_server_runs(self, runs: str) -> None:
        """Note that everything here was built under these server runs."""
        await self._command("SET", SERVER_RUNS, runs)

    async def _servers(self) -> Sequence[CommandRunner]:
        return await _answer(self._runner.servers())

    async def build(self, event_id: UUID, *, replacing: str = "") -> None:
        """Put the event's places into Redis from PostgreSQL; concurrent callers share one build."""
        task = self._builds.get(event_id)
        if task is None:
            task = asyncio.create_task(self._build(event_id, replacing))
            self._builds[event_id] = task
            task.add_done_callback(lambda _: self._builds.pop(event_id, None))
        await asyncio.shield(task)

    async def _build(self, event_id: UUID, replacing: str) -> None:
        truth = await self._load_truth(event_id)
        keys = event_keys(event_id)
        arguments: list[Argument] = [
            replacing,
            uuid4().hex,
            truth.first_version,
            truth.places,
            keys.channel,
        ]
        for hold in truth.holds:
            deadline: Argument = "" if hold.booked else "+inf"
            if hold.deadline_ms is not None:
                deadline = hold.deadline_ms
            arguments += [hold.hold_id, _listed(hold.places), deadline]
        await self._run("build", _build_keys(keys), arguments)

    async def _run(
        self, script: str, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> tuple[str, int, str]:
        code, version, text = await self._ask(script, keys, arguments)
        return code.decode(), int(version), text.decode()

    async def _ask(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        return await _answer(self._scripts[script](self._runner, keys, arguments))

    async def _command(self, *command: Argument) -> Any:
        return await _answer(self._runner.run(*command))

    def _now_ms(self) -> int:
        return milliseconds(self._clock())


async def _answer(asked: Awaitable[Answer]) -> Answer:
    """What Redis says. Raises: Unavailable."""
    try:
        return await asked
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable from error


async def _scan(server: CommandRunner, pattern: str) -> list[str]:
    found: list[str] = []
    cursor: Argument = 0
    while True:
        cursor, keys = await _answer(server.run("SCAN", cursor, "MATCH", pattern, "COUNT", 1000))
        found += (key.decode() for key in keys)
        if int(cursor) == 0:
            return found


def _build_keys(keys: EventKeys) -> list[str]:
    return [keys.places, keys.meta, keys.claims, keys.deadlines, keys.deltas]


def _as_arguments(wish: Sequence[Candidate] | FreeRange) -> tuple[str, list[str]]:
    if isinstance(wish, FreeRange):
        return f"{wish.first_place},{wish.capacity},{wish.quantity}", []
    return "", [
        f"{_listed(item.places)}|{','.join(f'{first}-{last}' for first, last in item.segments)}"
        for item in wish
    ]


def _listed(places: Sequence[int]) -> str:
    return ",".join(map(str, places))


def _places(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(","))) if text else ()


def _delta(entry: Any) -> Delta:
    identifier, fields = entry
    text = fields[b"d"] if isinstance(fields, dict) else fields[1]
    changes = tuple((part[:1], _places(part[1:])) for part in text.decode().split(";"))
    return Delta(int(identifier.split(b"-")[0]), changes)


def _run_id(info: Any) -> str:
    if isinstance(info, dict):
        return str(info["run_id"])
    lines = dict(line.split(":", 1) for line in info.decode().split("\r\n") if ":" in line)
    return str(lines["run_id"])

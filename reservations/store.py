"""The store of seat statuses: every action on an event's places is one atomic script."""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from domain.errors import Unavailable
from domain.seat_status import FREE, SeatStatus
from domain.ticket_limits import NO_LIMITS, TicketLimits
from kit.cache import Cache
from kit.clock import Clock, milliseconds, utc_now
from kit.lua import Argument, CommandRunner
from kit.shared_reads import SharedReads
from reservations.answers import (
    candidate_arguments,
    correction_arguments,
    delta_from,
    hold_arguments,
    listed,
    pairs_from,
    places_from,
)
from reservations.changed_events import ChangedEvents
from reservations.keys import (
    SERVER_RUNS,
    EventKeys,
    event_id_of,
    event_keys,
    refusal_key,
)
from reservations.outcomes import (
    Candidate,
    Correction,
    Delta,
    FreeRange,
    HoldAnswer,
    Outcome,
    SeatSnapshot,
    SeatSource,
)
from reservations.scripts import SCRIPT_KEYS, SCRIPTS
from reservations.servers import answer_of, events_on, foreign_events, state_of

# A client that missed more changes than this gets a snapshot instead.
DELTAS_KEPT = 4096
_SNAPSHOTS_CACHED = 512
REFUSED_MS = 1_000
"""The difference between two requests that count as simultaneous"""

LoadSeatSource = Callable[[UUID], Awaitable[SeatSource]]


class SeatStore:
    """The seat statuses of events in Redis; an event that is missing there is rebuilt from PostgreSQL.

    Every method raises `Unavailable` while Redis does not answer.
    """

    def __init__(
        self, runner: CommandRunner, load_seat_source: LoadSeatSource, clock: Clock = utc_now
    ) -> None:
        self._runner = runner
        self._load_seat_source = load_seat_source
        self._clock = clock
        self._scripts = dict(SCRIPTS)
        self._builds: dict[UUID, asyncio.Task[None]] = {}
        self._known_servers = ""
        self.changed = ChangedEvents(runner, clock)
        """Which events' places have changed lately"""
        self._snapshots: Cache[UUID, SeatSnapshot] = Cache(max_entries=_SNAPSHOTS_CACHED)
        self._reads = SharedReads(self._read)

    async def hold(
        self,
        event_id: UUID,
        hold_id: UUID,
        candidates: Sequence[Candidate] | FreeRange,
        deadline_ms: int,
        *,
        orphan_rule: bool,
        limits: TicketLimits = NO_LIMITS,
        request: str = "",
    ) -> HoldAnswer:
        """Hold the first candidate that is free, all of it or nothing; the same hold id holds once.

        Args:
            deadline_ms: when the hold lapses, in Unix milliseconds.
            orphan_rule: skip candidates that leave a single free seat where that can be avoided.
            limits: what the buyer and the network may have, and whose holds these are.
            request: what simultaneous requests with one idempotency key and input have in common, if any.
        """
        places = candidate_arguments(candidates, limits)
        for _ in range(3):
            now_ms = self._now_ms()
            answer = await self._change(
                "hold",
                event_id,
                str(hold_id),
                now_ms,
                deadline_ms,
                int(orphan_rule),
                *places,
                request=request,
            )
            if answer.outcome is Outcome.MISSING:
                await self.build(event_id)
            elif answer.outcome is Outcome.LAPSED:
                await self.lapse(event_id)
            else:
                return answer
        return HoldAnswer(Outcome.TAKEN, 0, ())

    async def refuse(self, event_id: UUID, hold_id: UUID, answer: HoldAnswer, request: str) -> HoldAnswer:
        """Refuse a request and those that are simultaneous; REPLAY where one of them holds places."""
        given = (str(hold_id), answer.outcome, listed(answer.places), REFUSED_MS)
        keys = event_keys(event_id)
        code, _, places = await self._script("refuse", keys, *given, request=request)
        if Outcome(code.decode()) is not Outcome.REPLAY:
            return answer
        return HoldAnswer(Outcome.REPLAY, 0, places_from(places.decode()))

    async def book(self, event_id: UUID, hold_id: UUID) -> Outcome:
        """Book a hold's places; NOTHING where they are booked already, or the hold does not exist."""
        return await self._set_state(event_id, hold_id, SeatStatus.BOOKED, ())

    async def release(self, event_id: UUID, hold_id: UUID, places: Sequence[int] = ()) -> None:
        """Free some places of a hold; all of them where none are named."""
        await self._set_state(event_id, hold_id, SeatStatus.AVAILABLE, places)

    async def _set_state(
        self, event_id: UUID, hold_id: UUID, status: SeatStatus, places: Sequence[int]
    ) -> Outcome:
        answer = await self._change("set_state", event_id, str(hold_id), status, listed(places))
        return answer.outcome

    async def extend(self, event_id: UUID, hold_id: UUID, deadline_ms: int | None) -> Outcome:
        """Move a hold's deadline (Unix milliseconds); with None only PostgreSQL may end the hold.

        NOTHING where it has this deadline already, or the hold does not exist.
        """
        deadline = "+inf" if deadline_ms is None else deadline_ms
        self.changed.touch(event_id)
        code, _, _ = await self._script("extend", event_keys(event_id), str(hold_id), deadline)
        return Outcome(code.decode())

    async def block(self, event_id: UUID, places: Sequence[int], *, blocked: bool) -> HoldAnswer:
        """Take free places out of the sale, or put them back; TAKEN names those held or booked."""
        before, after = SeatStatus.AVAILABLE, SeatStatus.BLOCKED
        if not blocked:
            before, after = after, before
        for _ in range(2):
            answer = await self._change("block", event_id, listed(places), before, after)
            if answer.outcome is not Outcome.MISSING:
                # An organiser reads the own change at once; for buyers a second's age is good enough.
                self._snapshots.evict(event_id)
                return answer
            await self.build(event_id)
        return HoldAnswer(Outcome.MISSING, 0, ())

    async def lapse(self, event_id: UUID, most: int = 200) -> tuple[str, ...]:
        """End at most `most` holds that are past their deadline; returns their ids."""
        keys = event_keys(event_id)
        _, _, holds = await self._script("lapse", keys, keys.channel, DELTAS_KEPT, self._now_ms(), most)
        return tuple(holds.decode().split(",")) if holds else ()

    async def correct(self, event_id: UUID, corrections: Sequence[Correction]) -> int:
        """Set places to their state in PostgreSQL; returns how many changed their status."""
        answer = await self._change("correct", event_id, *correction_arguments(corrections))
        return len(answer.places)

    async def _change(
        self, script: str, event_id: UUID, *arguments: Argument, request: str = ""
    ) -> HoldAnswer:
        """Run a script that may publish a delta."""
        keys = event_keys(event_id)
        self.changed.touch(event_id)
        code, version, places = await self._script(
            script, keys, keys.channel, DELTAS_KEPT, *arguments, request=request
        )
        return HoldAnswer(Outcome(code.decode()), int(version), places_from(places.decode()))

    async def snapshot(self, event_id: UUID) -> SeatSnapshot:
        """The places now; holds past their deadline are ended first. Simultaneous readers share a read."""
        return await self._reads.get(event_id)

    async def snapshot_in_redis(self, event_id: UUID) -> SeatSnapshot:
        """The same as Redis has them, which may be damaged: for those who compare and repair."""
        self._snapshots.evict(event_id)
        return await self._read(event_id)

    async def _read(self, event_id: UUID) -> SeatSnapshot:
        keys = event_keys(event_id)
        for _ in range(8):
            known = self._snapshots.get(event_id)
            version_known = "" if known is None else f"{known.epoch}:{known.version}"
            code, version, places, epoch = await self._script("snapshot", keys, self._now_ms(), version_known)
            outcome = Outcome(code.decode())
            if outcome is Outcome.MISSING:
                await self.build(event_id)
            elif outcome is Outcome.LAPSED:
                await self.lapse(event_id)
            else:
                if known is None or outcome is not Outcome.UNCHANGED:
                    known = SeatSnapshot(epoch.decode(), version, places)
                self._snapshots.put(event_id, known)
                return known
        raise Unavailable

    async def read(self, event_ids: Iterable[UUID], max_age_seconds: float = 1.0) -> dict[UUID, SeatSnapshot]:
        """The places of many events, each at most `max_age_seconds` old; absent where Redis has none yet.

        A listing does not build an event that is missing: the caller counts its places in PostgreSQL.
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
        answers = await asyncio.gather(*map(self._peek, missing), return_exceptions=True)
        failures = [each for each in answers if isinstance(each, BaseException)]
        if len(failures) == len(missing):
            raise failures[0]
        # The events of a cluster's dead node are absent; those of its other nodes are found.
        pairs = zip(missing, answers, strict=True)
        found.update({key: value for key, value in pairs if isinstance(value, SeatSnapshot)})
        return found

    def recent(self, event_id: UUID, max_age_seconds: float) -> SeatSnapshot | None:
        """The latest snapshot that this process has read, if it is young enough."""
        return self._snapshots.get(event_id, max_age_seconds)

    async def _peek(self, event_id: UUID) -> SeatSnapshot | None:
        keys = event_keys(event_id)
        epoch, version = await self._command("HMGET", keys.meta, "epoch", "version")
        if epoch is None:
            return None
        known = self._snapshots.get(event_id)
        if known is not None and (known.epoch, known.version) == (epoch.decode(), int(version)):
            self._snapshots.put(event_id, known)
            return known
        return await self.snapshot(event_id)

    async def deltas_since(self, event_id: UUID, version: int) -> list[Delta] | None:
        """The changes after `version`, in order; None where the stream no longer has all of them."""
        keys = event_keys(event_id)
        current, entries = await asyncio.gather(
            self._command("HGET", keys.meta, "version"),
            self._command("XRANGE", keys.deltas, f"{version + 1}-0", "+"),
        )
        if current is None or int(current) < version:
            return None
        deltas = [delta_from(entry) for entry in entries]
        expected = range(version + 1, version + 1 + len(deltas))
        complete = version + len(deltas) >= int(current)
        if not complete or any(d.version != v for d, v in zip(deltas, expected, strict=True)):
            return None
        return deltas

    async def version(self, event_id: UUID) -> tuple[str, int] | None:
        """The epoch and the version; None where Redis has no such event."""
        epoch, version = await self._command("HMGET", event_keys(event_id).meta, "epoch", "version")
        return None if epoch is None else (epoch.decode(), int(version))

    async def are_free(self, event_id: UUID, places: Sequence[int]) -> bool:
        """Whether all of these few places are free now."""
        key = event_keys(event_id).places
        found = await asyncio.gather(*(self._command("GETRANGE", key, place, place) for place in places))
        return all(status == FREE for status in found)

    async def holds(self, event_id: UUID) -> dict[str, tuple[int, ...]]:
        """The places of every hold and booking in Redis, by hold id."""
        answer = await self._command("HGETALL", event_keys(event_id).claims)
        return {hold.decode(): places_from(places.decode()) for hold, places in pairs_from(answer)}

    async def retire(self, event_id: UUID) -> bool:
        """Delete an event that is over; False where a hold keeps it. Its next reader builds it anew."""
        self._snapshots.evict(event_id)
        code, _, _ = await self._script("retire", event_keys(event_id), self._now_ms())
        return Outcome(code.decode()) is Outcome.RETIRED

    async def events_built(self) -> list[UUID]:
        """The events that are in Redis, on the servers that answer.

        It looks at every key of every server: for the doctor only.
        """
        answers = await asyncio.gather(
            *(events_on(server) for server in await self._servers()), return_exceptions=True
        )
        found = [keys for keys in answers if not isinstance(keys, BaseException)]
        for failure in answers:
            if isinstance(failure, BaseException) and not found:
                raise failure
        return [event_id_of(key) for key in dict.fromkeys(key for keys in found for key in keys)]

    async def new_server_runs(self) -> str | None:
        """The runs and slots of the servers that answer, if they are not those remembered; else None."""
        found = await asyncio.gather(*map(state_of, await self._servers()), return_exceptions=True)
        states = sorted(state for state in found if isinstance(state, str))
        if not states:
            raise Unavailable
        state = hashlib.sha256(" ".join(states).encode()).hexdigest()
        if state == self._known_servers:
            return None
        with contextlib.suppress(Unavailable):  # the node of this one key is away
            known = await self._command("GET", SERVER_RUNS)
            if known is not None and known.decode() == state:
                self._known_servers = state
                return None
        return state

    async def built_elsewhere(self) -> list[UUID]:
        """The events that another run, or another server, has built than the one that they are on.

        Its copy of them may lack the latest writes: a server that started again, a replica that was promoted,
        or slots that have moved. Servers that do not answer are left out.
        """
        found = await asyncio.gather(*map(foreign_events, await self._servers()), return_exceptions=True)
        return [event_id_of(key) for keys in found if isinstance(keys, list) for key in keys]

    async def remember_server_runs(self, state: str) -> None:
        """Store that every event on the servers that answer was built by them."""
        self._known_servers = state
        with contextlib.suppress(Unavailable):
            await self._command("SET", SERVER_RUNS, state)

    async def _servers(self) -> Sequence[CommandRunner]:
        return await answer_of(self._runner.servers())

    async def build(self, event_id: UUID, *, replacing: str = "") -> None:
        """Build the event from PostgreSQL over the epoch `replacing`; simultaneous callers share a build."""
        task = self._builds.get(event_id)
        if task is None:
            task = asyncio.create_task(self._build(event_id, replacing))
            self._builds[event_id] = task
            task.add_done_callback(lambda _: self._builds.pop(event_id, None))
        await asyncio.shield(task)

    async def _build(self, event_id: UUID, replacing: str) -> None:
        source = await self._load_seat_source(event_id)
        keys = event_keys(event_id)
        await self._script(
            "build",
            keys,
            keys.channel,
            replacing,
            uuid4().hex,
            source.first_version,
            source.places,
            *hold_arguments(source.holds),
        )

    async def _script(self, name: str, keys: EventKeys, *arguments: Argument, request: str = "") -> Any:
        refusal = refusal_key(keys, request)
        names = [refusal if key == "refusal" else getattr(keys, key) for key in SCRIPT_KEYS[name]]
        return await answer_of(self._scripts[name](self._runner, names, arguments))

    async def _command(self, *command: Argument) -> Any:
        return await answer_of(self._runner.run(*command))

    def _now_ms(self) -> int:
        return milliseconds(self._clock())

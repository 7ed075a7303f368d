"""The store of waiting rooms: every action on the queue of an event is one atomic script."""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from domain.errors import Unavailable
from domain.waiting_room import LONGEST_PRE_QUEUE_SECONDS, WaitingRoomSettings
from kit.clock import milliseconds
from kit.lua import Argument, CommandRunner
from waiting_room.answers import change_from, joined_from, standing_from, state_from, tick_from
from waiting_room.keys import network_digest, network_key, waiting_room_keys
from waiting_room.outcomes import Change, Ending, Joined, Outcome, Standing, Tick, WaitingRoomState
from waiting_room.scripts import SCRIPT_KEYS, SCRIPTS

# The points of one network at once: 60 guests, or 240 accounts with a verified address.
SHARE_POINTS = 240
# A guest session costs nothing to make; an account with a verified address does.
GUEST_COST, ACCOUNT_COST = 4, 1
# 30 guests a minute join at once however many came before: a twentieth of the usual 600 admissions a minute.
POINT_INTERVAL_US = 500_000
# Arrivals are numbered in microseconds since 2020, as in lua/shared/server.lua.
ARRIVALS_SINCE_US = 1_577_836_800_000_000
# Further back than this, 1,800 guests beyond the share, a join is refused.
LONGEST_DELAY_US = 3_600_000_000
# The place of an account without an open tab stays for this long.
GRACE_MS = 300_000
# An admission is taken up within this time, or its holder is passed over.
CLAIM_SECONDS = 30
MOST_ADMISSIONS_A_TICK = 500
_RESTORED_AT_ONCE = 500
# Restored points outlive the pre-queue; `join` sets the exact time with the network's next account.
_NETWORKS_MS = (LONGEST_PRE_QUEUE_SECONDS + 86_400) * 1000
_AWAY = (RedisError, OSError, TimeoutError)
_STATE_FIELDS = (
    "ready enabled selling drawn_ms admitted ended lapsed per_minute max_active admission_ms on_sale_ms "
    "rate endings shopping_ms"
).split()


@dataclass(frozen=True, slots=True)
class Restored:
    """The state of a person in PostgreSQL: `state` is W, A, P, E, L or F, as in the journal."""

    user_id: UUID
    state: str
    place: int
    nonce: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class NetworkPoints:
    """What a network has taken: points before the draw, after it the arrival number of a whole share."""

    network: str
    value: int


class WaitingRoomStore:
    """The waiting rooms in Redis.

    Raises:
        Unavailable: Redis does not answer; for the methods of buyers also: it does not have the room, or the
            room is being rebuilt.
    """

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    async def _call(self, name: str, event_id: UUID, *arguments: Argument, network: str = "") -> list[Any]:
        keys = waiting_room_keys(event_id)
        names = [
            network_key(event_id, network_digest(network)) if key == "network" else getattr(keys, key)
            for key in SCRIPT_KEYS[name]
        ]
        try:
            answer: list[Any] = await SCRIPTS[name](self._runner, names, arguments)
        except _AWAY as error:
            raise Unavailable from error
        return [Outcome(answer[0].decode()), *answer[1:]]

    async def _run(self, *command: Argument) -> Any:
        try:
            return await self._runner.run(*command)
        except _AWAY as error:
            raise Unavailable from error

    # ------------------------------------------------------------ buyers

    async def join(
        self,
        event_id: UUID,
        user_id: UUID,
        places: Sequence[int],
        *,
        network: str = "",
        cost: int = 0,
        share: int = SHARE_POINTS,
    ) -> Joined:
        """Give the account its one place.

        Args:
            places: the place by weight class, used before the draw.
            network: that the account joins from.
            cost: points that it takes from the share of its network; 0 where the network does not count.
            share: points that a network has at once.

        Returns: OK, CLOSED or CROWDED; with OK the place is not durable until PostgreSQL has it.
        """
        limits = (cost, share, POINT_INTERVAL_US, LONGEST_DELAY_US, network_digest(network))
        answer = await self._call("join", event_id, user_id.bytes, *limits, *places, network=network)
        _present(answer)
        return joined_from(answer, network_digest(network), cost)

    async def standing(self, event_id: UUID, user_id: UUID) -> Standing:
        """The state of the account in the queue; the call counts as presence."""
        answer = await self._call("entry", event_id, user_id.bytes)
        _present(answer)
        return standing_from(answer)

    async def standings(self, event_id: UUID, user_ids: Iterable[UUID]) -> list[Standing]:
        """The states of several accounts, in one round trip."""
        return await asyncio.gather(*(self.standing(event_id, user_id) for user_id in user_ids))

    async def leave(self, event_id: UUID, user_id: UUID) -> bool:
        """End the place or the admission; False where there was none."""
        return await self._end(event_id, user_id, "", Ending.LEFT)

    async def finish(self, event_id: UUID, user_id: UUID, nonce: str) -> bool:
        """End the admission with this nonce after its booking; False where it was not live."""
        return bool(nonce) and await self._end(event_id, user_id, nonce, Ending.FINISHED)

    async def _end(self, event_id: UUID, user_id: UUID, nonce: str, ending: Ending) -> bool:
        answer = await self._call("end", event_id, user_id.bytes, nonce, ending.value)
        _present(answer)
        return bool(answer[1])

    async def mark_away(self, event_id: UUID, user_ids: Sequence[UUID], *, grace_ms: int = GRACE_MS) -> None:
        """Start the grace time of accounts whose last tab at this process was closed."""
        await self._call("away", event_id, grace_ms, *(user_id.bytes for user_id in user_ids))

    async def mark_present(self, event_id: UUID, user_ids: Sequence[UUID]) -> None:
        """Keep the places of accounts that have an open tab."""
        away = waiting_room_keys(event_id).away
        await self._run("ZREM", away, *(user_id.bytes for user_id in user_ids))

    async def check(self, event_id: UUID, user_id: UUID, nonce: str) -> tuple[Outcome, bool]:
        """ADMITTED, WAITING or NONE, and (unless admitted) whether the waiting room is enabled."""
        answer = await self._call("check", event_id, user_id.bytes, nonce)
        outcome = _present(answer)
        return outcome, outcome is not Outcome.ADMITTED and answer[1] == b"1"

    # ------------------------------------------------------------ the admission worker

    async def configure(
        self,
        event_id: UUID,
        settings: WaitingRoomSettings,
        *,
        on_sale_at: datetime | None,
        selling: bool,
        version: int,
    ) -> bool:
        """Store the settings; a `version` (Unix microseconds) before the known one changes nothing.

        Returns: False where the room must be rebuilt before use.
        """
        on_sale_ms = milliseconds(on_sale_at) if on_sale_at else 0
        opens_ms = max(0, on_sale_ms - settings.pre_queue_seconds * 1000)
        answer = await self._call(
            "open",
            event_id,
            int(settings.enabled),
            int(selling),
            opens_ms,
            on_sale_ms,
            settings.admit_per_minute,
            settings.max_active,
            settings.admission_seconds * 1000,
            version,
        )
        return answer[0] is Outcome.OK

    async def state(self, event_id: UUID) -> WaitingRoomState | None:
        """Settings and counters; None where the room is not ready in Redis."""
        keys = waiting_room_keys(event_id)
        meta, waiting, returned, active = await asyncio.gather(
            self._run("HMGET", keys.meta, *_STATE_FIELDS),
            self._run("ZCARD", keys.queue),
            self._run("ZCARD", keys.returned),
            self._run("ZCARD", keys.active),
        )
        return state_from(meta, waiting + returned, active)

    async def tick(
        self, event_id: UUID, *, most: int = MOST_ADMISSIONS_A_TICK, claim_ms: int = CLAIM_SECONDS * 1000
    ) -> Tick | None:
        """End lapsed admissions, pass over the absent, draw and admit; None for a room to rebuild."""
        answer = await self._call("admit", event_id, secrets.token_hex(16), most, claim_ms)
        return None if answer[0] is Outcome.MISSING else tick_from(answer)

    async def journal(self, event_id: UUID, *, after: str = "0-0", most: int = 2000) -> list[Change]:
        """The changes of state after a stream id that PostgreSQL may not have yet, oldest first."""
        entries = await self._run(
            "XRANGE", waiting_room_keys(event_id).journal, f"({after}", "+", "COUNT", most
        )
        return [change_from(stream_id, fields) for stream_id, fields in entries]

    async def confirm(self, event_id: UUID, generation: int, *, through: str, admitted: int) -> None:
        """Note that PostgreSQL has the changes up to the stream id `through`, and `admitted` admissions."""
        await self._call("confirm", event_id, generation, through, admitted)

    async def forget(self, event_id: UUID) -> None:
        """Remove the waiting room of an event that is over."""
        await self._run("UNLINK", *waiting_room_keys(event_id).all())

    # ------------------------------------------------------------ rebuilding

    async def close(self, event_id: UUID) -> tuple[int, str]:
        """Stop all use of the room until `reopen`.

        Returns: the generation of the rebuild, and the id of the last journal entry in PostgreSQL.
        """
        _, generation, drained = await self._call("close", event_id)
        return generation, drained.decode()

    async def restore(self, event_id: UUID, generation: int, people: Sequence[Restored]) -> bool:
        """Put people back to their state in PostgreSQL; False where another rebuild has begun."""
        for start in range(0, len(people), _RESTORED_AT_ONCE):
            rows: list[Argument] = []
            for person in people[start : start + _RESTORED_AT_ONCE]:
                rows += [person.user_id.bytes, person.state, person.place]
                rows += [person.nonce, person.expires_ms]
            answer = await self._call("restore", event_id, generation, *rows)
            if answer[0] is Outcome.REFUSED:
                return False
        return True

    async def restore_networks(self, event_id: UUID, points: Sequence[NetworkPoints], *, drawn: bool) -> None:
        """Put the points that networks have taken back to what PostgreSQL has."""
        field = "due" if drawn else "lots"
        for start in range(0, len(points), _RESTORED_AT_ONCE):
            some = points[start : start + _RESTORED_AT_ONCE]
            keys = [network_key(event_id, each.network) for each in some]
            values = zip(keys, some, strict=True)
            await asyncio.gather(*(self._run("HSET", key, field, each.value) for key, each in values))
            await asyncio.gather(*(self._run("PEXPIRE", key, _NETWORKS_MS) for key in keys))

    async def reopen(self, event_id: UUID, generation: int, *, drawn_ms: int) -> bool:
        """Use the room again; False where another rebuild has begun or the server has restarted."""
        answer = await self._call("reopen", event_id, generation, drawn_ms)
        return answer[0] is Outcome.OK


def _present(answer: Sequence[Any]) -> Outcome:
    outcome: Outcome = answer[0]
    if outcome is Outcome.MISSING:
        raise Unavailable("The waiting room is being restored; please try again in a moment.")
    return outcome

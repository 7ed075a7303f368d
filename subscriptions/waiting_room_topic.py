"""One event's line as a process knows it: the places of its own subscribers, moved by one message a tick."""

import asyncio
import contextlib
import logging
import random
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import orjson

from domain.errors import Unavailable
from domain.waiting_room import Pace, eta_seconds
from pubsub.channels import Channels, Mailbox
from services.waiting_room.waiting_rooms import Entry, WaitingRooms
from waiting_room.keys import waiting_room_keys
from waiting_room.outcomes import Outcome, Standing
from waiting_room.store import GRACE_MS

log = logging.getLogger("boxoffice.waiting_room")

# Without a message for this long, whoever could not be read is read again.
_QUIET_SECONDS = 1.0
_READ_AT_ONCE = 500
_PRESENT_SECONDS = GRACE_MS / 3000
# The first in line see every step; further back, a step a second at first and the more seldom the
# longer they have to wait, but never more than five seconds apart.
_FRONT = 50
_LEAST_SECONDS = 1.0
_MOST_SECONDS = 4.5
_STEPS_TO_THE_FRONT = 60
_WOKEN_AT_ONCE = 50
# Everyone is told at least every 5 s.
_BEAT_SECONDS = (3.5, 4.2)
_BEATS_APART_SECONDS = 0.5
_JUDGED_FROM_SECONDS = 5.0


class Tab(Protocol):
    """One subscriber of an account."""

    def wake(self) -> None:
        """There is something new, or it is time to say the same again."""


@dataclass(slots=True, eq=False)
class Member:
    """One account with a tab open here. All its tabs share it."""

    user_id: UUID
    standing: Standing
    position: int | None = None
    ordinal: int | None = None
    gone: int = 0
    told_position: int | None = None
    next_at: float = 0.0
    beat_at: float = 0.0
    promise: tuple[float, int] | None = None
    tabs: set[Tab] = field(default_factory=set)

    def place(self, standing: Standing) -> None:
        """Take over what Redis says; within one wait, a position never gets worse."""
        same_wait = standing.place == self.standing.place or 0 in (standing.place, self.standing.place)
        best = self.position if same_wait and standing.outcome is Outcome.WAITING else None
        self.standing, self.ordinal, self.gone = standing, standing.ordinal, standing.gone
        self.position = standing.position
        if best is not None:
            self.position = min(best, self.position or best)

    def wake(self) -> None:
        """Every tab has something new."""
        for tab in tuple(self.tabs):
            tab.wake()


class WaitingRoomTopic:
    """The subscribers of one event in this process, behind one upstream subscription."""

    def __init__(self, rooms: WaitingRooms, channels: Channels, event_id: UUID) -> None:
        self._rooms = rooms
        self._channels = channels
        self._event_id = event_id
        self._members: dict[UUID, Member] = {}
        self.coming = 0  # those who are about to watch
        self._heard = 0
        self._unread: set[UUID] = set()
        self._generation: int | None = None
        self._admitted = 0
        self._gone: int | None = None
        self._drawn = False
        self._selling = True
        self._pace: Pace | None = None
        self._listening = asyncio.Event()
        self._present_at = 0.0
        # How far off the first estimates of the last people admitted were: 0.2 is a fifth.
        self.eta_errors: deque[float] = deque(maxlen=500)
        self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._beat())]

    @property
    def members(self) -> int:
        """How many accounts are watched."""
        return len(self._members)

    def watches(self, user_id: UUID) -> bool:
        """Whether the account has a tab open here."""
        member = self._members.get(user_id)
        return member is not None and bool(member.tabs)

    def close(self) -> None:
        """Hear no more."""
        for task in self._tasks:
            task.cancel()

    async def ready(self, seconds: float) -> None:
        """Wait until nothing can be missed.

        Raises:
            Unavailable: the channel could not be heard in time.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._listening.wait()
        except TimeoutError as error:
            raise Unavailable from error

    async def member(self, user_id: UUID) -> Member | None:
        """The account's member, read from Redis where it is new; None for someone who never joined."""
        heard = self._heard
        standing = await self._rooms.room.standing(self._event_id, user_id)
        if standing.outcome is Outcome.NONE:
            return None
        if self._heard != heard:
            self._unread.add(user_id)  # what was heard meanwhile may be news of this very account
        member = self._members.get(user_id)
        if member is None:
            member = self._members[user_id] = Member(user_id, standing)
        member.place(standing)
        return member

    def watch(self, member: Member, tab: Tab) -> None:
        """Wake this tab from now on."""
        self._members[member.user_id] = member
        member.tabs.add(tab)

    def unwatch(self, member: Member, tab: Tab) -> None:
        """Wake it no more. The last to close leaves the member."""
        member.tabs.discard(tab)
        if not member.tabs and self._members.get(member.user_id) is member:
            del self._members[member.user_id]

    async def learn_pace(self) -> None:
        """Ask for the pace of a line of which no message has been heard yet."""
        if self._pace is None and self._selling:
            self._pace = await self._rooms.pace(self._event_id)

    def tell(self, member: Member) -> Entry:
        """What a member is shown now; the next small step may take a while."""
        now = asyncio.get_running_loop().time()
        member.told_position = member.position
        member.next_at = now + self._pause_seconds(member)
        member.beat_at = now + random.uniform(*_BEAT_SECONDS)  # noqa: S311 - jitter
        if member.standing.outcome is not Outcome.WAITING or member.position is None:
            return self._rooms.entry_of(self._event_id, member.user_id, member.standing, self._pace)
        eta = None if self._pace is None else eta_seconds(member.position, self._pace)
        if eta is not None and member.promise is None:
            member.promise = (now, eta)
        return self._rooms.waiting_entry(self._event_id, member.user_id, member.position, eta)

    def _pause_seconds(self, member: Member) -> float:
        if member.position is None or member.position <= _FRONT:
            return 0.0
        eta = (eta_seconds(member.position, self._pace) if self._pace else None) or 0
        pause_seconds = min(_MOST_SECONDS, max(_LEAST_SECONDS, eta / _STEPS_TO_THE_FRONT))
        # People who came together are not told together.
        return pause_seconds * random.uniform(0.7, 1.0)  # noqa: S311 - jitter

    async def _beat(self) -> None:
        """Whoever heard nothing for some seconds is told the same again."""
        while True:
            await asyncio.sleep(_BEATS_APART_SECONDS)
            now = asyncio.get_running_loop().time()
            await _wake([member for member in self._members.values() if now >= member.beat_at])

    # ------------------------------------------------------------ the messages

    async def _listen(self) -> None:
        while True:
            try:
                async with self._channels.subscribe(waiting_room_keys(self._event_id).channel) as mailbox:
                    self._listening.set()
                    while True:
                        await self._turn(mailbox)
            except Unavailable:
                await asyncio.sleep(_QUIET_SECONDS)
            except Exception:
                log.exception("the line of %s stumbled; everyone is read again", self._event_id)
                self._heard += 1
                self._unread.update(self._members)
                await asyncio.sleep(_QUIET_SECONDS)

    async def _turn(self, mailbox: Mailbox) -> None:
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                text = await mailbox.get()
        except TimeoutError:
            pass
        else:
            if text is None:
                self._heard += 1
                self._unread.update(self._members)
            else:
                await _wake(self._hear(orjson.loads(text)))
        if self._unread:
            await self._read()
        await self._stay()

    def _hear(self, message: dict[str, Any]) -> list[Member]:
        """Work out every member's place from one message; those whose turn it is to be told."""
        self._heard += 1
        turned = message["selling"] != self._selling
        self._selling = message["selling"]
        self._pace = Pace(*message["pace"]) if self._selling else None
        gone, places = message["gone"], message["places"]
        first = gone - len(places)
        strange = message["generation"] != self._generation or not message["complete"]
        if strange or (self._gone is not None and self._gone != first) or message["drawn"] != self._drawn:
            self._unread.update(self._members)
        self._generation, self._drawn, self._gone = message["generation"], message["drawn"], gone
        self._admitted = message["admitted"]
        changed = (UUID(hex=user) for user in message["changed"])
        self._unread.update(user for user in changed if user in self._members)
        due = self._move(first, places)
        # Sold out, or seats came back: everyone is told at once.
        return list(self._members.values()) if turned else due

    def _move(self, first: int, places: list[int]) -> list[Member]:
        in_order = sorted(places)
        now = asyncio.get_running_loop().time()
        due: list[Member] = []
        for member in self._members.values():
            if member.ordinal is None or member.standing.outcome is not Outcome.WAITING:
                continue
            if member.gone < first:
                self._unread.add(member.user_id)  # who went between its reading and this message is not known
            heard = in_order if member.gone <= first else sorted(places[member.gone - first :])
            member.ordinal -= bisect_left(heard, member.standing.place)
            member.gone = max(member.gone, first + len(places))
            ahead = member.ordinal - max(self._admitted, member.standing.admitted)
            if ahead <= 0:
                self._unread.add(member.user_id)  # admitted by now, and the message that named it was missed
            position = max(1, ahead)
            if member.position is None or position < member.position:
                member.position = position
            if member.position != member.told_position and now >= member.next_at:
                due.append(member)
        return due

    async def _read(self) -> None:
        """Ask Redis for those whose place cannot be worked out."""
        users = [user for user in self._unread if user in self._members]
        self._unread.clear()
        for start in range(0, len(users), _READ_AT_ONCE):
            some = users[start : start + _READ_AT_ONCE]
            try:
                standings = await self._rooms.room.standings(self._event_id, some)
            except Unavailable:
                self._unread.update(users[start:])
                return
            self._place(zip(some, standings, strict=True))

    def _place(self, standings: Iterable[tuple[UUID, Standing]]) -> None:
        for user_id, standing in standings:
            member = self._members.get(user_id)
            if member is None:
                continue
            if standing.outcome is Outcome.ADMITTED and member.promise is not None:
                self._judge(member.promise)
                member.promise = None
            before = (member.standing.outcome, member.standing.nonce, member.position)
            member.place(standing)
            if before != (standing.outcome, standing.nonce, member.position):
                member.wake()

    def _judge(self, promise: tuple[float, int]) -> None:
        told_at, eta = promise
        took_seconds = asyncio.get_running_loop().time() - told_at
        if took_seconds >= _JUDGED_FROM_SECONDS:
            self.eta_errors.append(abs(eta - took_seconds) / took_seconds)

    async def _stay(self) -> None:
        """Who has a tab open here keeps the place, though a tab elsewhere was closed."""
        now = asyncio.get_running_loop().time()
        if now < self._present_at:
            return
        self._present_at = now + _PRESENT_SECONDS
        users = list(self._members)
        for start in range(0, len(users), _READ_AT_ONCE):
            with contextlib.suppress(Unavailable):
                await self._rooms.room.mark_present(self._event_id, users[start : start + _READ_AT_ONCE])


async def _wake(due: list[Member]) -> None:
    """A few at a time, the nearest to the front first, so that nothing else waits for all of them."""
    due.sort(key=lambda member: member.position or 0)
    for start in range(0, len(due), _WOKEN_AT_ONCE):
        for member in due[start : start + _WOKEN_AT_ONCE]:
            member.wake()
        await asyncio.sleep(0)

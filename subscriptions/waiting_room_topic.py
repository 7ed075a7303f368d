"""One event's waiting room in one process: the positions of its subscribers, moved by one message a tick."""

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
from services.waiting_room.waiting_rooms import QueueEntry, WaitingRooms
from waiting_room.keys import waiting_room_keys
from waiting_room.outcomes import Outcome, Standing
from waiting_room.store import GRACE_MS

log = logging.getLogger("boxoffice.waiting_room")

# Without a message for this long, the entries that could not be read are read again.
_QUIET_SECONDS = 1.0
_READ_AT_ONCE = 500
_PRESENT_SECONDS = GRACE_MS / 3000
# The first positions are sent at every change. Those further back are sent at intervals of one second at
# first, longer the longer the wait is, and never more than five seconds apart.
_FRONT_POSITIONS = 50
_MIN_INTERVAL_SECONDS = 1.0
_MAX_INTERVAL_SECONDS = 4.5
_UPDATES_UNTIL_ADMISSION = 60
_WOKEN_AT_ONCE = 50
# Every subscriber gets a message at least every 5 s.
_HEARTBEAT_SECONDS = (3.5, 4.2)
_HEARTBEAT_CHECK_SECONDS = 0.5
# Shorter waits say nothing about the quality of an estimate.
_MIN_JUDGED_SECONDS = 5.0


class Subscriber(Protocol):
    """One stream of an account, such as a browser's tab."""

    def wake(self) -> None:
        """Send the entry: it has changed, or its heartbeat is due."""


@dataclass(slots=True, eq=False)
class Member:
    """One account with subscribers in this process, which share it."""

    user_id: UUID
    standing: Standing
    position: int | None = None
    ordinal: int | None = None
    gone: int = 0
    sent_position: int | None = None
    next_at: float = 0.0
    heartbeat_at: float = 0.0
    first_estimate: tuple[float, int] | None = None
    subscribers: set[Subscriber] = field(default_factory=set)

    def update(self, standing: Standing) -> None:
        """Take the standing from Redis; within one wait, a position never gets worse."""
        same_wait = standing.place == self.standing.place or 0 in (standing.place, self.standing.place)
        best = self.position if same_wait and standing.outcome is Outcome.WAITING else None
        self.standing, self.ordinal, self.gone = standing, standing.ordinal, standing.gone
        self.position = standing.position
        if best is not None:
            self.position = min(best, self.position or best)

    def wake(self) -> None:
        """Wake every subscriber."""
        for subscriber in tuple(self.subscribers):
            subscriber.wake()


class WaitingRoomTopic:
    """The subscribers of one event in this process, behind one upstream subscription."""

    def __init__(self, waiting_rooms: WaitingRooms, channels: Channels, event_id: UUID) -> None:
        self._waiting_rooms = waiting_rooms
        self._channels = channels
        self._event_id = event_id
        self._members: dict[UUID, Member] = {}
        self.joining = 0
        """The number of subscribers that are about to be added"""
        self._received = 0
        self._unread: set[UUID] = set()
        self._generation: int | None = None
        self._admitted = 0
        self._gone: int | None = None
        self._drawn = False
        self._selling = True
        self._pace: Pace | None = None
        self._subscribed = asyncio.Event()
        self._present_at = 0.0
        self.eta_errors: deque[float] = deque(maxlen=500)
        """The relative errors of the first estimates of the last admissions: 0.2 is a fifth"""
        self._tasks = [asyncio.create_task(work) for work in (self._receive(), self._send_heartbeats())]

    @property
    def members(self) -> int:
        """The number of accounts that have subscribers."""
        return len(self._members)

    def has_subscriber(self, user_id: UUID) -> bool:
        """Return whether the account has a subscriber in this process."""
        member = self._members.get(user_id)
        return member is not None and bool(member.subscribers)

    def close(self) -> None:
        """Stop receiving messages."""
        for task in self._tasks:
            task.cancel()

    async def ready(self, seconds: float) -> None:
        """Wait until the channel is subscribed, so that no message is missed.

        Raises:
            Unavailable: The channel could not be subscribed in time.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._subscribed.wait()
        except TimeoutError as error:
            raise Unavailable from error

    async def member(self, user_id: UUID) -> Member | None:
        """Return the account's member as Redis has it; None for an account that never joined."""
        received = self._received
        standing = await self._waiting_rooms.room.standing(self._event_id, user_id)
        if standing.outcome is Outcome.NONE:
            return None
        if self._received != received:
            self._unread.add(user_id)  # a message meanwhile may be about this account
        member = self._members.get(user_id)
        if member is None:
            member = self._members[user_id] = Member(user_id, standing)
        member.update(standing)
        return member

    def add(self, member: Member, subscriber: Subscriber) -> None:
        """Wake this subscriber from now on."""
        self._members[member.user_id] = member
        member.subscribers.add(subscriber)

    def remove(self, member: Member, subscriber: Subscriber) -> None:
        """Stop waking this subscriber; the last one removes its member."""
        member.subscribers.discard(subscriber)
        if not member.subscribers and self._members.get(member.user_id) is member:
            del self._members[member.user_id]

    async def read_pace(self) -> None:
        """Read the pace of a waiting room of which no message has come yet."""
        if self._pace is None and self._selling:
            self._pace = await self._waiting_rooms.pace(self._event_id)

    def entry_of(self, member: Member) -> QueueEntry:
        """Return the member's present entry to send, and note when the next one is due."""
        now = asyncio.get_running_loop().time()
        member.sent_position = member.position
        member.next_at = now + self._interval_seconds(member)
        member.heartbeat_at = now + random.uniform(*_HEARTBEAT_SECONDS)  # noqa: S311 - jitter
        if member.standing.outcome is not Outcome.WAITING or member.position is None:
            return self._waiting_rooms.entry_of(self._event_id, member.user_id, member.standing, self._pace)
        eta = None if self._pace is None else eta_seconds(member.position, self._pace)
        if eta is not None and member.first_estimate is None:
            member.first_estimate = (now, eta)
        return self._waiting_rooms.waiting_entry(self._event_id, member.user_id, member.position, eta)

    def _interval_seconds(self, member: Member) -> float:
        if member.position is None or member.position <= _FRONT_POSITIONS:
            return 0.0
        eta = (eta_seconds(member.position, self._pace) if self._pace else None) or 0
        seconds = min(_MAX_INTERVAL_SECONDS, max(_MIN_INTERVAL_SECONDS, eta / _UPDATES_UNTIL_ADMISSION))
        # The jitter keeps entries that came together from being sent together.
        return seconds * random.uniform(0.7, 1.0)  # noqa: S311 - jitter

    async def _send_heartbeats(self) -> None:
        """Send the same entry again to subscribers that got nothing for some seconds."""
        while True:
            await asyncio.sleep(_HEARTBEAT_CHECK_SECONDS)
            now = asyncio.get_running_loop().time()
            await _wake([member for member in self._members.values() if now >= member.heartbeat_at])

    # ------------------------------------------------------------ the messages

    async def _receive(self) -> None:
        while True:
            try:
                async with self._channels.subscribe(waiting_room_keys(self._event_id).channel) as mailbox:
                    self._subscribed.set()
                    while True:
                        await self._receive_one(mailbox)
            except Unavailable:
                await asyncio.sleep(_QUIET_SECONDS)
            except Exception:
                log.exception(
                    "waiting room of %s: an internal fault; every entry is read again", self._event_id
                )
                self._received += 1
                self._unread.update(self._members)
                await asyncio.sleep(_QUIET_SECONDS)

    async def _receive_one(self, mailbox: Mailbox) -> None:
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                text = await mailbox.get()
        except TimeoutError:
            pass
        else:
            if text is None:
                self._received += 1
                self._unread.update(self._members)
            else:
                await _wake(self._apply(orjson.loads(text)))
        if self._unread:
            await self._read()
        await self._mark_present()

    def _apply(self, message: dict[str, Any]) -> list[Member]:
        """Compute every member's position from one message, and return the members to wake."""
        self._received += 1
        switched = message["selling"] != self._selling
        self._selling = message["selling"]
        self._pace = Pace(*message["pace"]) if self._selling else None
        gone, places = message["gone"], message["places"]
        first = gone - len(places)
        unknown = message["generation"] != self._generation or not message["complete"]
        if unknown or (self._gone is not None and self._gone != first) or message["drawn"] != self._drawn:
            self._unread.update(self._members)
        self._generation, self._drawn, self._gone = message["generation"], message["drawn"], gone
        self._admitted = message["admitted"]
        changed = (UUID(hex=user) for user in message["changed"])
        self._unread.update(user for user in changed if user in self._members)
        due = self._move(first, places)
        # The event sold out, or seats came back: every member is woken at once.
        return list(self._members.values()) if switched else due

    def _move(self, first: int, places: list[int]) -> list[Member]:
        in_order = sorted(places)
        now = asyncio.get_running_loop().time()
        due: list[Member] = []
        for member in self._members.values():
            if member.standing.outcome is not Outcome.WAITING:
                continue
            if member.ordinal is None:
                self._read_later(member, now)
                continue
            if member.gone < first:
                self._unread.add(member.user_id)  # departures between its read and this message are not known
            departed = in_order if member.gone <= first else sorted(places[member.gone - first :])
            member.ordinal -= bisect_left(departed, member.standing.place)
            member.gone = max(member.gone, first + len(places))
            ahead = member.ordinal - max(self._admitted, member.standing.admitted)
            if ahead <= 0:
                self._unread.add(member.user_id)  # admitted by now, and its message was missed
            position = max(1, ahead)
            if member.position is None or position < member.position:
                member.position = position
            if member.position != member.sent_position and now >= member.next_at:
                due.append(member)
        return due

    def _read_later(self, member: Member, now: float) -> None:
        """Read a late arrival of its network again once a second, until its position is known."""
        if self._drawn and now >= member.next_at:
            self._unread.add(member.user_id)
            member.next_at = now + _MIN_INTERVAL_SECONDS

    async def _read(self) -> None:
        """Read from Redis the entries whose position cannot be computed."""
        users = [user for user in self._unread if user in self._members]
        self._unread.clear()
        for start in range(0, len(users), _READ_AT_ONCE):
            some = users[start : start + _READ_AT_ONCE]
            try:
                standings = await self._waiting_rooms.room.standings(self._event_id, some)
            except Unavailable:
                self._unread.update(users[start:])
                return
            self._update(zip(some, standings, strict=True))

    def _update(self, standings: Iterable[tuple[UUID, Standing]]) -> None:
        for user_id, standing in standings:
            member = self._members.get(user_id)
            if member is None:
                continue
            if standing.outcome is Outcome.ADMITTED and member.first_estimate is not None:
                self._record_eta_error(member.first_estimate)
                member.first_estimate = None
            before = (member.standing.outcome, member.standing.nonce, member.position)
            member.update(standing)
            if before != (standing.outcome, standing.nonce, member.position):
                member.wake()

    def _record_eta_error(self, estimate: tuple[float, int]) -> None:
        estimated_at, eta = estimate
        took_seconds = asyncio.get_running_loop().time() - estimated_at
        if took_seconds >= _MIN_JUDGED_SECONDS:
            self.eta_errors.append(abs(eta - took_seconds) / took_seconds)

    async def _mark_present(self) -> None:
        """Keep the places of accounts with a subscriber here, even if a tab elsewhere was closed."""
        now = asyncio.get_running_loop().time()
        if now < self._present_at:
            return
        self._present_at = now + _PRESENT_SECONDS
        users = list(self._members)
        for start in range(0, len(users), _READ_AT_ONCE):
            with contextlib.suppress(Unavailable):
                await self._waiting_rooms.room.mark_present(
                    self._event_id, users[start : start + _READ_AT_ONCE]
                )


async def _wake(due: list[Member]) -> None:
    """Wake a few members at a time, the first positions first, so that other tasks run in between."""
    due.sort(key=lambda member: member.position or 0)
    for start in range(0, len(due), _WOKEN_AT_ONCE):
        for member in due[start : start + _WOKEN_AT_ONCE]:
            member.wake()
        await asyncio.sleep(0)

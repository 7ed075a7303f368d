"""Writes joins to PostgreSQL before the place is answered, so that Redis may lose them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.waiting_rooms import QueueEntryChange, record_entries
from db.session import DATABASE_AWAY, Database
from domain.errors import Unavailable
from kit.batcher import Batcher
from kit.cache import Cache
from waiting_room.outcomes import Joined

_MAX_BATCH = 2000
# A repeated join is not written again; a process remembers this many, in some 20 MB.
_MAX_REMEMBERED = 100_000
_WAITING = "W"


@dataclass(frozen=True, slots=True)
class _Join:
    event_id: UUID
    change: QueueEntryChange


class JoinWriter:
    """Writes joins in batches: one statement at a time, with the joins that came during the last one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._joins = Batcher[_Join, None](self._write, max_batch=_MAX_BATCH, max_concurrent=1)
        self._written: Cache[tuple[UUID, UUID], bool] = Cache(max_entries=_MAX_REMEMBERED)

    async def record(self, event_id: UUID, user_id: UUID, joined: Joined) -> None:
        """Write an account's join, unless this process has written it before.

        Raises:
            Unavailable: The database does not answer, so the place must not be answered either.
        """
        key = (event_id, user_id)
        if not joined.place or (not joined.new and key in self._written):
            return
        change = QueueEntryChange(
            user_id,
            _WAITING,
            joined.place,
            "",
            0,
            joined.sequence,
            joined.left_before,
            joined.sequence if joined.new else 0,
            joined.network,
            joined.points,
        )
        await self._joins.submit(_Join(event_id, change))
        self._written.put(key, True)

    async def _write(self, joins: Sequence[_Join]) -> Sequence[Exception | None]:
        by_event: dict[UUID, dict[UUID, QueueEntryChange]] = {}
        for join in joins:
            changes = by_event.setdefault(join.event_id, {})
            earlier = changes.get(join.change.user_id)
            if earlier is None or earlier.sequence < join.change.sequence:
                changes[join.change.user_id] = join.change
        failed: dict[UUID, Exception] = {}
        for event_id, changes in by_event.items():
            try:
                await record_entries(self._database, event_id, list(changes.values()))
            except DATABASE_AWAY as error:
                failed[event_id] = Unavailable()
                failed[event_id].__cause__ = error
        return [failed.get(join.event_id) for join in joins]

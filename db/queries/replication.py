"""Whether a commit waits for a standby."""

from dataclasses import dataclass

from db.queries.orders import Source

_WAITING = ("on", "remote_write", "remote_apply")


@dataclass(frozen=True, slots=True)
class Replication:
    """The standbys of the server that we write to, as PostgreSQL shows them to our role.

    `synchronous` are those for which commits wait; None where the role may not see that (`pg_monitor`).
    """

    standbys: int
    synchronous: int | None
    names: str
    synchronous_commit: str

    @property
    def waits(self) -> bool:
        """Whether commits wait for a standby."""
        return bool(self.names) and self.synchronous_commit in _WAITING

    @property
    def may_lose(self) -> bool:
        """Whether there is a standby which lacks the last commits when it is promoted."""
        return self.standbys > 0 and not self.waits

    @property
    def sentence(self) -> str:
        """The same for a person."""
        if self.may_lose:
            return (
                f"{self.standbys} asynchronous: promoted, it lacks the last commits, bookings among them; "
                "set synchronous_standby_names"
            )
        if not self.waits:
            return "none: a dead disk loses what the last backup does not have"
        if self.standbys == 0 or self.synchronous == 0:
            return f"away: commits wait for synchronous_standby_names = {self.names!r}"
        return f"synchronous, {self.standbys} connected"


async def read_replication(source: Source) -> Replication:
    """The standbys now; base backups that run do not count."""
    row = await source.fetchrow(
        """
        SELECT count(*)::int AS standbys,
          CASE WHEN bool_or(sync_state IS NULL) THEN NULL
               ELSE count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) END::int AS synchronous,
          current_setting('synchronous_standby_names') AS names,
          current_setting('synchronous_commit') AS synchronous_commit
        FROM pg_stat_replication
        WHERE coalesce(application_name, '') <> 'pg_basebackup' AND coalesce(state, '') <> 'backup'
        """
    )
    assert row is not None, "an aggregate has a row"
    return Replication(**row)

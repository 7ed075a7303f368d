"""The connection pool, and transactions whose end is known."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson

from kit.current_request import seconds_left
from kit.spans import step

# Bounds on every wait, in milliseconds: set at the start of each session, or by `migrate` for the role.
TIME_LIMITS = {
    "lock_timeout": "2000",
    "statement_timeout": "8000",
    "idle_in_transaction_session_timeout": "10000",
    "client_connection_check_interval": "2000",
}
_NAME = {"application_name": "boxoffice"}

T = TypeVar("T")
Connection = asyncpg.pool.PoolConnectionProxy
# Two transactions waited for each other, and PostgreSQL has rolled this one back.
Deadlock = asyncpg.DeadlockDetectedError
# Another transaction held a lock for longer than `lock_timeout`.
LockTimedOut = asyncpg.LockNotAvailableError
# The errors of a database that is unavailable, restarting, or cut off during a statement.
DATABASE_AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut during its reset
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DiskFullError,
    # Prepared before a migration changed its columns: it did nothing, and is prepared anew by the next try.
    asyncpg.InvalidCachedStatementError,
)


_IS_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool"


def is_lost(connection: Connection) -> bool:
    """Whether a connection's session has ended, at the server or here.

    The pool takes back a connection that the server has closed; after that, even `is_closed` raises.
    """
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


class ReadOnly(Exception):
    """The database accepts no writes: a standby, or one that its administrator has set to read-only."""


class Database:
    """A bounded pool of connections to one PostgreSQL.

    The pool connects at its first use, so a process can start before its database. With `direct_url` the
    other address is a pooler in transaction mode: it takes no time limits at the start of a session, so those
    of the role hold, and it cannot listen.
    """

    def __init__(
        self, url: str, *, direct_url: str = "", most: int = 16, acquire_timeout_seconds: float = 3.0
    ) -> None:
        self._url = url
        self._direct_url = direct_url or url
        self._server_settings = _NAME if direct_url else TIME_LIMITS | _NAME
        self._most = most
        self._acquire_timeout_seconds = acquire_timeout_seconds
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @property
    def pool_use(self) -> tuple[int, int]:
        """The connections in use, and their maximum."""
        if self._pool is None:
            return 0, self._most
        return self._pool.get_size() - self._pool.get_idle_size(), self._most

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self._url,
                        min_size=0,
                        max_size=self._most,
                        timeout=self._acquire_timeout_seconds,
                        command_timeout=10,
                        server_settings=self._server_settings,
                        init=_set_json_codecs,
                    )
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for one use; statements commit on their own.

        What the block raises is raised, also where the connection can then not be returned: a cancellation
        stays one.
        """
        pool = await self._opened()
        connection = await pool.acquire(timeout=seconds_left(self._acquire_timeout_seconds))
        try:
            yield connection
        except BaseException:
            with contextlib.suppress(*DATABASE_AWAY):
                await pool.release(connection)
            raise
        await pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction, committed at the end of the block, rolled back if it raises.

        The commit is shielded: a client that disconnects cannot interrupt it.
        """
        with step("sql transaction"):
            async with self.connection() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    yield connection
                except BaseException:
                    await _roll_back(transaction, connection)
                    raise
                await asyncio.shield(transaction.commit())

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of one statement."""
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows

    async def fetchrow(self, statement: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row of one statement."""
        async with self.connection() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """The first value of one statement."""
        async with self.connection() as connection:
            return await connection.fetchval(statement, *arguments)

    async def ping(self) -> None:
        """Check that the server accepts writes.

        When the pool is exhausted the check opens a connection of its own: busy is not unavailable.

        Raises:
            ReadOnly: the server accepts none.
        """
        in_use, most = self.pool_use
        if in_use < most:
            read_only = await self.fetchval(_IS_READ_ONLY)
        else:
            connection = await asyncpg.connect(self._url, timeout=self._acquire_timeout_seconds)
            try:
                read_only = await connection.fetchval(_IS_READ_ONLY)
            finally:
                connection.terminate()
        if read_only:
            raise ReadOnly

    async def listen(self, channel: str, notified: Callable[[], None]) -> None:
        """Call `notified` for each NOTIFY on a channel, until cancelled; reconnects after a loss.

        Notifications in between are lost: listen to be early, poll to be sure.
        """
        while True:
            with contextlib.suppress(*DATABASE_AWAY):
                await self._listen_once(channel, notified)
            await asyncio.sleep(1.0)

    async def _listen_once(self, channel: str, notified: Callable[[], None]) -> None:
        connection = await asyncpg.connect(self._direct_url, timeout=self._acquire_timeout_seconds)
        try:
            await connection.add_listener(channel, lambda *_: notified())
            while True:
                await asyncio.sleep(5.0)
                await connection.fetchval("SELECT 1", timeout=5.0)
        finally:
            connection.terminate()

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Close every connection; those in use get `grace_seconds` to finish."""
        if self._pool is None:
            return
        try:
            async with asyncio.timeout(grace_seconds):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def while_alive(connection: Connection, work: Awaitable[T]) -> T:
    """Await work within a transaction, with a statement every second that shows that this process lives.

    So the transaction may be long, and its `idle_in_transaction_session_timeout` short: the server ends that
    of a process which is frozen or cut off, and frees its locks.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=1.0))[0]:
            await connection.execute("SELECT 1")
        return task.result()
    finally:
        task.cancel()


async def _roll_back(transaction: asyncpg.transaction.Transaction, connection: Connection) -> None:
    """Roll back; where that fails, end the session, which rolls back too."""
    if is_lost(connection):
        return
    try:
        await transaction.rollback()
    except DATABASE_AWAY:
        connection.terminate()


async def _set_json_codecs(connection: Any) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_dump, decoder=orjson.loads, format="text"
        )


def _dump(value: Any) -> str:
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: object) -> str:
    # orjson does not know asyncpg's own UUID class.
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")

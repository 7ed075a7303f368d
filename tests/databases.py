"""A pool of databases: cloned from a template ahead of need, dropped behind the tests."""

import asyncio
import itertools
import os
from collections import deque
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any

import asyncpg

numbers = itertools.count(1)


class Administrator:
    """One connection that creates and drops databases, one statement after the other, in a thread.

    Tests have event loops of their own, so this one runs where it can neither wait for them nor hold them up.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()
        self._thread = Thread(target=self._loop.run_forever, name="databases", daemon=True)

    def start(self) -> None:
        """Connect."""
        self._thread.start()
        self._connection = self._submit(asyncpg.connect(self._url)).result()

    def execute(self, *statements: str) -> Future[None]:
        """Run statements after those that were submitted before."""
        return self._submit(self._execute(statements))

    def stop(self) -> None:
        """Disconnect, and end the thread."""
        self._submit(self._connection.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _execute(self, statements: tuple[str, ...]) -> None:
        async with self._turn:
            for statement in statements:
                await self._connection.execute(statement)


class DatabasePool:
    """Clones of one template; `ahead` of them are ready, or being made, before a test asks."""

    def __init__(self, administrator: Administrator, template: str, ahead: int = 2) -> None:
        self._administrator = administrator
        self._template = template
        self._ahead = ahead
        self._ready: deque[tuple[str, Future[None]]] = deque()
        self._dropped: list[Future[None]] = []

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a clone that nothing has used; it is dropped afterwards, its sessions cut."""
        self._clone(1)
        name, cloned = self._ready.popleft()
        self._clone(self._ahead)
        cloned.result()
        yield name
        # Not WITH (FORCE): that would end autovacuum's sessions too, which we may not. A plain DROP asks
        # them to end.
        ours = f"datname = '{name}' AND usename = current_user"
        cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"
        self._dropped.append(self._administrator.execute(cut, f"DROP DATABASE {name}"))

    def close(self) -> None:
        """Wait for the last statements.

        Raises:
            asyncpg.PostgresError: when a database could not be made or dropped.
        """
        for statement in (*self._dropped, *(cloned for _, cloned in self._ready)):
            statement.result()

    def _clone(self, wanted: int) -> None:
        while len(self._ready) < wanted:
            name = f"test_{os.getpid()}_{next(numbers)}"
            clone = f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY file_copy"
            self._ready.append((name, self._administrator.execute(clone)))

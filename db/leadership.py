"""Leadership of a process: a lease that is renewed in the background while the process lives."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable

from db.queries.leases import LEASE_SECONDS, Lease, release_lease, renew_lease, take_lease
from db.session import DATABASE_AWAY, Database
from kit.tasks import stopped

log = logging.getLogger("boxoffice.leadership")

_RENEW_SECONDS = 1.5
_LOOK_SECONDS = 0.5


class Leadership:
    """One work, led by one process at a time.

    A leader that is frozen or cut off loses it at the lease's deadline. It may find that out late, so what it
    writes to PostgreSQL has to be fenced with `check_lease`.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        process: str = "",
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._name = name
        process = process or f"{socket.gethostname()}-{os.getpid()}"
        self._holder = f"{process}#{secrets.token_hex(4)}"  # two processes may have one name
        self._monotonic = monotonic
        self._lease: Lease | None = None
        self._lapses_at = 0.0
        self._looks_at = 0.0
        self._renewing: asyncio.Task[None] | None = None

    async def lease(self) -> Lease | None:
        """Return the lease of this process; None while another process leads."""
        if self._lease is not None:
            if self._monotonic() < self._lapses_at:
                return self._lease
            await self.resign()
        began = self._monotonic()
        if began < self._looks_at:
            return None
        self._looks_at = began + _LOOK_SECONDS
        self._lease = await take_lease(self._database, self._name, self._holder)
        if self._lease is not None:
            self._lapses_at = began + LEASE_SECONDS
            self._renewing = asyncio.create_task(self._keep_renewing(self._lease))
        return self._lease

    async def resign(self) -> None:
        """Let another process lead at once."""
        lease, self._lease = self._lease, None
        renewing, self._renewing = self._renewing, None
        if renewing is not None:
            await stopped(renewing)
        if lease is not None:
            self._looks_at = 0.0
            with contextlib.suppress(*DATABASE_AWAY):  # then it ends at its deadline
                await asyncio.shield(release_lease(self._database, lease))

    async def _keep_renewing(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            began = self._monotonic()
            try:
                is_renewed = await renew_lease(self._database, lease)
            except DATABASE_AWAY as fault:
                log.warning("the lease of %s was not renewed: %s", self._name, type(fault).__name__)
                continue
            if not is_renewed:
                log.warning("another process has taken over %s", self._name)
                self._lapses_at = 0.0
                return
            self._lapses_at = began + LEASE_SECONDS

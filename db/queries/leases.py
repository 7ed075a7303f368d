"""Leases: leadership with a deadline, taken, renewed and checked by plain statements.

No session holds anything, so poolers, frozen processes and vanished machines do no harm: who does not renew
is no longer the leader after `LEASE_SECONDS`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from db.queries.orders import Source
from db.session import Connection

LEASE_SECONDS = 6.0


class LeaseLost(Exception):
    """Another process leads by now, so this one must not write."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of one holder. `token` is higher than that of every earlier holder."""

    name: str
    holder: str
    token: int


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads a work, and since when."""

    name: str
    holder: str
    since: datetime
    held_seconds: float


async def take_lease(source: Source, name: str, holder: str) -> Lease | None:
    """Take a lease that is free or past its deadline; None while another process has it."""
    token = await source.fetchval(
        """
        INSERT INTO leases AS held (name, holder, token, since, until)
        VALUES ($1, $2, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => $3))
        ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, token = held.token + 1, since = excluded.since, until = excluded.until
        WHERE held.until <= clock_timestamp()
        RETURNING token
        """,
        name,
        holder,
        LEASE_SECONDS,
    )
    return None if token is None else Lease(name, holder, token)


async def renew_lease(source: Source, lease: Lease) -> bool:
    """Move the deadline; False where another process has taken the lease."""
    renewed = await source.fetchval(
        "UPDATE leases SET until = clock_timestamp() + make_interval(secs => $4)"
        " WHERE name = $1 AND holder = $2 AND token = $3 RETURNING true",
        lease.name,
        lease.holder,
        lease.token,
        LEASE_SECONDS,
    )
    return bool(renewed)


async def release_lease(source: Source, lease: Lease) -> None:
    """Let another process take the lease at once."""
    await source.fetchval(
        "UPDATE leases SET until = clock_timestamp() WHERE name = $1 AND holder = $2 AND token = $3",
        lease.name,
        lease.holder,
        lease.token,
    )


async def check_lease(connection: Connection, lease: Lease) -> None:
    """Fence a transaction: call it as its last statement. Until the commit nobody can take the lease.

    The holder is compared too, because a standby that is promoted may not know the last token.

    Raises:
        LeaseLost: another process leads, and the transaction must be rolled back.
    """
    is_held = await connection.fetchval(
        "SELECT true FROM leases WHERE name = $1 AND holder = $2 AND token = $3 FOR SHARE",
        lease.name,
        lease.holder,
        lease.token,
    )
    if not is_held:
        raise LeaseLost(f"another process leads {lease.name!r}")


@asynccontextmanager
async def fenced(connection: Connection, lease: Lease) -> AsyncIterator[None]:
    """A transaction that commits only what the leader writes. Raises: LeaseLost."""
    async with connection.transaction():
        yield
        await check_lease(connection, lease)


async def read_leaders(source: Source) -> list[Leader]:
    """Who leads what; a work whose lease has lapsed has no leader."""
    rows = await source.fetch(
        """
        SELECT name, split_part(holder, '#', 1) AS holder, since,
               extract(epoch FROM clock_timestamp() - since)::float8 AS held_seconds
        FROM leases WHERE until > clock_timestamp() ORDER BY name
        """
    )
    return [Leader(**row) for row in rows]

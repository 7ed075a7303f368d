"""The probes of the stores."""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from domain.errors import Unavailable
from endpoints.health import Probe
from kit.lua import CommandRunner
from pubsub.heartbeat import Heartbeat
from services.context import ServiceContext
from services.search.find_events import EventSearch


def probes_of(
    context: ServiceContext,
    runner: CommandRunner,
    search: EventSearch,
    *,
    engine_url: str,
    stripe_url: str,
    is_stopping: Callable[[], bool],
) -> Mapping[str, Probe]:
    """Return the probes of PostgreSQL and Redis, which selling needs, and of the other stores.

    "" stands for an engine that is not configured, and for Stripe's own address, which is not dialled.
    """

    async def api() -> None:
        if is_stopping():
            raise Unavailable("This process is stopping.")

    async def redis() -> None:
        await asyncio.gather(*(server.run("PING") for server in await runner.servers()))

    probes = {"api": Probe(api, needed=True, costs_nothing=True)}
    probes |= {"postgres": Probe(context.database.ping, needed=True), "redis": Probe(redis, needed=True)}
    if engine_url:
        probes["search"] = Probe(search.check, needed=False)
    if stripe_url:
        probes["stripe"] = Probe(lambda: _reach(stripe_url), needed=False)
    probes["worker"] = Probe(Heartbeat(runner).check, needed=False)
    return probes


async def _reach(address: str) -> None:
    """Connect and disconnect."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.close()

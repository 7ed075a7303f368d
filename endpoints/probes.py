"""The probes of the stores."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from domain.errors import Unavailable
from endpoints.health import Probe
from kit.lua import CommandRunner
from pubsub.heartbeat import Heartbeat
from services.context import ServiceContext
from services.search.find_events import EventSearch

_SERVER_SECONDS = 1.0


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

    async def redis() -> str:
        return await ask_servers(await runner.servers())

    probes = {"api": Probe(api, needed=True, costs_nothing=True)}
    probes |= {"postgres": Probe(context.database.ping, needed=True), "redis": Probe(redis, needed=True)}
    if engine_url:
        probes["search"] = Probe(search.check, needed=False)
    if stripe_url:
        probes["stripe"] = Probe(lambda: _reach(stripe_url), needed=False)
    probes["worker"] = Probe(Heartbeat(runner).check, needed=False)
    return probes


async def ask_servers(servers: Sequence[CommandRunner]) -> str:
    """Ask every server, and return how many are away.

    The loss of some nodes of a cluster is no reason to take this process away: it sells the others' events,
    and every other process would be as unready.

    Raises:
        Exception: None answers; it is the failure of the first.
    """

    async def ask(server: CommandRunner) -> None:
        async with asyncio.timeout(_SERVER_SECONDS):
            await server.run("PING")

    answers = await asyncio.gather(*map(ask, servers), return_exceptions=True)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    if len(failures) == len(servers):
        raise failures[0]
    return f"{len(failures)} of {len(servers)} nodes away" if failures else ""


async def _reach(address: str) -> None:
    """Connect and disconnect."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.close()

"""The faults of an installation of many nodes, by name; most of those of a single one are among them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from domain.ids import Kind, parse_id
from faults.catalogue import FAULTS, Fault
from faults.cluster.installation import APIS, WORKERS, ClusterInstallation
from faults.cluster.other_host import OtherHost
from faults.cluster.valkey_nodes import NODE_TIMEOUT_SECONDS, ValkeyNode
from faults.target import Target
from reservations.keys import event_keys

# These name parts that an installation of many nodes has under other names.
_OF_ONE_NODE = {
    name
    for name in FAULTS
    if name.startswith(("kill-", "freeze-", "redis-", "flush-"))
    and not name.endswith(("meilisearch", "stripe"))
}
CLUSTER_FAULTS: dict[str, Fault] = {name: fault for name, fault in FAULTS.items() if name not in _OF_ONE_NODE}
_FAILOVER_SECONDS = NODE_TIMEOUT_SECONDS + 3.0

Inject = Callable[[ClusterInstallation, Target], AsyncIterator[None]]


def fault(
    name: str, what: str, seconds: float = 3.0, is_possible: Callable[[], bool] = lambda: True
) -> Callable[[Inject], None]:
    """Register a fault in the catalogue."""

    def register(inject: Inject) -> None:
        @asynccontextmanager
        async def of(target: Target) -> AsyncIterator[None]:
            assert isinstance(target.installation, ClusterInstallation)
            async with asynccontextmanager(inject)(target.installation, target):
                yield

        CLUSTER_FAULTS[name] = Fault(name, what, of, seconds, is_possible)

    return register


def sold_event_key(target: Target) -> str:
    """A key of the event that is being sold."""
    return event_keys(parse_id(target.workload.on_sale.event_id, Kind.EVENT)).meta


def sold_event_node(installation: ClusterInstallation, target: Target) -> ValkeyNode:
    """The primary of the event that is being sold."""
    return installation.valkey.owner(sold_event_key(target))


async def whole_again(installation: ClusterInstallation) -> None:
    """Wait until every node serves or follows; a campaign's next fault starts from there."""
    while not await asyncio.to_thread(installation.valkey.is_whole):
        await asyncio.sleep(0.2)


@fault("kill-primary", "kill -9 of the sold event's Valkey primary, which stays dead", _FAILOVER_SECONDS)
async def _kill_primary(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    node = sold_event_node(installation, target)
    installation.hold(node.name)
    yield
    await installation.release(node.name)
    await whole_again(installation)


@fault("kill-other-primary", "kill -9 of a Valkey primary that has another event", _FAILOVER_SECONDS)
async def _kill_other(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    busy = sold_event_node(installation, target)
    node = next(one for one in installation.valkey.primaries() if one is not busy)
    installation.hold(node.name)
    yield
    await installation.release(node.name)
    await whole_again(installation)


@fault("freeze-primary", "SIGSTOP of the sold event's primary until after its failover", _FAILOVER_SECONDS)
async def _freeze_primary(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    with installation.frozen(sold_event_node(installation, target).name):
        yield
    await whole_again(installation)


@fault("freeze-replica", "SIGSTOP of a replica of the sold event's primary", _FAILOVER_SECONDS)
async def _freeze_replica(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    node = sold_event_node(installation, target)
    replica = next(one for one in installation.valkey.family_of(node) if one is not node)
    with installation.frozen(replica.name):
        yield
    await whole_again(installation)


@fault("kill-both-copies", "kill -9 of the sold event's primary and its replica; both come back", 4.0)
async def _kill_both(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    family = [node.name for node in installation.valkey.family_of(sold_event_node(installation, target))]
    for name in family:
        installation.hold(name)
    yield
    await installation.release(*family)
    await whole_again(installation)


@fault("flush-node", "repeated FLUSHALL of the sold event's primary during requests")
async def _flush_node(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    async def flushes() -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                await asyncio.to_thread(sold_event_node(installation, target).ask, "FLUSHALL")
            await asyncio.sleep(target.rng.uniform(0.1, 0.8))

    task = asyncio.create_task(flushes())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@fault("move-slot", "the sold event's slot moves to another primary, and back", 4.0)
async def _move_slot(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    key = sold_event_key(target)
    source = installation.valkey.owner(key)
    other = next(node for node in installation.valkey.primaries() if node is not source)
    await asyncio.to_thread(installation.valkey.move_slot, key, other)
    yield
    await asyncio.to_thread(installation.valkey.move_slot, key, source)
    await whole_again(installation)


@fault(
    "vanish-host",
    "the machine of a Valkey primary and a worker is cut off, and no connection is closed",
    12.0,
    OtherHost.is_possible,
)
async def _vanish_host(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    assert installation.other_host is not None, "a namespace can be made"
    installation.other_host.vanish()
    try:
        yield
    finally:
        installation.other_host.appear()
    await whole_again(installation)


@fault("promote", "kill -9 of PostgreSQL's primary; its standby, which has every commit, is promoted", 1.0)
async def _promote(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    installation.hold(installation.postgres.primary.name)
    await installation.fail_over()
    yield
    await installation.restore_standby()


@fault("kill-standby", "kill -9 of PostgreSQL's standby, for which commits wait", 2.0)
async def _kill_standby(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    standby = installation.postgres.standby.name
    installation.hold(standby)
    yield
    await installation.release(standby)


@fault("freeze-postgres", "SIGSTOP of PostgreSQL's primary, then SIGCONT", 4.0)
async def _freeze_postgres(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    with installation.frozen(installation.postgres.primary.name):
        yield


@fault("kill-workers", "kill -9 of both workers, one after the other")
async def _kill_workers(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    for number in range(WORKERS):
        installation.kill(f"worker-{number}")
        await asyncio.sleep(0.5)
    yield


@fault("freeze-leader", "SIGSTOP of the worker that leads, until another one does", 12.0)
async def _freeze_leader(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    with installation.frozen(f"worker-{target.rng.randrange(WORKERS)}"):
        yield


@fault("kill-favourite", "kill -9 of the API process that HAProxy gives most requests to")
async def _kill_favourite(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    names = [f"api-{number}" for number in range(APIS)]
    installation.kill(max(names, key=installation.connections_of))
    yield


@fault("freeze-api", "SIGSTOP of an API process, which HAProxy takes away", 4.0)
async def _freeze_api(installation: ClusterInstallation, target: Target) -> AsyncIterator[None]:
    with installation.frozen(f"api-{target.rng.randrange(APIS)}"):
        yield

"""A client of a Redis cluster whose nodes do not wait for each other.

Every node has its own connections, its own batches and its own pause after a failure, so a dead node costs
its own keys and nothing else. The map of slots is read in the background, from any nodes that answer.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as ConnectionLost

from kit.lua import Argument, Command, CommandRunner
from kit.tasks import stopped
from reservations.cluster_node import ClusterNode
from reservations.slot_map import Address, SlotMap, SlotRange, ranges_from, slot_map_of

log = logging.getLogger("boxoffice.redis")

MakeClient = Callable[[Address], Redis]
Send = Callable[[Redis, Sequence[Command]], Awaitable[list[Any]]]

# A slot map is asked for at once after a sign that it has changed, and now and then without one.
_REFRESH_SECONDS = 5.0
_REFRESH_AFTER_FAILURE_SECONDS = 0.25
_VIEW_SECONDS = 1.0
_VIEWS = 3
# A command that was redirected was not executed, so it is safe to send it again.
_REDIRECTIONS = 5
_TRY_AGAIN_SECONDS = 0.05
_REDIRECTED = (MovedError, AskError, TryAgainError, ReadOnlyError)


class RedisCluster:
    """A `CommandRunner` that sends each command to the primary of its key."""

    source = "node of the cluster"
    """What the map is read from"""

    def __init__(self, seeds: Sequence[Address], make_client: MakeClient, send: Send) -> None:
        self._seeds = list(seeds)
        self._make_client = make_client
        self.send = send
        """How a batch is sent to a node"""
        self._map = SlotMap()
        self._nodes: dict[Address, ClusterNode] = {}
        self._refresher: asyncio.Task[None] | None = None
        self._refresh_wanted = asyncio.Event()
        self._refreshed = asyncio.Event()
        self.map_changed = asyncio.Event()
        """Set when a slot has another primary; who waits for it clears it"""

    async def run(self, *command: Argument) -> Any:
        """Return the command's answer from the node that has its key.

        Raises:
            RedisError: The node is away, its slot has no primary, or the answer is an error.
        """
        slot = slot_of(command)
        failure: RedisError = ClusterDownError("CLUSTERDOWN no node serves this slot")
        for attempt in range(_REDIRECTIONS):
            try:
                return await (await self._owner(slot)).run(*command)
            except AskError as asked:
                failure = asked
                if isinstance(asked, MovedError):
                    self._map.move(slot, (asked.host, asked.port))
                    self.map_changed.set()
                    self.want_refresh()
                    continue
                with contextlib.suppress(*_REDIRECTED):
                    return await self._node((asked.host, asked.port)).run(*command, asking=True)
            except (TryAgainError, ReadOnlyError) as busy:
                failure = busy
                self.want_refresh()
            except RedisError:
                self.want_refresh()
                raise
            await asyncio.sleep(_TRY_AGAIN_SECONDS * (attempt + 1))
        raise failure

    async def servers(self) -> Sequence[CommandRunner]:
        """A runner for every primary."""
        await self._known()
        return [self._node(address) for address in self._map.primaries]

    async def owner_of(self, key: str) -> Redis:
        """The client of the node that has a key or a channel.

        Raises:
            RedisError: No node serves it, or none answers.
        """
        return (await self._owner(key_slot(key.encode()))).client

    async def drain(self) -> None:
        """Wait for the commands under way: nobody may wait for their answers any more."""
        await asyncio.gather(*(node.drain() for node in self._nodes.values()))

    async def aclose(self) -> None:
        """Stop the refresher, and close every connection."""
        if self._refresher is not None:
            await stopped(self._refresher)
        await asyncio.gather(*(node.client.aclose() for node in self._nodes.values()))

    async def _owner(self, slot: int) -> ClusterNode:
        """The primary of a slot; while a failover runs, the slot has none."""
        await self._known()
        owner = self._map.owner(slot)
        if owner is None:
            self.want_refresh()
            raise ClusterDownError("CLUSTERDOWN no node serves this slot")
        return self._node(owner)

    def _node(self, address: Address) -> ClusterNode:
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = ClusterNode(self._make_client(address), self._send_batch)
        return node

    async def _send_batch(self, client: Redis, commands: Sequence[Command]) -> list[Any]:
        return await self.send(client, commands)

    async def _known(self) -> None:
        """Wait for the first map.

        Raises:
            ConnectionLost: No node answers.
        """
        if self._map.primaries:
            return
        if self._refresher is None or self._refresher.done():
            self._refresher = asyncio.create_task(self._keep_refreshing())
        self.want_refresh()
        self._refreshed.clear()
        await self._refreshed.wait()
        if not self._map.primaries:
            raise ConnectionLost(f"no {self.source} answers")

    def want_refresh(self) -> None:
        """Read the map of slots soon."""
        self._refresh_wanted.set()

    async def _keep_refreshing(self) -> None:
        while True:
            self._refresh_wanted.clear()
            began = time.monotonic()
            await self._refresh()
            self._refreshed.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REFRESH_SECONDS):
                    await self._refresh_wanted.wait()
            pause = began + _REFRESH_AFTER_FAILURE_SECONDS - time.monotonic()
            await asyncio.sleep(max(pause, 0) if self._map.primaries else min(max(pause, 0), 0.05))

    async def _refresh(self) -> None:
        """Read the map from a few nodes that answer; the map stays as it is where none does."""
        asked = self._sources()
        random.shuffle(asked)
        views: list[Sequence[SlotRange]] = []
        for at in range(0, len(asked), _VIEWS):
            answers = await asyncio.gather(
                *(self._view_of(each) for each in asked[at : at + _VIEWS]), return_exceptions=True
            )
            views += [view for view in answers if not isinstance(view, BaseException)]
            if len(views) >= min(2, len(asked)):
                break
        if not views:
            log.warning("no %s answers", self.source)
            return
        found = slot_map_of(views)
        if found != self._map:
            self._map = found
            self.map_changed.set()
        await self._forget_nodes()

    def _sources(self) -> list[Address]:
        """Whom to ask for the map."""
        return list(dict.fromkeys([*self._map.primaries, *self._nodes, *self._seeds]))

    async def _view_of(self, address: Address) -> list[SlotRange]:
        async with asyncio.timeout(_VIEW_SECONDS):
            node = self._node(address)
            slots, nodes = await asyncio.gather(node.run("CLUSTER", "SLOTS"), node.run("CLUSTER", "NODES"))
        return ranges_from(slots, nodes, address)

    async def _forget_nodes(self) -> None:
        """Close the connections of nodes that serve nothing any more and have nothing under way."""
        kept = {*self._map.primaries, *self._seeds}
        for address in [each for each, node in self._nodes.items() if each not in kept and node.is_idle]:
            await self._nodes.pop(address).client.aclose()


def slot_of(command: Command) -> int:
    """Return the slot of a command's first key; a script's keys follow their number.

    A command without a key goes through `RedisCluster.servers`.
    """
    at = 3 if command[0] in ("EVALSHA", "EVAL") else 1
    key = command[at]
    return key_slot(key if isinstance(key, bytes) else str(key).encode())

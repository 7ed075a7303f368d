"""The primary that Sentinels name: a cluster of one node, whose map is read from the Sentinels."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from kit.redis_address import Host
from reservations.cluster import MakeClient, RedisCluster, Send
from reservations.slot_map import SLOTS, Address, SlotRange


class SentinelPrimary(RedisCluster):
    """A `CommandRunner` of the primary, whichever server that is at the time.

    The highest epoch among two Sentinels' answers is right, so one that was cut off cannot lead us back to an
    earlier primary.
    """

    source = "Sentinel"

    def __init__(
        self,
        service: str,
        hosts: Sequence[Host],
        sentinel_client_of: Callable[[Host], Redis],
        make_client: MakeClient,
        send: Send,
    ) -> None:
        super().__init__([], make_client, send)
        self._service = service
        self._sentinels = {host: sentinel_client_of(host) for host in hosts}

    async def aclose(self) -> None:
        """Close every connection."""
        await super().aclose()
        await asyncio.gather(*(client.aclose() for client in self._sentinels.values()))

    def _sources(self) -> list[Address]:
        return list(self._sentinels)

    async def _view_of(self, address: Address) -> list[SlotRange]:
        primary, epoch = await primary_named_by(self._sentinels[address], self._service)
        return [SlotRange(0, SLOTS - 1, primary, epoch)]


async def primary_named_by(sentinel: Redis, service: str) -> tuple[Address, int]:
    """Return the primary's address, and the epoch in which it became that.

    The address is that of a replica from the moment it was promoted, before the failover has ended.

    Raises:
        RedisError: The Sentinel is away, or does not know the service.
    """
    named = await _asked(sentinel, "GET-MASTER-ADDR-BY-NAME", service)
    if named is None:
        raise ResponseError(f"the Sentinel knows no service {service}")
    facts = _facts_from(await _asked(sentinel, "MASTER", service))
    return (_text(named[0]), int(named[1])), int(facts["config-epoch"])


async def _asked(sentinel: Redis, *command: str) -> Any:
    return await sentinel.execute_command("SENTINEL", *command)  # type: ignore[no-untyped-call]


def _facts_from(answer: Any) -> dict[str, str]:
    """The pairs of an answer, which is a map or, in the older protocol, a list."""
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


def _text(value: bytes | str | int) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

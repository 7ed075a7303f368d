"""Tells an address of Redis that cannot work from servers that are away for a while."""

import asyncio
from functools import partial

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from kit.redis_address import Host, RedisAddress, RedisKind
from reservations.connection import sentinel_client_of, server_client
from reservations.discovery import NO_CLUSTER, is_cluster_node
from reservations.sentinels import primary_named_by


async def address_fault(url: str) -> str | None:
    """Return why an address cannot work, as the end of a sentence about it.

    None: it works, or no server answers yet.
    """
    address = RedisAddress.parse(url)
    faults = await asyncio.gather(*(_fault_of(address, host) for host in address.hosts))
    answered = [fault for fault in faults if fault is not None]
    return None if "" in answered else next(iter(answered), None)


async def _fault_of(address: RedisAddress, host: Host) -> str | None:
    """Return what a server says against the address; "" nothing, None where it does not answer."""
    is_sentinel = address.kind is RedisKind.SENTINEL
    client_of = sentinel_client_of(address) if is_sentinel else partial(server_client, address, 1)
    client = client_of(host)
    try:
        if is_sentinel:
            await primary_named_by(client, address.service)
            return ""
        return await _misfit(address, client)
    except (RedisError, OSError, TimeoutError) as error:
        is_refusal = isinstance(error, ResponseError | AuthenticationError) or "SSL" in str(error)
        return f"is refused by {host[0]}:{host[1]}: {error}" if is_refusal else None
    finally:
        await client.aclose()


async def _misfit(address: RedisAddress, client: Redis) -> str:
    is_cluster = await is_cluster_node(client)
    if is_cluster and address.database:
        return f"names database {address.database}, but a cluster has database 0 alone"
    if is_cluster or (address.kind is RedisKind.SERVER and len(address.hosts) == 1):
        return ""
    return NO_CLUSTER

"""The Redis keys and channels that belong to no event; no other module builds one."""

from uuid import UUID

WORKER = "bo:worker"
"""STRING: 1 while a worker runs. Lifetime: 6 seconds from the last heartbeat. Owner: Heartbeat."""

OPEN_STREAMS = "bo:open_streams"
"""HASH: process -> its time and its open subscriptions. Lifetime: 15 seconds from the last entry of a
process. Owner: OpenStreams."""

NETWORK_CONNECTIONS = "bo:network_connections"
"""HASH: process -> its time and its open connections by network, where they are many. Lifetime: 4 seconds
from the last entry of a process. Owner: NetworkConnections."""

PROCESS_METRICS = "bo:figures"
"""HASH: process -> its time and its metrics. Lifetime: 15 seconds from the last entry of a process. Owner:
ProcessMetrics."""

TEXTS = "bo:{documents}:texts"
"""HASH: document hash -> text. Lifetime: 30 days from the last use of any. Owner: RedisDocuments."""

USED = "bo:{documents}:used"
"""SORTED SET: document hash by its last use in Unix seconds. Lifetime: 30 days from the last use of any.
Owner: RedisDocuments."""

SIZE = "bo:{documents}:size"
"""INTEGER: bytes of all texts. Lifetime: 30 days from the last use of any. Owner: RedisDocuments."""


EVENTS_CHANNEL = "bo:events"
"""CHANNEL: the uuid of an event that its organiser changed, or that sold out. Lifetime: none. Owner:
ServiceContext."""


def order_channel(order_id: UUID) -> str:
    """CHANNEL: the topic of an outbox task after a change of the order. Lifetime: none. Owner: the outbox."""
    return f"bo:order:{order_id}"


def spent_key(account: str, window: int) -> str:
    """INTEGER: amount that an account spent in one minute. Lifetime: two minutes. Owner: Budgets."""
    return f"bo:spent:{account}:{window}"


def counted_key(name: str, window: int) -> str:
    """INTEGER: amount that was counted in one minute. Lifetime: two minutes. Owner: SlidingCounters."""
    return f"bo:counted:{name}:{window}"


def used_once_key(name: str) -> str:
    """STRING: 1 from the first use of a name. Lifetime: the name's own. Owner: SingleUse."""
    return f"bo:used_once:{name}"


def stream_channel(name: str) -> str:
    """CHANNEL: messages for an event stream of another process. Lifetime: none. Owner: ChannelBus."""
    return f"bo:stream:{name}"


def probe_channel(process: str) -> str:
    """CHANNEL: messages of a process to itself. Lifetime: none. Owner: PubSubLatencyProbe."""
    return f"bo:echo:{process}"

"""The memory that sockets and event streams may make this process keep, beyond a little for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

ALLOWANCE_BYTES = 32_768
"""What each connection may hold without a charge: some operations, and a message that is being received."""

OPERATION_BYTES = 4_096
"""What an open operation needs beside its message."""
MESSAGE_EXPANSION = 4
"""A decoded message takes so many times its bytes."""
MEMORY_LIMIT = "memory"
"""The name of this limit in the metrics"""
NO_MEMORY = "The server keeps too much for open connections; end an operation, or try again later."


class MemoryBudget:
    """Bytes that all connections share; one network holds at most its share of them."""

    def __init__(self, total_bytes: int, share_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._share_bytes = share_bytes
        self._by_network: Counter[Hashable] = Counter()
        self.taken_bytes = 0

    def take(self, network: Hashable | None, size_bytes: int) -> bool:
        """Take bytes for a network, None where it is not counted; False where they are not there."""
        if self.taken_bytes + size_bytes > self._total_bytes:
            return False
        if network is not None:
            if self._by_network[network] + size_bytes > self._share_bytes:
                return False
            self._by_network[network] += size_bytes
        self.taken_bytes += size_bytes
        return True

    def release(self, network: Hashable | None, size_bytes: int) -> None:
        """Give bytes back."""
        self.taken_bytes -= size_bytes
        if network is not None:
            self._by_network[network] -= size_bytes
            if not self._by_network[network]:
                del self._by_network[network]


class ConnectionMemory:
    """What one connection holds; what is above its allowance comes out of the budget."""

    __slots__ = ("_budget", "_charged", "_held", "_is_closed", "_network")

    def __init__(self, budget: MemoryBudget, network: Hashable | None) -> None:
        self._budget = budget
        self._network = network
        self._held = 0
        self._charged = 0
        self._is_closed = False

    def take(self, size_bytes: int) -> bool:
        """Hold more; False, and nothing is held, where the budget has no room."""
        if self._is_closed:
            return True
        missing = self._held + size_bytes - ALLOWANCE_BYTES - self._charged
        if missing > 0:
            if not self._budget.take(self._network, missing):
                return False
            self._charged += missing
        self._held += size_bytes
        return True

    @property
    def network(self) -> Hashable | None:
        """The network that is charged."""
        return self._network

    def close(self) -> None:
        """Hold nothing from now on."""
        self._budget.release(self._network, self._charged)
        self._held = self._charged = 0
        self._is_closed = True

    def release(self, size_bytes: int) -> None:
        """Hold less; after `close` this does nothing."""
        self._held -= size_bytes
        spare = self._charged - max(0, self._held - ALLOWANCE_BYTES)
        if spare > 0:
            self._charged -= spare
            self._budget.release(self._network, spare)


@dataclass(slots=True)
class _Use:
    """A document, and the network that is charged for it."""

    size_bytes: int
    network: Hashable | None
    users: int = 1


class DocumentsInUse:
    """The documents that open subscriptions keep in memory; each is charged once, to its first user."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._uses: dict[Hashable, _Use] = {}

    def take(self, document: Hashable, size_bytes: int, network: Hashable | None) -> bool:
        """Use a document; False where it is new and the budget has no room for it."""
        use = self._uses.get(document)
        if use is not None:
            use.users += 1
            return True
        if not self._budget.take(network, size_bytes):
            return False
        self._uses[document] = _Use(size_bytes, network)
        return True

    def release(self, document: Hashable) -> None:
        """Use a document no longer."""
        use = self._uses[document]
        use.users -= 1
        if not use.users:
            del self._uses[document]
            self._budget.release(use.network, use.size_bytes)

"""How many sockets and event streams each network has open, at this process and at the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from transport.protocol.errors import TooManyConnections
from transport.protocol.ports import ConnectionCounts, ConnectionInfo, Meters

LIMIT = "network_connections"


class OpenConnections:
    """A bound for each network; 0 bounds nothing."""

    def __init__(
        self,
        most: int,
        network_of: Callable[[ConnectionInfo], Hashable | None],
        counts: ConnectionCounts,
        meters: Meters,
    ) -> None:
        self._most = most
        self._network_of = network_of
        self._counts = counts
        self._meters = meters
        self._open: Counter[Hashable] = Counter()

    @contextmanager
    def held(self, info: ConnectionInfo) -> Iterator[None]:
        """Count a connection while it is open. Raises: TooManyConnections."""
        release = self.acquire(info)
        try:
            yield
        finally:
            release()

    def acquire(self, info: ConnectionInfo) -> Callable[[], None]:
        """Count a connection until the function that this returns is called. Raises: TooManyConnections."""
        network = self._network_of(info) if self._most else None
        if network is None:
            return _nothing
        if self._open.get(network, 0) + self._counts.elsewhere(network) >= self._most:
            self._meters.limited(LIMIT)
            raise TooManyConnections
        self._open[network] += 1
        self._counts.change(network, 1)
        return lambda: self._release(network)

    def _release(self, network: Hashable) -> None:
        self._open[network] -= 1
        self._counts.change(network, -1)
        if not self._open[network]:
            del self._open[network]


def _nothing() -> None:
    """Release a connection that was not counted."""

"""The map of a Redis cluster: the node that serves each slot, as several nodes see it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SLOTS = 16_384

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class SlotRange:
    """Slots `first` to `last` and their primary, with the epoch in which it took them over."""

    first: int
    last: int
    primary: Address
    epoch: int


class SlotMap:
    """The primary of every slot; None where no node serves it."""

    def __init__(self, owners: list[Address | None] | None = None) -> None:
        self._owners = owners or [None] * SLOTS
        self.primaries = [owner for owner in dict.fromkeys(self._owners) if owner is not None]
        """Every node that serves a slot"""

    def __eq__(self, other: object) -> bool:
        """Whether every slot has the same primary in both."""
        return isinstance(other, SlotMap) and self._owners == other._owners

    def owner(self, slot: int) -> Address | None:
        """Return the primary of a slot."""
        return self._owners[slot]

    def move(self, slot: int, owner: Address) -> None:
        """Take in that a slot has another primary."""
        self._owners[slot] = owner
        if owner not in self.primaries:
            self.primaries.append(owner)


def slot_map_of(views: Iterable[Sequence[SlotRange]]) -> SlotMap:
    """Return the map that several nodes' views make together: for each slot the highest epoch is right.

    A node that was away for a while, or is cut off, has lower epochs; it cannot turn the map back.
    """
    owners: list[Address | None] = [None] * SLOTS
    for each in sorted((each for view in views for each in view), key=lambda each: each.epoch):
        owners[each.first : each.last + 1] = [each.primary] * (each.last + 1 - each.first)
    return SlotMap(owners)


def ranges_from(slots: Sequence[Any], nodes: bytes, asked: Address) -> list[SlotRange]:
    """Return a node's view from its answers to CLUSTER SLOTS and CLUSTER NODES.

    The first has the addresses by which clients reach the nodes, the second has the epochs. A node that
    does not know its own address answers "" or None for it: it is `asked`.
    """
    epochs = _epochs_from(nodes)
    ranges = []
    for first, last, primary, *_ in slots:
        host, port, node_id = primary[0] or b"", int(primary[1]), primary[2].decode()
        name = host.decode() if isinstance(host, bytes) else str(host)
        address = (name if name not in ("", "?") else asked[0], port)
        if node_id in epochs:
            ranges.append(SlotRange(int(first), int(last), address, epochs[node_id]))
    return ranges


def _epochs_from(nodes: bytes) -> dict[str, int]:
    """The configuration epoch of every primary that is not known to have failed, by node id."""
    epochs = {}
    for line in nodes.decode().splitlines():
        node_id, _, flags, _, _, _, epoch, *_ = line.split(" ")
        if "master" in flags.split(","):
            epochs[node_id] = int(epoch)
    return epochs

"""How many tickets of one event a buyer may have, and whose budgets an order counts against."""

from dataclasses import dataclass, field
from uuid import UUID

from kit.networks import is_public, network_of

HELD_PER_NETWORK = 100
"""The most unpaid tickets of one event and network, where the installation sets no number."""


@dataclass(frozen=True, slots=True)
class LimitKeys:
    """The budgets that an order counts against; none where the organiser sells."""

    person: UUID | None = None
    address: UUID | None = None
    """Of a signed-in person's verified address, whose guests' tickets count for the person too"""
    account: UUID | None = None
    """The account; one person may have many as a guest"""
    network: str | None = None


@dataclass(frozen=True, slots=True)
class TicketLimits:
    """The limits of one attempt to hold places; 0 does not limit."""

    keys: LimitKeys = field(default_factory=LimitKeys)
    per_person: int = 0
    """Live tickets of one person and event, held and booked"""
    unpaid_per_network: int = 0
    """Unpaid tickets of one network and event"""


NO_LIMITS = TicketLimits()


@dataclass(frozen=True, slots=True)
class NetworkLimit:
    """The most unpaid tickets of one event that one network may hold; 0 does not limit."""

    tickets: int = 0
    private_too: bool = False
    """Whether private addresses count: usually they are a proxy's, or this machine's own."""

    def network(self, address: str) -> str | None:
        """The network that an address counts for; None where it does not count."""
        return self.counted_network(address) if self.tickets > 0 else None

    def counted_network(self, address: str) -> str | None:
        """The network of an address, whatever the limit is; None for a private one that does not count."""
        counts = self.private_too or is_public(address)
        return (network_of(address) or None) if counts else None

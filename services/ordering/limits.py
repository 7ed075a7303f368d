"""Limits: how many tickets of an event a person, and the network of a person, may hold."""

from uuid import UUID

from db.violations import LimitReached
from domain.errors import DomainError, LimitExceeded, SlowDown
from domain.person import person_of
from domain.ticket_limits import NO_LIMITS, LimitKeys, NetworkLimit, TicketLimits
from domain.viewer import Scope, Viewer
from services.context import ServiceContext

# A hold of the network that is paid or given up makes room; nobody learns when that will be.
_NETWORK_RETRY_SECONDS = 30


def limits_of(
    buyer: Viewer, organiser_id: UUID | None, per_person: int, network_limit: NetworkLimit, address: str
) -> TicketLimits:
    """The limits of a buyer; none for the organiser of the event, who sells from the box office.

    Args:
        per_person: the event's maxTicketsPerPerson.
        address: of the client.
    """
    if buyer.user_id == organiser_id and Scope.ORGANISE.value in buyer.scopes:
        return NO_LIMITS
    person, network = person_of(buyer), network_limit.network(address)
    return TicketLimits(
        LimitKeys(person.key, person.address_key, buyer.user_id, network), per_person, network_limit.tickets
    )


def limit_error(context: ServiceContext, buyer: Viewer, quantity: int, reached: LimitReached) -> DomainError:
    """Count the refusal of `quantity` tickets, and return its error.

    The error gives away nothing about other people's tickets. Nobody verified a guest's address, so a guest
    learns what their own account has, and what the refusal itself says: that the address has at least so many
    that these do not fit.
    """
    context.meters.limited("tickets_of_network" if reached.of_network else "tickets_of_person")
    if reached.of_network:
        return SlowDown(
            _NETWORK_RETRY_SECONDS,
            "Too many unpaid tickets of this event are held from your network; please try again soon.",
        )
    have = max(reached.own, reached.most - quantity + 1) if person_of(buyer).is_guest else reached.have
    return LimitExceeded(
        f"One person may have at most {reached.most} tickets of this event.", limit=reached.most, have=have
    )

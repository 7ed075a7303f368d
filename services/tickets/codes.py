"""What a good ticket opens with: its entry code, and the secret in the addresses of its documents.

Whether a viewer may see them, the caller decides.
"""

from db.queries.orders import ClaimRow, claim_by_ticket
from domain.states import ClaimState
from domain.ticket_keys import ticket_named_by
from services.context import ServiceContext, reading


def code_of(context: ServiceContext, ticket: ClaimRow) -> str | None:
    """Return the entry code of an issued ticket; None for every other."""
    if ticket.state != ClaimState.BOOKED:
        return None
    return context.ticket_keys.code_of(ticket.event_id, ticket.ticket_id, ticket.generation)


def document_secret_of(context: ServiceContext, ticket: ClaimRow) -> str | None:
    """Return the secret in the addresses of an issued ticket's documents; None for every other ticket."""
    if ticket.state != ClaimState.BOOKED:
        return None
    return context.ticket_keys.document_secret(ticket.ticket_id, ticket.generation)


async def ticket_of_secret(context: ServiceContext, secret: str) -> ClaimRow | None:
    """Return the issued ticket whose documents have this secret; None where it is wrong or dead.

    Raises:
        Unavailable: The database does not answer.
    """
    ticket_id = ticket_named_by(secret)
    ticket = None if ticket_id is None else await reading(claim_by_ticket(context.database, ticket_id))
    if ticket is None or ticket.state != ClaimState.BOOKED:
        return None
    good = context.ticket_keys.has_document_secret(secret, ticket.ticket_id, ticket.generation)
    return ticket if good else None

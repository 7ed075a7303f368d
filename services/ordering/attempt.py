"""One attempt to reserve: what a buyer asks for, under the order id that it will have."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from db.queries.sales import SaleRow
from domain.layout import SeatMap
from domain.ticket_limits import TicketLimits
from domain.viewer import Viewer
from services.ordering.selection import ExactSeats, Selection


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """The event and the places that a buyer asks to hold."""

    event_id: UUID
    selection: Selection
    queue_token: str | None = None
    idempotency_key: str | None = None

    def input_hash(self) -> str:
        """Return the same hash for the same input. The queue token, which is renewed, is not part of it.

        The hash is stored with the order, so the names of the selections' classes and fields must not change.
        """
        selection = self.selection
        if isinstance(selection, ExactSeats):
            selection = ExactSeats(tuple(sorted(selection.places)))
        text = f"{self.event_id} {selection!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A buyer's request with the order id, the terms of the sale and the admission that it has."""

    order_id: UUID
    viewer: Viewer
    request: ReserveRequest
    sale: SaleRow
    seat_map: SeatMap
    admission_id: str | None
    limits: TicketLimits

    @property
    def request_name(self) -> str:
        """What simultaneous requests with one key and one input have in common; "" without a key."""
        if self.request.idempotency_key is None:
            return ""
        return f"{self.order_id}:{self.request.input_hash()[:12]}"

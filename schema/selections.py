"""A reserve input as the service takes it."""

from uuid import UUID

from domain.ids import Kind, Part, parse_id, parse_part
from resolvers.ordering import places_of_seats
from schema.inputs import BestAvailableInput, ReserveInput, SelectionInput
from services.ordering.attempt import ReserveRequest
from services.ordering.selection import BestAvailable, ExactSeats, GeneralAdmission, Selection


def reserve_request(wanted: ReserveInput) -> ReserveRequest:
    """Return the request with its ids parsed.

    Raises:
        InvalidInput: An id is malformed, or of another event.
    """
    event_id = parse_id(wanted.event_id, Kind.EVENT)
    selection = _selection(wanted.selection, event_id)
    return ReserveRequest(event_id, selection, wanted.queue_token, wanted.idempotency_key)


def _selection(chosen: SelectionInput, event_id: UUID) -> Selection:
    if chosen.general_admission:
        places = chosen.general_admission
        return GeneralAdmission(_number(places.section_id, Part.SECTION, event_id), places.quantity)
    if chosen.best_available:
        return _best_available(chosen.best_available, event_id)
    return ExactSeats(places_of_seats(list(chosen.seat_ids or ()), event_id))


def _best_available(best: BestAvailableInput, event_id: UUID) -> BestAvailable:
    section = level = None
    if best.section_id is not None:
        section = _number(best.section_id, Part.SECTION, event_id)
    if best.price_level_id is not None:
        level = _number(best.price_level_id, Part.PRICE_LEVEL, event_id)
    return BestAvailable(best.quantity, level, section, bool(best.accessible))


def _number(public_id: str, part: Part, event_id: UUID) -> int:
    return parse_part(public_id, part, event_id)[1]

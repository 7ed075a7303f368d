"""Organise events: create, update and publish them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import isfinite
from typing import TypedDict
from uuid import UUID

from db.queries.catalogue import (
    EventDescription,
    change_event,
    has_bookings,
    performers_like,
    publish_draft,
    write_draft,
)
from db.queries.events import EventRow, event_by_id
from db.queries.seating_plans import seating_plan_document
from db.queries.users import store_user
from db.queries.venues import VenueDescription, venue_like
from db.session import DATABASE_AWAY, Connection
from domain.errors import InvalidInput, NotFound, Unavailable
from domain.idempotency import Operation, request_key
from domain.ids import Kind, parse_id
from domain.layout import SeatMap
from domain.seating import GeneralAdmission, PriceInput, build_seat_map
from domain.seating_plan import parse_seating_plan
from domain.states import ASSUMED_DURATION, EventState
from domain.text_input import name, optional_name, paragraphs
from domain.timezones import is_timezone
from domain.viewer import Viewer
from kit.ids import new_uuid
from services.context import ServiceContext, reading
from services.idempotency import earlier_result, record_request
from services.identity.authorisation import organiser_of, own_sale

MOST_PERFORMERS = 100
MOST_TICKETS_AN_ORDER = 100
MOST_TICKETS_A_PERSON = 10_000
_MOVED_SILENTLY = (
    "startsAt: tickets of this event are sold or being paid; give notifyBuyers: true to move it all the same."
)


@dataclass(frozen=True, slots=True)
class VenueDraft:
    """A requested venue, not yet checked."""

    name: str
    address: str | None
    city: str
    country: str | None
    lat: float | None
    lng: float | None
    timezone: str


@dataclass(frozen=True, slots=True)
class EventDraft:
    """A requested event, not yet checked."""

    name: str
    description: str
    category: str | None
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    venue: VenueDraft
    performers: Sequence[str]
    seating_plan: str | None
    seating_plan_id: str | None
    price_levels: Sequence[PriceInput]
    general_admission: Sequence[GeneralAdmission]
    max_tickets_per_order: int
    max_tickets_per_person: int | None
    orphan_rule: bool


class EventChanges(TypedDict, total=False):
    """The changed fields of an event; a missing field stays as it is."""

    name: str | None
    description: str | None
    category: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    max_tickets_per_order: int | None
    max_tickets_per_person: int | None


async def create_event(
    context: ServiceContext, viewer: Viewer | None, draft: EventDraft, idempotency_key: str | None = None
) -> UUID:
    """Create a draft of the viewer's, and return its id; with a key that was used, the id it returned then.

    Raises:
        Unauthenticated, Forbidden: As `organiser_of`.
        InvalidInput: With the path of the first fault.
        NotFound: There is no plan with this seatingPlanId.
        IdempotencyMismatch: The key was used with another input.
    """
    organiser = organiser_of(viewer)
    request = request_key(organiser.user_id, Operation.CREATE_EVENT, idempotency_key, draft)
    earlier = await earlier_result(context, request)
    if earlier is not None:
        return earlier
    event = _checked_event(draft, organiser)
    venue = _checked_venue(draft.venue)
    performers = _checked_performers(draft.performers)
    document = await _plan_document(context, draft)
    seat_map = await asyncio.to_thread(_seat_map, event.id, draft, document)
    try:
        async with context.database.transaction() as connection:
            earlier = await record_request(connection, request, event.id, context.now())
            if earlier is not None:
                return earlier
            await store_user(connection, organiser)
            venue_id = await venue_like(connection, venue)
            performer_ids = await performers_like(connection, performers)
            await write_draft(connection, event, venue_id, performer_ids, seat_map)
    except DATABASE_AWAY as error:
        raise Unavailable from error
    return event.id


async def update_event(
    context: ServiceContext,
    viewer: Viewer | None,
    event_id: UUID,
    changes: EventChanges,
    idempotency_key: str | None = None,
    *,
    notify_buyers: bool = False,
) -> None:
    """Change the organiser's own event; with a key that was used, nothing is changed again.

    Raises:
        Unauthenticated, Forbidden, NotFound: As `own_sale`.
        InvalidInput: It is cancelled, the changed fields contradict each other, or the start of an event
            with bookings moves without `notify_buyers`.
        IdempotencyMismatch: The key was used with another input.
    """
    organiser = organiser_of(viewer)
    await own_sale(context, viewer, event_id)
    wanted = (str(event_id), sorted(changes.items()), notify_buyers)
    request = request_key(organiser.user_id, Operation.UPDATE_EVENT, idempotency_key, wanted)
    if await earlier_result(context, request) is not None:
        return
    event = await _event(context, event_id)
    if event.state == EventState.CANCELLED:
        raise InvalidInput("A cancelled event does not change.")
    checked = _checked_changes(changes)
    _check_changed_times(event, checked)
    moves = checked.get("starts_at", event.starts_at) != event.starts_at

    async def write(connection: Connection) -> None:
        if await record_request(connection, request, event_id, context.now()) is not None or not checked:
            return
        if moves and not notify_buyers:
            await _refuse_silent_move(connection, event_id)
        await change_event(connection, event_id, checked)

    await context.change_event(event_id, write)


def _check_changed_times(event: EventRow, checked: EventChanges) -> None:
    _check_times(
        checked.get("starts_at") or event.starts_at,
        checked.get("ends_at", event.ends_at),
        checked.get("on_sale_at", event.on_sale_at),
        checked.get("off_sale_at", event.off_sale_at),
    )


async def _refuse_silent_move(connection: Connection, event_id: UUID) -> None:
    if await has_bookings(connection, event_id):
        raise InvalidInput(_MOVED_SILENTLY)


async def publish_event(context: ServiceContext, viewer: Viewer | None, event_id: UUID) -> None:
    """Publish the organiser's own draft; a published event stays as it is.

    Raises:
        Unauthenticated, Forbidden, NotFound: As `own_sale`.
        InvalidInput: It is cancelled or over.
    """
    await own_sale(context, viewer, event_id)
    event = await _event(context, event_id)
    if event.state == EventState.CANCELLED:
        raise InvalidInput("A cancelled event cannot be published.")
    if context.now() >= (event.ends_at or event.starts_at + ASSUMED_DURATION):
        raise InvalidInput("An event that is over cannot be published.")
    await context.change_event(event_id, partial(publish_draft, event_id=event_id))


async def _event(context: ServiceContext, event_id: UUID) -> EventRow:
    event = await reading(event_by_id(context.database, event_id))
    if event is None:
        raise NotFound("There is no such event.")
    return event


def _checked_event(draft: EventDraft, organiser: Viewer) -> EventDescription:
    per_order, per_person = draft.max_tickets_per_order, draft.max_tickets_per_person
    if per_person is None:
        per_person = per_order
    _check_limits(per_order, per_person)
    _check_times(draft.starts_at, draft.ends_at, draft.on_sale_at, draft.off_sale_at)
    return EventDescription(
        id=new_uuid(),
        organiser_id=organiser.user_id,
        name=name(draft.name, "name"),
        description=paragraphs(draft.description, "description"),
        category=optional_name(draft.category, "category", most=100),
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        on_sale_at=draft.on_sale_at,
        off_sale_at=draft.off_sale_at,
        max_tickets_per_order=per_order,
        max_tickets_per_person=per_person,
        orphan_rule=draft.orphan_rule,
    )


def _check_limits(per_order: int | None, per_person: int | None) -> None:
    if per_order is None or not 1 <= per_order <= MOST_TICKETS_AN_ORDER:
        raise InvalidInput(f"maxTicketsPerOrder: must be between 1 and {MOST_TICKETS_AN_ORDER}.")
    if per_person is None or not 1 <= per_person <= MOST_TICKETS_A_PERSON:
        raise InvalidInput(f"maxTicketsPerPerson: must be between 1 and {MOST_TICKETS_A_PERSON}.")


def _checked_changes(changes: EventChanges) -> EventChanges:
    checked = changes.copy()
    if "name" in changes:
        checked["name"] = name(changes["name"] or "", "name")
    if "description" in changes:
        checked["description"] = paragraphs(changes["description"] or "", "description")
    if "category" in changes:
        checked["category"] = optional_name(changes["category"], "category", most=100)
    if "starts_at" in changes and changes["starts_at"] is None:
        raise InvalidInput("startsAt: an event has a start.")
    _check_limits(changes.get("max_tickets_per_order", 1), changes.get("max_tickets_per_person", 1))
    return checked


def _check_times(
    starts_at: datetime,
    ends_at: datetime | None,
    on_sale_at: datetime | None,
    off_sale_at: datetime | None,
) -> None:
    if ends_at is not None and ends_at <= starts_at:
        raise InvalidInput("endsAt: must be later than startsAt.")
    if off_sale_at is not None and on_sale_at is not None and off_sale_at <= on_sale_at:
        raise InvalidInput("offSaleAt: must be later than onSaleAt.")
    times = {"startsAt": starts_at, "endsAt": ends_at, "onSaleAt": on_sale_at, "offSaleAt": off_sale_at}
    for field, time in times.items():
        # Beyond these years PostgreSQL, JavaScript and the clocks of clients begin to disagree.
        if time is not None and not 1900 <= time.year <= 9000:
            raise InvalidInput(f"{field}: must be between the years 1900 and 9000.")


def _checked_venue(venue: VenueDraft) -> VenueDescription:
    if (venue.lat is None) != (venue.lng is None):
        raise InvalidInput("venue: lat and lng come together.")
    _check_degrees(venue.lat, 90, "venue.lat")
    _check_degrees(venue.lng, 180, "venue.lng")
    if not is_timezone(venue.timezone):
        raise InvalidInput(f"venue.timezone: {venue.timezone[:40]!r} is no IANA name such as Asia/Seoul.")
    return VenueDescription(
        name=name(venue.name, "venue.name"),
        address=optional_name(venue.address, "venue.address", most=500),
        city=name(venue.city, "venue.city"),
        country=optional_name(venue.country, "venue.country"),
        lat=venue.lat,
        lng=venue.lng,
        timezone=venue.timezone,
    )


def _check_degrees(value: float | None, most: int, path: str) -> None:
    if value is not None and not (isfinite(value) and -most <= value <= most):
        raise InvalidInput(f"{path}: must be between -{most} and {most} degrees.")


def _checked_performers(names: Sequence[str]) -> list[str]:
    if len(names) > MOST_PERFORMERS:
        raise InvalidInput(f"performers: at most {MOST_PERFORMERS}.")
    tidy = [name(each, f"performers[{number}]") for number, each in enumerate(names)]
    return list(dict.fromkeys(tidy))


async def _plan_document(context: ServiceContext, draft: EventDraft) -> str | None:
    """Return the plan's JSON text: the given one, or the one that was imported."""
    if draft.seating_plan_id is None:
        return draft.seating_plan
    if draft.seating_plan is not None:
        raise InvalidInput("seatingPlanId: give either seatingPlan or seatingPlanId, not both.")
    plan_id = parse_id(draft.seating_plan_id, Kind.SEATING_PLAN)
    document = await reading(seating_plan_document(context.database, plan_id))
    if document is None:
        raise NotFound("There is no such seating plan; boxoffice import plan FILE stores one.")
    return document


def _seat_map(event_id: UUID, draft: EventDraft, document: str | None) -> SeatMap:
    try:
        plan = None if document is None else parse_seating_plan(document)
    except InvalidInput as error:
        raise InvalidInput(f"seatingPlan: {error.message}") from None
    return build_seat_map(event_id, plan, draft.price_levels, draft.general_admission)

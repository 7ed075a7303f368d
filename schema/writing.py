"""Converts organisers' inputs to those of the resolvers and services."""

from typing import cast

import strawberry

from domain.money import Money
from domain.seating import GeneralAdmission, PriceInput
from resolvers.ordering import RefundRequest
from schema.inputs import CreateEventInput, MoneyInput, RefundOrderInput, UpdateEventInput, VenueInput
from services.catalogue.organise_events import EventChanges, EventDraft, VenueDraft

_CHANGES = tuple(EventChanges.__annotations__)


def event_draft(wanted: CreateEventInput) -> EventDraft:
    """Return a requested event, unchecked."""
    return EventDraft(
        name=wanted.name,
        description=wanted.description or "",
        category=wanted.category,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        on_sale_at=wanted.on_sale_at,
        off_sale_at=wanted.off_sale_at,
        venue=_venue(wanted.venue),
        performers=tuple(wanted.performers or ()),
        seating_plan=wanted.seating_plan,
        seating_plan_id=wanted.seating_plan_id,
        price_levels=tuple(
            PriceInput(level.category, _money(level.price), _fee(level.fee))
            for level in wanted.price_levels or ()
        ),
        general_admission=tuple(
            GeneralAdmission(section.name, section.capacity, _money(section.price), _fee(section.fee))
            for section in wanted.general_admission or ()
        ),
        max_tickets_per_order=8 if wanted.max_tickets_per_order is None else wanted.max_tickets_per_order,
        max_tickets_per_person=wanted.max_tickets_per_person,
        orphan_rule=wanted.orphan_rule is not False,
    )


def event_changes(wanted: UpdateEventInput) -> EventChanges:
    """Return the given fields, with nulls; omitted fields are absent."""
    given = {name: getattr(wanted, name) for name in _CHANGES}
    changes = {name: value for name, value in given.items() if value is not strawberry.UNSET}
    return cast("EventChanges", changes)


def refund_request(wanted: RefundOrderInput) -> RefundRequest:
    """Return a requested refund, unchecked."""
    tickets = None if wanted.ticket_ids is None else tuple(map(str, wanted.ticket_ids))
    return RefundRequest(wanted.order_id, wanted.reference, tickets, wanted.reason, wanted.idempotency_key)


def _venue(venue: VenueInput) -> VenueDraft:
    return VenueDraft(
        venue.name, venue.address, venue.city, venue.country, venue.lat, venue.lng, venue.timezone
    )


def _money(money: MoneyInput) -> Money:
    return Money(money.amount, money.currency)


def _fee(money: MoneyInput | None) -> Money | None:
    return None if money is None else _money(money)

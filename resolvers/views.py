"""The rows that resolvers return and take; the schema imports them from here, not from the database."""

from dataloaders.places import AvailabilityRow
from db.queries.events import EventRow
from db.queries.performers import PerformerRow
from db.queries.upcoming_events import EventConditions, EventOrder
from db.queries.users import UserRow
from db.queries.venues import VenueRow
from services.ordering.next_step import NextStep

__all__ = [
    "AvailabilityRow",
    "EventConditions",
    "EventOrder",
    "EventRow",
    "NextStep",
    "PerformerRow",
    "UserRow",
    "VenueRow",
]

"""The rows that resolvers return and take: what the schema knows of the floors below."""

from dataloaders.places import AvailabilityRow
from db.queries.events import EventConditions, EventOrder, EventRow
from db.queries.performers import PerformerRow
from db.queries.users import UserRow
from db.queries.venues import VenueRow

__all__ = [
    "AvailabilityRow",
    "EventConditions",
    "EventOrder",
    "EventRow",
    "PerformerRow",
    "UserRow",
    "VenueRow",
]

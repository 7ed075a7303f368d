"""The tables as SQLModel classes: the source of the migrations and of nothing else.

Queries go through asyncpg (`db.queries`, `db.sql`); a test compares these classes with a migrated
database, so that the two cannot differ.
"""

from db.models.catalogue import Event, EventPerformer, Performer, PriceLevel, SeatingPlan, SeatMap, Venue
from db.models.delivery import OutboxEntry, StripeEvent
from db.models.idempotency import IdempotencyKey
from db.models.leases import Lease
from db.models.ordering import CardAttempt, Claim, Order, Payment, PlaceEpoch, Refund, User, VoidList
from db.models.search import (
    SearchDocument,
    SearchOutboxEntry,
    SearchRefusal,
    SearchRemark,
    SearchState,
    SearchWord,
)
from db.models.waiting_room import QueueEntry, WaitingRoom

__all__ = [
    "CardAttempt",
    "Claim",
    "Event",
    "EventPerformer",
    "IdempotencyKey",
    "Lease",
    "Order",
    "OutboxEntry",
    "Payment",
    "Performer",
    "PlaceEpoch",
    "PriceLevel",
    "QueueEntry",
    "Refund",
    "SearchDocument",
    "SearchOutboxEntry",
    "SearchRefusal",
    "SearchRemark",
    "SearchState",
    "SearchWord",
    "SeatMap",
    "SeatingPlan",
    "StripeEvent",
    "User",
    "Venue",
    "VoidList",
    "WaitingRoom",
]

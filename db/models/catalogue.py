"""Venues, performers, seating plans, and events with their seat maps, prices and bills."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from db.models.columns import UUID, amount, datetime, foreign_key, key, state, text, timestamp
from domain.states import EventState


class Venue(SQLModel, table=True):
    """A venue. `external_id` is the importer's own key, so that a second import changes nothing."""

    __tablename__ = "venues"
    __table_args__ = (sa.Index("venues_by_city", sa.text("lower(city)")),)

    id: UUID = key()
    external_id: str | None = text(nullable=True, unique=True)
    name: str = text()
    address: str | None = text(nullable=True)
    city: str = text()
    country: str | None = text(nullable=True)
    lat: float | None = None
    lng: float | None = None
    timezone: str = text()
    created_at: datetime = timestamp(now=True)
    updated_at: datetime = timestamp(now=True)


class Performer(SQLModel, table=True):
    """A person or group on an event's bill."""

    __tablename__ = "performers"

    id: UUID = key()
    external_id: str | None = text(nullable=True, unique=True)
    name: str = text()
    bio: str | None = text(nullable=True)
    genres: list[str] = Field(
        sa_column=sa.Column(postgresql.ARRAY(sa.Text), nullable=False, server_default="{}")
    )
    created_at: datetime = timestamp(now=True)
    updated_at: datetime = timestamp(now=True)


class SeatMap(SQLModel, table=True):
    """One immutable version of an event's layout with its prices; `domain.layout_document` is its form."""

    __tablename__ = "seat_maps"

    version: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=False, index=True))
    layout: str = Field(sa_column=sa.Column(postgresql.JSONB, nullable=False))
    seat_count: int
    place_count: int
    created_at: datetime = timestamp(now=True)


class SeatingPlan(SQLModel, table=True):
    """A venue's plan as imported; `digest` is the SHA-256 of `document`, so that a plan is stored once."""

    __tablename__ = "seating_plans"

    id: UUID = key()
    name: str = text()
    digest: str = text(unique=True)
    document: str = text()
    seat_count: int
    created_at: datetime = timestamp(now=True)


class Event(SQLModel, table=True):
    """A concert, a play or a match: one performance at one time and venue."""

    __tablename__ = "events"
    __table_args__ = (
        sa.Index(
            "events_by_start_and_end",
            "starts_at",
            "id",
            postgresql_where="state = 'PUBLISHED'",
            postgresql_include=["ends_at"],  # so that counting upcoming events reads the index alone
        ),
        sa.Index("events_by_creation", "created_at", "id", postgresql_where="state = 'PUBLISHED'"),
        sa.Index("events_by_price", "price_from", "starts_at", "id", postgresql_where="state = 'PUBLISHED'"),
        sa.Index("events_by_venue_and_start", "venue_id", "starts_at", "id"),
        sa.Index("events_by_organiser_and_creation", "organiser_id", "created_at", "id"),
        sa.Index(
            "events_by_category",
            sa.text("lower(category)"),
            "starts_at",
            "id",
            postgresql_where="state = 'PUBLISHED'",
        ),
        # The events that may have begun long ago and go on.
        sa.Index(
            "events_of_days",
            "ends_at",
            postgresql_where="state = 'PUBLISHED' AND ends_at - starts_at > interval '6 hours'",
        ),
        sa.Index("events_with_waiting_room", "id", postgresql_where="waiting_room_enabled"),
    )

    id: UUID = key()
    external_id: str | None = text(nullable=True, unique=True)
    organiser_id: UUID | None = foreign_key("users.id", nullable=True)
    name: str = text()
    description: str = text(default="")
    state: str = state(EventState, name="events_state")
    category: str | None = text(nullable=True)
    starts_at: datetime = timestamp()
    ends_at: datetime | None = timestamp(nullable=True)
    on_sale_at: datetime | None = timestamp(nullable=True)
    off_sale_at: datetime | None = timestamp(nullable=True)
    # When its start was last changed: who held seats before has chosen another evening.
    moved_at: datetime | None = timestamp(nullable=True)
    venue_id: UUID = foreign_key("venues.id")
    seat_map_version: str = Field(
        sa_column=sa.Column(sa.Text, sa.ForeignKey("seat_maps.version"), nullable=False)
    )
    price_from: int | None = amount(nullable=True)
    price_to: int | None = amount(nullable=True)
    currency: str | None = text(nullable=True)
    max_tickets_per_order: int
    # Empty where an older version made the event: as max_tickets_per_order.
    max_tickets_per_person: int | None = None
    orphan_rule: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true()))
    sold_out: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    waiting_room_enabled: bool = Field(
        sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false())
    )
    waiting_room_admit_per_minute: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default="600")
    )
    waiting_room_max_active: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default="2000")
    )
    waiting_room_admission_seconds: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default="600")
    )
    waiting_room_pre_queue_seconds: int = Field(
        sa_column=sa.Column(sa.Integer, nullable=False, server_default="86400")
    )
    created_at: datetime = timestamp(now=True)
    updated_at: datetime = timestamp(now=True)


class EventPerformer(SQLModel, table=True):
    """The bill of an event, in billing order."""

    __tablename__ = "event_performers"
    __table_args__ = (sa.Index("event_performers_by_performer", "performer_id"),)

    event_id: UUID = foreign_key("events.id", primary_key=True)
    performer_id: UUID = foreign_key("performers.id", primary_key=True)
    position: int


class PriceLevel(SQLModel, table=True):
    """A price and a fee in minor units; the layout refers to it by its number."""

    __tablename__ = "price_levels"

    event_id: UUID = foreign_key("events.id", primary_key=True)
    number: int = Field(sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False))
    name: str = text()
    color: str | None = text(nullable=True)
    price_minor: int = amount()
    fee_minor: int = amount()
    currency: str = text()

"""Users, orders, claims, payments and refunds."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from db.models.columns import UUID, amount, datetime, foreign_key, key, state, text, timestamp
from domain.states import CardAttemptState, ClaimState, DisputeState, OrderState, SalesChannel

_CHANNELS = ", ".join(f"'{channel}'" for channel in SalesChannel)
LIVE_CLAIM = "state <> 'ENDED'"


class User(SQLModel, table=True):
    """A buyer or an organiser; the id is derived from the token's subject (`domain.ids`)."""

    __tablename__ = "users"
    __table_args__ = (sa.Index("users_guests_by_age", "created_at", postgresql_where="guest"),)

    id: UUID = key()
    subject: str = text(unique=True)
    email: str | None = text(nullable=True)
    name: str | None = text(nullable=True)
    guest: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    created_at: datetime = timestamp(now=True)


class Order(SQLModel, table=True):
    """A purchase, from its hold on. Amounts are minor units of `currency`; `expires_at` is the deadline."""

    __tablename__ = "orders"
    __table_args__ = (
        sa.Index("orders_by_user", "user_id", "created_at", "id"),
        sa.Index("orders_by_deadline", "expires_at", postgresql_where="state IN ('RESERVED', 'PAYING')"),
        sa.Index("orders_by_event_and_state", "event_id", "state", "created_at", "id"),
        sa.Index("orders_by_person", "person_key", "event_id", postgresql_where="person_key IS NOT NULL"),
        sa.Index("orders_by_address", "address_key", "event_id", postgresql_where="address_key IS NOT NULL"),
        sa.Index(
            "orders_by_network",
            "network",
            "event_id",
            postgresql_where="network IS NOT NULL AND state IN ('RESERVED', 'PAYING')",
        ),
        sa.Index(
            "orders_with_network",
            "event_id",
            postgresql_where="network IS NOT NULL AND state NOT IN ('RESERVED', 'PAYING')",
        ),
    )

    id: UUID = key()
    reference: str = text(unique=True)
    event_id: UUID = foreign_key("events.id")
    user_id: UUID = foreign_key("users.id")
    state: str = state(OrderState, name="orders_state")
    currency: str = text()
    subtotal_minor: int = amount()
    fees_minor: int = amount()
    total_minor: int = amount()
    idempotency_key: str | None = text(nullable=True)
    input_hash: str | None = text(nullable=True)
    expires_at: datetime = timestamp()
    extended: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    admission_jti: str | None = text(nullable=True)
    # Whose limits it counts against (domain.person); empty where the organiser sold it.
    person_key: UUID | None = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=True))
    address_key: UUID | None = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=True))
    network: str | None = text(nullable=True)
    channel: str = Field(
        sa_column=sa.Column(
            sa.Text,
            sa.CheckConstraint(f"channel IN ({_CHANNELS})", name="orders_channel"),
            nullable=False,
            server_default=SalesChannel.WEB,
        )
    )
    booked_at: datetime | None = timestamp(nullable=True)
    created_at: datetime = timestamp(now=True)
    updated_at: datetime = timestamp(now=True)


class Claim(SQLModel, table=True):
    """A place bound to an order, or blocked without one.

    The partial unique index over live claims makes a double sale impossible.
    """

    __tablename__ = "claims"
    __table_args__ = (
        sa.Index(
            "claims_live",
            "event_id",
            "place",
            unique=True,
            postgresql_where=LIVE_CLAIM,
            postgresql_include=["state"],  # so that counting places reads the index alone
        ),
        sa.Index("claims_by_order", "order_id"),
        sa.Index("claims_by_ticket", "ticket_id", unique=True),
        sa.Index("claims_void", "event_id", "void_version", postgresql_where="void_version IS NOT NULL"),
        sa.Index("claims_never_sold", "event_id", postgresql_where="state = 'ENDED' AND refund_id IS NULL"),
    )

    id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))
    # No foreign key: the order has one, and each check would lock the event's row, which is contended.
    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=False))
    place: int
    order_id: UUID | None = foreign_key("orders.id", nullable=True)
    state: str = state(ClaimState, name="claims_state")
    price_level: int | None = None
    price_minor: int = amount()
    fee_minor: int = amount()
    # What clients know the ticket by, for ever; a place that is sold again has another claim.
    ticket_id: UUID = Field(
        sa_column=sa.Column(
            postgresql.UUID(as_uuid=True), nullable=False, server_default=sa.text("gen_random_uuid()")
        )
    )
    # The refund that ended it; empty where no money went back, and for refunds before version 0011.
    refund_id: UUID | None = foreign_key("refunds.id", nullable=True)
    # Codes and documents of an earlier generation are void.
    generation: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="1"))
    issued_at: datetime | None = timestamp(nullable=True)
    # The trigger claims_void writes both, in whatever way an issued ticket ends or is issued anew.
    voided_at: datetime | None = timestamp(nullable=True)
    void_version: int | None = None
    # Who has it, where that is not the order's buyer.
    holder_name: str | None = text(nullable=True)
    holder_email: str | None = text(nullable=True)


class VoidList(SQLModel, table=True):
    """The version of an event's void list, which rises with every ticket that becomes void."""

    __tablename__ = "void_lists"

    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), primary_key=True))
    version: int


class Payment(SQLModel, table=True):
    """An order's payment: one intent at the gateway, however many cards are tried."""

    __tablename__ = "payments"
    __table_args__ = (
        sa.Index(
            "payments_unsettled",
            "check_at",
            postgresql_where="state IN ('REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED', 'FAILED')",
        ),
        sa.Index(
            "payments_with_refund_check", "refund_check_at", postgresql_where="refund_check_at IS NOT NULL"
        ),
    )

    id: UUID = key()
    order_id: UUID = foreign_key("orders.id", unique=True)
    intent_id: str | None = text(nullable=True, unique=True)
    state: str = text()
    amount_minor: int = amount()
    currency: str = text()
    captured_minor: int = amount(default="0")
    refunded_minor: int = amount(default="0")
    failure_code: str | None = text(nullable=True)
    idempotency_key: str | None = text(nullable=True)
    input_hash: str | None = text(nullable=True)
    attempts: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    # How often the gateway was asked since the last change of state, and when it is asked again.
    checks: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    check_at: datetime = timestamp(now=True)
    # The same for money that went back, which a bank may return; empty where nobody is going to look.
    refund_checks: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    refund_check_at: datetime | None = timestamp(nullable=True)
    created_at: datetime = timestamp(now=True)
    updated_at: datetime = timestamp(now=True)


class CardAttempt(SQLModel, table=True):
    """An attempt to pay an order with a card, which the limits of declines count for an hour."""

    __tablename__ = "card_attempts"
    __table_args__ = (
        sa.Index("card_attempts_once", "order_id", "attempt", unique=True),
        sa.Index("card_attempts_by_person", "person_key", "at"),
        sa.Index("card_attempts_by_network", "network", "state", "at"),
        sa.Index("card_attempts_by_age", "at"),
    )

    id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))
    order_id: UUID = foreign_key("orders.id")
    # The gateway's charge; our own key of the attempt while its outcome is unknown.
    attempt: str = text()
    person_key: UUID | None = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), nullable=True))
    network: str | None = text(nullable=True)
    state: str = state(CardAttemptState, name="card_attempts_state")
    at: datetime = timestamp()


class Refund(SQLModel, table=True):
    """A refund: written with the decision and sent by the outbox, once; or made at the gateway by hand."""

    __tablename__ = "refunds"
    __table_args__ = (
        sa.Index("refunds_by_payment", "payment_id"),
        sa.Index("refunds_once", "gateway_id", unique=True),
        sa.Index("refunds_not_sent", "id", postgresql_where="state <> 'SENT'"),
    )

    id: UUID = key()
    payment_id: UUID = foreign_key("payments.id")
    amount_minor: int = amount()
    reason: str | None = text(nullable=True)
    state: str = text()
    gateway_id: str | None = text(nullable=True)
    by_hand: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    # The price of the tickets that it ended, where that is not its amount.
    tickets_minor: int | None = amount(nullable=True)
    bounces: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    created_at: datetime = timestamp(now=True)
    updated_at: datetime = timestamp(now=True)


class Dispute(SQLModel, table=True):
    """A cardholder's dispute of a payment, as the gateway had it at `read_at`; the id is the gateway's."""

    __tablename__ = "disputes"
    __table_args__ = (sa.Index("disputes_by_payment", "payment_id"),)

    id: str = Field(sa_column=sa.Column(sa.Text, primary_key=True))
    payment_id: UUID = foreign_key("payments.id")
    amount_minor: int = amount()
    currency: str = text()
    reason: str = text()
    state: str = state(DisputeState, name="disputes_state")
    # Whether the gateway still refunds the payment.
    refundable: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False))
    respond_by: datetime | None = timestamp(nullable=True)
    created_at: datetime = timestamp()
    read_at: datetime = timestamp()


class PlaceEpoch(SQLModel, table=True):
    """The version at which an event's next epoch starts, when Redis is rebuilt.

    Versions never repeat over epochs, so a client that resumes from an old version gets no wrong delta.
    """

    __tablename__ = "place_epochs"
    __table_args__ = (sa.Index("place_epochs_built", "event_id", postgresql_where="built_at IS NOT NULL"),)

    event_id: UUID = Field(sa_column=sa.Column(postgresql.UUID(as_uuid=True), primary_key=True))
    first_version: int
    built_at: datetime | None = timestamp(now=True, nullable=True)
    """When the event was built in Redis; None where it is no longer there."""

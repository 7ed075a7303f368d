"""The catalogue, orders and claims"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:

    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column(
            "available_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_by_key", "outbox", ["key", "id"], unique=False)
    op.create_index("outbox_due", "outbox", ["available_at", "id"], unique=False)
    op.create_table(
        "performers",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text(), nullable=True),
        sa.Column("genres", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
    )
    op.create_table(
        "place_epochs",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("first_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "seat_maps",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("layout", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seat_count", sa.Integer(), nullable=False),
        sa.Column("place_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_index(op.f("ix_seat_maps_event_id"), "seat_maps", ["event_id"], unique=False)
    op.create_table(
        "stripe_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("guest", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "venues",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lng", sa.Float(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("organiser_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_sale_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_sale_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("venue_id", sa.UUID(), nullable=False),
        sa.Column("seat_map_version", sa.Text(), nullable=False),
        sa.Column("price_from", sa.Integer(), nullable=True),
        sa.Column("price_to", sa.Integer(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("max_tickets_per_order", sa.Integer(), nullable=False),
        sa.Column("orphan_rule", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sold_out", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("waiting_room_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("waiting_room_admit_per_minute", sa.Integer(), server_default="600", nullable=False),
        sa.Column("waiting_room_max_active", sa.Integer(), server_default="2000", nullable=False),
        sa.Column("waiting_room_admission_seconds", sa.Integer(), server_default="600", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organiser_id"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["seat_map_version"],
            ["seat_maps.version"],
        ),
        sa.ForeignKeyConstraint(
            ["venue_id"],
            ["venues.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
    )
    op.create_index(
        "events_by_creation",
        "events",
        ["created_at", "id"],
        unique=False,
        postgresql_where="state = 'PUBLISHED'",
    )
    op.create_index("events_by_organiser", "events", ["organiser_id"], unique=False)
    op.create_index(
        "events_by_start", "events", ["starts_at", "id"], unique=False, postgresql_where="state = 'PUBLISHED'"
    )
    op.create_index("events_by_venue", "events", ["venue_id"], unique=False)
    op.create_table(
        "event_performers",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("performer_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.ForeignKeyConstraint(
            ["performer_id"],
            ["performers.id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "performer_id"),
    )
    op.create_index("event_performers_by_performer", "event_performers", ["performer_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("subtotal_minor", sa.Integer(), nullable=False),
        sa.Column("fees_minor", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("input_hash", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("admission_jti", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(
        "orders_by_deadline",
        "orders",
        ["expires_at"],
        unique=False,
        postgresql_where="state IN ('RESERVED', 'PAYING')",
    )
    op.create_index("orders_by_event", "orders", ["event_id", "state"], unique=False)
    op.create_index("orders_by_user", "orders", ["user_id", "created_at", "id"], unique=False)
    op.create_table(
        "price_levels",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("fee_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "number"),
    )
    op.create_table(
        "claims",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price_level", sa.Integer(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("fee_minor", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("claims_by_order", "claims", ["order_id"], unique=False)
    op.create_index(
        "claims_live", "claims", ["event_id", "place"], unique=True, postgresql_where="state <> 'ENDED'"
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("captured_minor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("refunded_minor", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("input_hash", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("intent_id"),
        sa.UniqueConstraint("order_id"),
    )
    op.create_index(
        "payments_unsettled",
        "payments",
        ["updated_at"],
        unique=False,
        postgresql_where="state IN ('REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED', 'FAILED')",
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("payment_id", sa.UUID(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=True),
        sa.Column("bounces", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("refunds_by_payment", "refunds", ["payment_id"], unique=False)
    op.execute(
        """
        CREATE FUNCTION announce_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_notify('boxoffice_outbox', '');
          RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER outbox_announced AFTER INSERT ON outbox
        FOR EACH STATEMENT EXECUTE FUNCTION announce_outbox()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER outbox_announced ON outbox")
    op.execute("DROP FUNCTION announce_outbox()")

    op.drop_index("refunds_by_payment", table_name="refunds")
    op.drop_table("refunds")
    op.drop_index(
        "payments_unsettled",
        table_name="payments",
        postgresql_where="state IN ('REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED', 'FAILED')",
    )
    op.drop_table("payments")
    op.drop_index("claims_live", table_name="claims", postgresql_where="state <> 'ENDED'")
    op.drop_index("claims_by_order", table_name="claims")
    op.drop_table("claims")
    op.drop_table("price_levels")
    op.drop_index("orders_by_user", table_name="orders")
    op.drop_index("orders_by_event", table_name="orders")
    op.drop_index(
        "orders_by_deadline", table_name="orders", postgresql_where="state IN ('RESERVED', 'PAYING')"
    )
    op.drop_table("orders")
    op.drop_index("event_performers_by_performer", table_name="event_performers")
    op.drop_table("event_performers")
    op.drop_index("events_by_venue", table_name="events")
    op.drop_index("events_by_start", table_name="events", postgresql_where="state = 'PUBLISHED'")
    op.drop_index("events_by_organiser", table_name="events")
    op.drop_index("events_by_creation", table_name="events", postgresql_where="state = 'PUBLISHED'")
    op.drop_table("events")
    op.drop_table("venues")
    op.drop_table("users")
    op.drop_table("stripe_events")
    op.drop_index(op.f("ix_seat_maps_event_id"), table_name="seat_maps")
    op.drop_table("seat_maps")
    op.drop_table("place_epochs")
    op.drop_table("performers")
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_index("outbox_by_key", table_name="outbox")
    op.drop_table("outbox")

"""Limits of persons and networks: their keys with every order, and the function that counts live tickets"""

from collections.abc import Sequence
from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# As domain.person derives them.
_PERSONS = UUID("0d7bd2a5-59f0-5c9d-8a35-0f6c7a0f5a18")

# A volatile function's statements see what was committed before each of them, and so, after the locks, every
# order of the transactions that had them. The settings: its statements are planned once, not at each call
# (half a millisecond), and the plan that was made over an empty table does not scan a full one.
_COUNT = """
CREATE FUNCTION count_live_tickets(
  event_ids uuid[], user_ids uuid[], persons uuid[], addresses uuid[], networks text[], at timestamptz
) RETURNS TABLE (number bigint, have int, own int, unpaid int)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(locks.key) FROM (
    SELECT DISTINCT hashtextextended(wanted.event_id || ' ' || owners.owner, 0) AS key
    FROM unnest(event_ids, persons, addresses, networks) AS wanted (event_id, person, address, network)
    CROSS JOIN LATERAL (VALUES (person::text), (address::text), (network)) AS owners (owner)
    WHERE owners.owner IS NOT NULL
    ORDER BY 1
  ) AS locks;
  RETURN QUERY
  WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(event_ids, user_ids, persons, addresses, networks) WITH ORDINALITY
      AS wanted (event_id, user_id, person, address, network, number)
  ), held AS MATERIALIZED (
    SELECT counted.event_id, counted.network, (
      SELECT count(*)::int FROM orders JOIN claims ON claims.order_id = orders.id AND claims.state = 'HELD'
      WHERE orders.event_id = counted.event_id AND orders.network = counted.network
        AND orders.state IN ('RESERVED', 'PAYING') AND (orders.state = 'PAYING' OR orders.expires_at > at)
    ) AS unpaid
    FROM (SELECT DISTINCT event_id, network FROM wanted WHERE network IS NOT NULL) AS counted
  )
  SELECT wanted.number, person.have, person.own, coalesce(held.unpaid, 0)
  FROM wanted
  CROSS JOIN LATERAL (
    SELECT
      (coalesce(sum(live.tickets) FILTER (WHERE live.same), 0)
        + coalesce(max(live.tickets) FILTER (WHERE NOT live.same), 0))::int AS have,
      coalesce(sum(live.own), 0)::int AS own
    FROM (
      SELECT placed.same, placed.person_key, count(*) AS tickets,
        count(*) FILTER (WHERE placed.user_id = wanted.user_id) AS own
      FROM (
        SELECT id, state, expires_at, user_id, person_key, true AS same FROM orders
        WHERE event_id = wanted.event_id AND person_key = wanted.person
        UNION ALL
        SELECT id, state, expires_at, user_id, person_key, true FROM orders
        WHERE event_id = wanted.event_id AND person_key = wanted.address
        UNION ALL
        SELECT id, state, expires_at, user_id, person_key, false FROM orders
        WHERE event_id = wanted.event_id AND address_key = wanted.person
      ) AS placed
      JOIN claims ON claims.order_id = placed.id AND claims.state <> 'ENDED'
      WHERE placed.state <> 'RESERVED' OR placed.expires_at > at
      GROUP BY placed.same, placed.person_key
    ) AS live
  ) AS person
  LEFT JOIN held ON held.event_id = wanted.event_id AND held.network = wanted.network;
END $$
"""

_LIVE_ORDERS = """
SELECT orders.id, orders.user_id, users.email FROM orders JOIN users ON users.id = orders.user_id
WHERE orders.state IN ('RESERVED', 'PAYING', 'BOOKED') AND users.subject LIKE 'guest:%' AND email IS NOT NULL
"""


def upgrade() -> None:
    # Left empty by an older version's process: as max_tickets_per_order.
    op.add_column("events", sa.Column("max_tickets_per_person", sa.Integer(), nullable=True))
    op.add_column("orders", sa.Column("person_key", postgresql.UUID(as_uuid=True), nullable=True))
    op.add_column("orders", sa.Column("address_key", postgresql.UUID(as_uuid=True), nullable=True))
    op.add_column("orders", sa.Column("network", sa.Text(), nullable=True))
    _give_live_orders_their_person()
    op.create_index(
        "orders_by_person",
        "orders",
        ["person_key", "event_id"],
        postgresql_where="person_key IS NOT NULL",
    )
    op.create_index(
        "orders_by_address",
        "orders",
        ["address_key", "event_id"],
        postgresql_where="address_key IS NOT NULL",
    )
    op.create_index(
        "orders_by_network",
        "orders",
        ["network", "event_id"],
        postgresql_where="network IS NOT NULL AND state IN ('RESERVED', 'PAYING')",
    )
    op.execute(_COUNT)


def _give_live_orders_their_person() -> None:
    """Guests count by address. Whether a user's address was verified is not known, so users count alone."""
    connection = op.get_bind()
    guests = connection.execute(sa.text(_LIVE_ORDERS)).all()
    users = connection.execute(
        sa.text("SELECT DISTINCT user_id FROM orders WHERE state IN ('RESERVED', 'PAYING', 'BOOKED')")
    ).all()
    by_user = [{"key": uuid5(_PERSONS, f"user:{user_id}"), "id": user_id} for (user_id,) in users]
    by_order = [{"key": uuid5(_PERSONS, f"mail:{_normal(email)}"), "id": key} for key, _, email in guests]
    if by_user:
        connection.execute(
            sa.text(
                "UPDATE orders SET person_key = :key"
                " WHERE user_id = :id AND state IN ('RESERVED', 'PAYING', 'BOOKED')"
            ),
            by_user,
        )
    if by_order:
        connection.execute(sa.text("UPDATE orders SET person_key = :key WHERE id = :id"), by_order)


def _normal(email: str) -> str:
    name, at, host = email.strip().lower().rpartition("@")
    return f"{name.partition('+')[0] or name}{at}{host}"


def downgrade() -> None:
    op.execute("DROP FUNCTION count_live_tickets(uuid[], uuid[], uuid[], uuid[], text[], timestamptz)")
    op.drop_index("orders_by_network", table_name="orders")
    op.drop_index("orders_by_address", table_name="orders")
    op.drop_index("orders_by_person", table_name="orders")
    op.drop_column("orders", "network")
    op.drop_column("orders", "address_key")
    op.drop_column("orders", "person_key")
    op.drop_column("events", "max_tickets_per_person")

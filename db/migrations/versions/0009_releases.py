"""The function that counts the unpaid orders that persons released or let lapse"""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Without the setting, a plan that was made while the table was empty would scan a full one.
_COUNT = """
CREATE FUNCTION count_releases(
  event_ids uuid[], persons uuid[], addresses uuid[], since timestamptz, now timestamptz
) RETURNS TABLE (number bigint, releases int, latest timestamptz)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT wanted.number, count(*)::int, max(ended.at)
  FROM unnest(event_ids, persons, addresses) WITH ORDINALITY AS wanted (event_id, person, address, number)
  CROSS JOIN LATERAL (
    SELECT CASE placed.state WHEN 'RESERVED' THEN placed.expires_at ELSE placed.updated_at END AS at
    FROM (
      SELECT state, expires_at, updated_at FROM orders
      WHERE person_key = wanted.person AND event_id = wanted.event_id
      UNION ALL
      SELECT state, expires_at, updated_at FROM orders
      WHERE person_key = wanted.address AND event_id = wanted.event_id
      UNION ALL
      SELECT state, expires_at, updated_at FROM orders
      WHERE address_key = wanted.person AND event_id = wanted.event_id
    ) AS placed
    WHERE placed.state IN ('EXPIRED', 'CANCELLED') OR placed.state = 'RESERVED' AND placed.expires_at <= now
  ) AS ended
  WHERE ended.at > since
  GROUP BY wanted.number;
END $$
"""


def upgrade() -> None:
    op.execute(_COUNT)


def downgrade() -> None:
    op.execute("DROP FUNCTION count_releases(uuid[], uuid[], uuid[], timestamptz, timestamptz)")

-- Takes the unsettled payments that are due to be looked at, longest due first, and sets when each is due
-- again: after the next of the growing pauses. Skips those that another transaction has locked.
--
-- Payments of ended orders are included, because their money may still be authorised at the gateway. A failed
-- payment is included only while its order can still be paid.
-- Returns the ids of their orders.
--
-- $1 now · $2 maximum number · $3 pauses in seconds, the last of which repeats
UPDATE payments
SET checks = checks + 1,
  check_at = $1::timestamptz + ($3::float8[])[least(checks + 2, cardinality($3::float8[]))] * interval '1 second'
WHERE id IN (
  SELECT id FROM payments
  WHERE state IN ('REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED', 'FAILED') AND check_at <= $1
    AND intent_id IS NOT NULL
    AND (
      state <> 'FAILED'
      OR EXISTS (
        SELECT FROM orders WHERE orders.id = payments.order_id AND orders.state IN ('RESERVED', 'PAYING')
      )
    )
  ORDER BY check_at
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING order_id

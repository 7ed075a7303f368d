-- Takes the refunded payments that are due to be looked at, longest due first, and sets when each is due again:
-- after the next of the growing pauses, and never after the last. Skips those that another transaction has locked.
-- Returns the ids of their orders.
--
-- $1 now · $2 maximum number · $3 pauses in seconds
UPDATE payments
SET refund_checks = refund_checks + 1,
  refund_check_at = $1::timestamptz + ($3::float8[])[refund_checks + 2] * interval '1 second'
WHERE id IN (
  SELECT id FROM payments WHERE refund_check_at <= $1 AND intent_id IS NOT NULL
  ORDER BY refund_check_at
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING order_id

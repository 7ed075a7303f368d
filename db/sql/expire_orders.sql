-- Expires the RESERVED orders whose deadline has passed, oldest first; skips those that another
-- transaction has locked. Returns id and event.
--
-- $1 now · $2 maximum number
UPDATE orders SET state = 'EXPIRED', updated_at = $1
WHERE id IN (
  SELECT id FROM orders
  WHERE state = 'RESERVED' AND expires_at <= $1
  ORDER BY expires_at
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING id, event_id

-- Expires the RESERVED orders whose deadline has passed, oldest first; skips those that another
-- transaction has locked. Returns id and event.
--
-- An order whose payment was asked for may end only after its intent was cancelled at the gateway.
-- None ends after a promotion of the server until the gateway was asked about payments that it may have lost.
--
-- $1 now · $2 maximum number
UPDATE orders SET state = 'EXPIRED', updated_at = $1
WHERE id IN (
  SELECT id FROM orders
  WHERE state = 'RESERVED' AND expires_at <= $1
    AND NOT EXISTS (SELECT FROM payments WHERE payments.order_id = orders.id)
    AND NOT promotion_is_unsettled()
  ORDER BY expires_at
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING id, event_id

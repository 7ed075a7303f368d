-- Expires the orders that hold any of these places past their deadline, in order of their ids.
--
-- Only RESERVED orders without a payment: another one may end only after its intent was cancelled at the
-- gateway, and none while the gateway was not asked about payments that a promotion may have lost.
-- Returns the ids of the orders that ended.
--
-- $1 event · $2 places · $3 now
UPDATE orders SET state = 'EXPIRED', updated_at = $3
WHERE id IN (
  SELECT orders.id
  FROM claims
  JOIN orders ON orders.id = claims.order_id
  WHERE claims.event_id = $1 AND claims.place = ANY ($2::int[]) AND claims.state = 'HELD'
    AND orders.state = 'RESERVED' AND orders.expires_at <= $3
    AND NOT EXISTS (SELECT FROM payments WHERE payments.order_id = orders.id)
    AND NOT promotion_is_unsettled()
  ORDER BY orders.id
  FOR UPDATE OF orders
)
AND state = 'RESERVED' AND expires_at <= $3
RETURNING id

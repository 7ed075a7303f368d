-- Ends booked orders that the caller has locked, with a refund of all that each has paid, in one statement for
-- many. Only of orders whose payment has neither a refund nor a dispute yet; the others are left as they are.
--
-- The refunds are sent one after the other, from $5 on, so that as many tasks as are due at once fit the gateway.
-- Returns the ids of the orders that were ended.
--
-- $1 orders · $2 ids of their refunds · $3 reason · $4 now · $5 when the first is sent · $6 seconds between two
-- $7 the outbox's topic of refunds
WITH simple AS MATERIALIZED (
  SELECT orders.id, wanted.refund_id, payments.id AS payment_id, worth.minor AS worth_minor,
    least(worth.minor, coalesce(nullif(payments.captured_minor, 0), payments.amount_minor)) AS amount_minor,
    row_number() OVER (ORDER BY wanted.number) - 1 AS position
  FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (id, refund_id, number)
  JOIN orders ON orders.id = wanted.id
  LEFT JOIN payments ON payments.order_id = orders.id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(price_minor + fee_minor), 0)::bigint AS minor
    FROM claims WHERE claims.order_id = orders.id AND claims.state = 'BOOKED'
  ) AS worth
  WHERE orders.state = 'BOOKED'
    AND NOT EXISTS (SELECT FROM refunds WHERE refunds.payment_id = payments.id)
    AND NOT EXISTS (SELECT FROM disputes WHERE disputes.payment_id = payments.id)
), decided AS (
  INSERT INTO refunds (id, payment_id, amount_minor, tickets_minor, reason, state, created_at, updated_at)
  SELECT refund_id, payment_id, amount_minor, worth_minor, $3::text, 'DECIDED', $4, $4
  FROM simple WHERE payment_id IS NOT NULL AND worth_minor > 0
  RETURNING id
), tasks AS (
  INSERT INTO outbox (topic, key, payload, available_at, created_at)
  SELECT $7, simple.id::text, jsonb_build_object('refund_id', refund_id),
    $5::timestamptz + position * $6::float8 * interval '1 second', $4
  FROM simple JOIN decided ON decided.id = refund_id
), freed AS (
  UPDATE claims SET state = 'ENDED', refund_id = decided.id
  FROM simple LEFT JOIN decided ON decided.id = refund_id
  WHERE claims.order_id = simple.id AND claims.state = 'BOOKED'
)
UPDATE orders SET state = 'REFUNDED', updated_at = $4
FROM simple WHERE orders.id = simple.id AND orders.state = 'BOOKED'
RETURNING orders.id

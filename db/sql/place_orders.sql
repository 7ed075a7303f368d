-- Inserts orders with their claims, all or nothing; an order is skipped where its event is not published.
--
-- Orders are inserted by id, claims by event and place, buyers by id: two statements over the same rows
-- lock them in the same order, so one waits and neither deadlocks. A place that another live claim has is a
-- unique violation of claims_live, a reference that another order has is one of orders_reference_key; then
-- nothing of the statement is written.
-- Returns (number, claims) of each order that was written: no row where its id exists already or comes
-- earlier in this statement, or where its event is not published.
--
-- The orders, one array a column, numbered from 1 in their order:
-- $1 id · $2 event · $3 user · $4 subject · $5 email · $6 name · $7 reference · $8 currency · $9 subtotal
-- $10 fees · $11 idempotency key · $12 input hash · $13 deadline · $14 now · $15 admission
-- Their claims: $16 number of the order · $17 place · $18 price level · $19 price · $20 fee
WITH wanted AS (
  SELECT DISTINCT ON (id) *
  FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::int[], $10::int[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[]
  ) WITH ORDINALITY AS orders (
    id, event_id, user_id, subject, email, name, reference, currency, subtotal_minor, fees_minor,
    idempotency_key, input_hash, expires_at, created_at, admission_jti, number
  )
  ORDER BY id, number
), buyer AS (
  INSERT INTO users (id, subject, email, name)
  SELECT DISTINCT ON (user_id) user_id, subject, email, name FROM wanted ORDER BY user_id
  ON CONFLICT DO NOTHING
), placed AS (
  INSERT INTO orders (
    id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor,
    idempotency_key, input_hash, expires_at, created_at, updated_at, admission_jti
  )
  SELECT
    wanted.id, reference, event_id, user_id, 'RESERVED', wanted.currency, subtotal_minor, fees_minor,
    subtotal_minor + fees_minor, idempotency_key, input_hash, expires_at, wanted.created_at,
    wanted.created_at, admission_jti
  FROM wanted JOIN events ON events.id = wanted.event_id AND events.state = 'PUBLISHED'
  ORDER BY wanted.id
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), claimed AS (
  INSERT INTO claims (event_id, place, order_id, state, price_level, price_minor, fee_minor)
  SELECT wanted.event_id, claim.place, wanted.id, 'HELD', claim.level, claim.price, claim.fee
  FROM placed
  JOIN wanted USING (id)
  JOIN unnest($16::int[], $17::int[], $18::int[], $19::int[], $20::int[])
    AS claim (number, place, level, price, fee) ON claim.number = wanted.number
  ORDER BY wanted.event_id, claim.place
  RETURNING order_id
)
SELECT wanted.number, count(*)
FROM claimed JOIN wanted ON wanted.id = claimed.order_id
GROUP BY wanted.number

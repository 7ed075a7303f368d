-- Inserts an order and its claims, all or nothing, where the event is still published.
--
-- The claims go in by place, so that two orders over the same places meet in the same order and one of
-- them waits instead of both. A place that another live claim has is a unique violation of claims_live.
-- Returns the number of claims: none where the order is there already, or the event is off.
--
-- $1 order · $2 event · $3 user · $4 subject · $5 email · $6 name · $7 reference · $8 currency
-- $9 subtotal · $10 fees · $11 idempotency key · $12 input hash · $13 deadline · $14 now · $15 admission
-- $16 places, ascending · $17 price levels · $18 prices · $19 fees
WITH buyer AS (
  INSERT INTO users (id, subject, email, name)
  VALUES ($3::uuid, $4, $5, $6)
  ON CONFLICT DO NOTHING
), placed AS (
  INSERT INTO orders (
    id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor,
    idempotency_key, input_hash, expires_at, created_at, updated_at, admission_jti
  )
  SELECT
    $1::uuid, $7, events.id, $3, 'RESERVED', $8, $9::int, $10::int, $9::int + $10::int,
    $11, $12, $13::timestamptz, $14::timestamptz, $14, $15
  FROM events
  WHERE events.id = $2::uuid AND events.state = 'PUBLISHED'
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), claimed AS (
  INSERT INTO claims (event_id, place, order_id, state, price_level, price_minor, fee_minor)
  SELECT $2, wanted.place, placed.id, 'HELD', wanted.level, wanted.price, wanted.fee
  FROM placed, unnest($16::int[], $17::int[], $18::int[], $19::int[]) AS wanted (place, level, price, fee)
  RETURNING 1
)
SELECT count(*) FROM claimed

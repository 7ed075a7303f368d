-- Inserts orders with their claims, all or nothing; an order is skipped where its event is not published, or
-- where its buyer or the buyer's network would have too many tickets.
--
-- The locks of persons and networks come first (count_live_tickets, in sorted order), then orders by id, claims
-- by event and place, buyers by id: two statements over the same rows lock them in the same order, so one
-- waits and neither deadlocks. A place that another live claim has is a unique violation of claims_live, a
-- reference that another order has is one of orders_reference_key; then nothing of the statement is written.
-- Returns (number, claims, reached, most, have, own): of each order that was written its claims, and of each
-- that a limit refused the limit reached (PERSON or NETWORK), its number of tickets, and the tickets that the
-- person and the account have. No row where its id exists already or comes earlier in this statement, or
-- where its event is not published.
--
-- The orders, one array a column, numbered from 1 in their order:
-- $1 id · $2 event · $3 user · $4 subject · $5 email · $6 name · $7 reference · $8 currency · $9 subtotal
-- $10 fees · $11 idempotency key · $12 input hash · $13 deadline · $14 now · $15 admission
-- $16 key of the person · $17 key of the person's verified address · $18 network · $19 its unpaid tickets at most
-- $20 tickets · $21 tickets of the person, and $22 of the network, in earlier orders of this statement
-- Their claims: $23 number of the order · $24 place · $25 price level · $26 price · $27 fee · $28 ticket
WITH wanted AS (
  SELECT DISTINCT ON (id) *
  FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[],
    $16::uuid[], $17::uuid[], $18::text[], $19::int[], $20::int[], $21::int[], $22::int[]
  ) WITH ORDINALITY AS orders (
    id, event_id, user_id, subject, email, name, reference, currency, subtotal_minor, fees_minor,
    idempotency_key, input_hash, expires_at, created_at, admission_jti, person_key, address_key, network,
    most_of_network, tickets, earlier_of_person, earlier_of_network, number
  )
  ORDER BY id, number
), counted AS MATERIALIZED (
  SELECT * FROM count_live_tickets($2, $3, $16, $17, $18, ($14::timestamptz[])[1])
), judged AS MATERIALIZED (
  SELECT wanted.*, have, own, most_of_person, CASE
    WHEN person_key IS NOT NULL AND have + earlier_of_person + tickets > most_of_person THEN 'PERSON'
    WHEN network IS NOT NULL AND unpaid + earlier_of_network + tickets > most_of_network THEN 'NETWORK'
  END AS reached
  FROM wanted
  JOIN counted USING (number)
  JOIN (
    SELECT id AS event_id, coalesce(max_tickets_per_person, max_tickets_per_order) AS most_of_person
    FROM events WHERE state = 'PUBLISHED'
  ) AS event USING (event_id)
), buyer AS (
  INSERT INTO users (id, subject, email, name, guest)
  SELECT DISTINCT ON (user_id) user_id, subject, email, name, subject LIKE 'guest:%'
  FROM judged WHERE reached IS NULL
  ORDER BY user_id
  ON CONFLICT DO NOTHING
), placed AS (
  INSERT INTO orders (
    id, reference, event_id, user_id, state, currency, subtotal_minor, fees_minor, total_minor,
    idempotency_key, input_hash, expires_at, created_at, updated_at, admission_jti, person_key, address_key,
    network
  )
  SELECT
    id, reference, event_id, user_id, 'RESERVED', currency, subtotal_minor, fees_minor,
    subtotal_minor + fees_minor, idempotency_key, input_hash, expires_at, created_at, created_at,
    admission_jti, person_key, address_key, network
  FROM judged
  WHERE reached IS NULL
  ORDER BY id
  ON CONFLICT (id) DO NOTHING
  RETURNING id
), claimed AS (
  INSERT INTO claims (event_id, place, order_id, state, price_level, price_minor, fee_minor, ticket_id)
  SELECT wanted.event_id, claim.place, wanted.id, 'HELD', claim.level, claim.price, claim.fee, claim.ticket
  FROM placed
  JOIN wanted USING (id)
  JOIN unnest($23::int[], $24::int[], $25::int[], $26::bigint[], $27::bigint[], $28::uuid[])
    AS claim (number, place, level, price, fee, ticket) ON claim.number = wanted.number
  ORDER BY wanted.event_id, claim.place
  RETURNING order_id
)
SELECT wanted.number, count(*) AS claims, NULL AS reached, 0 AS most, 0 AS have, 0 AS own
FROM claimed JOIN wanted ON wanted.id = claimed.order_id
GROUP BY wanted.number
UNION ALL
SELECT number, 0, reached, CASE reached WHEN 'PERSON' THEN most_of_person ELSE most_of_network END, have, own
FROM judged WHERE reached IS NOT NULL

-- The declines that keep an order from being tried with another card: the time of the one that must be an hour
-- old first, of the order, of its person and of the network; NULL where nothing keeps it.
--
-- An attempt whose outcome is unknown counts for the order and the person, as one that will be an hour old when
-- it can no longer be running. A network may have one more decline for each of its cards that was accepted.
--
-- $1 order · $2 attempt that does not count · $3 network · $4 start of the hour
-- $5 earliest start of a running attempt · $6 most of an order · $7 most of a person or network
SELECT
  (
    SELECT CASE state WHEN 'PENDING' THEN at - ($5::timestamptz - $4::timestamptz) ELSE at END AS counted
    FROM card_attempts
    WHERE order_id = $1 AND attempt <> $2
      AND (state = 'DECLINED' AND at > $4 OR state = 'PENDING' AND at > $5)
    ORDER BY counted DESC LIMIT 1 OFFSET $6::int - 1
  ) AS of_order,
  (
    SELECT CASE state WHEN 'PENDING' THEN at - ($5::timestamptz - $4::timestamptz) ELSE at END AS counted
    FROM card_attempts
    WHERE person_key = ANY (ARRAY[orders.person_key, orders.address_key]) AND (order_id <> $1 OR attempt <> $2)
      AND at > $4 AND (state = 'DECLINED' OR state = 'PENDING' AND at > $5)
    ORDER BY counted DESC LIMIT 1 OFFSET $7::int - 1
  ) AS of_person,
  (
    SELECT at FROM card_attempts
    WHERE network = $3 AND state = 'DECLINED' AND at > $4
    ORDER BY at DESC LIMIT 1 OFFSET $7::int - 1 + (
      SELECT count(*) FROM card_attempts AS good
      WHERE good.network = $3 AND good.state = 'ACCEPTED' AND good.at > $4
    )
  ) AS of_network
FROM orders WHERE id = $1

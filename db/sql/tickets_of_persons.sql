-- Counts the live tickets, held and booked, of persons at events, as count_live_tickets does but without its locks:
-- for a decision that is taken again where it counts.
--
-- A person's own orders and those of guests of their verified address count together; of several accounts with a
-- guest's address the one with the most counts.
--
-- $1 events · $2 persons · $3 their verified addresses or null · $4 now
SELECT wanted.number, (coalesce(sum(live.tickets) FILTER (WHERE live.same), 0)
    + coalesce(max(live.tickets) FILTER (WHERE NOT live.same), 0))::int AS tickets
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS wanted (event_id, person, address, number)
CROSS JOIN LATERAL (
  SELECT placed.same, placed.person_key, count(*) AS tickets
  FROM (
    SELECT id, state, expires_at, person_key, true AS same FROM orders
    WHERE event_id = wanted.event_id AND person_key = wanted.person
    UNION ALL
    SELECT id, state, expires_at, person_key, true FROM orders
    WHERE event_id = wanted.event_id AND person_key = wanted.address
    UNION ALL
    SELECT id, state, expires_at, person_key, false FROM orders
    WHERE event_id = wanted.event_id AND address_key = wanted.person
  ) AS placed
  JOIN claims ON claims.order_id = placed.id AND claims.state <> 'ENDED'
  WHERE placed.state <> 'RESERVED' OR placed.expires_at > $4
  GROUP BY placed.same, placed.person_key
) AS live
GROUP BY wanted.number

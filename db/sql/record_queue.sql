-- Writes a batch of changes of one waiting room, at most one an account; safe to repeat, in any order.
--
-- An older change never overwrites a newer one. An account that joins while its row says WAITING was
-- lost by Redis and joined again: it keeps the better of the two places.
--
-- $1 event · $2 users · $3 states · $4 places · $5 nonces · $6 ends (Unix ms) · $7 sequences
-- $8 users that left between their row and this change · $9 the first place that was not drawn
-- $10 sequences of the joins among the changes, null without one · $11 their networks · $12 their points
INSERT INTO queue_entries AS entry
  (event_id, user_id, state, place, drawn_place, nonce, expires_ms, sequence, joined, network, points)
SELECT $1, user_id, state, place, CASE WHEN state IN ('W', 'A', 'P') AND place < $9 THEN place END, nonce, expires_ms,
  sequence, joined, network, points
FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $10::bigint[], $11::text[],
    $12::int[])
  AS change (user_id, state, place, nonce, expires_ms, sequence, joined, network, points)
ON CONFLICT (event_id, user_id) DO UPDATE SET
  state = excluded.state,
  place = CASE
    WHEN excluded.state = 'W' AND entry.state = 'W' AND NOT excluded.user_id = ANY ($8::uuid[])
      THEN least(entry.place, excluded.place)
    WHEN excluded.state IN ('W', 'A', 'P') THEN excluded.place
    ELSE entry.place
  END,
  drawn_place = coalesce(excluded.drawn_place, entry.drawn_place),
  nonce = excluded.nonce,
  expires_ms = excluded.expires_ms,
  sequence = excluded.sequence,
  joined = coalesce(excluded.joined, entry.joined),
  network = CASE WHEN excluded.joined IS NULL THEN entry.network ELSE excluded.network END,
  points = CASE WHEN excluded.joined IS NULL THEN entry.points ELSE excluded.points END
WHERE entry.sequence < excluded.sequence

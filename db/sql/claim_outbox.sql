-- Claims the next tasks that are due, for the length of a lease: the tasks of a worker that dies become due
-- again. Only the oldest task of each key is claimed, so the tasks of one order run one after the other.
-- Two workers never claim the same task (SKIP LOCKED).
--
-- $1 now · $2 maximum number · $3 lease in seconds · $4 topics
UPDATE outbox SET attempts = attempts + 1, available_at = $1 + make_interval(secs => $3)
WHERE id IN (
  SELECT id FROM outbox AS task
  WHERE available_at <= $1 AND topic = ANY ($4::text[])
    AND NOT EXISTS (SELECT FROM outbox AS earlier WHERE earlier.key = task.key AND earlier.id < task.id)
  ORDER BY available_at, id
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING id, topic, key, payload, attempts, created_at

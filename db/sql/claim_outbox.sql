-- Takes the next tasks that are due, and puts them off for as long as one run may take: a worker that
-- dies leaves them to be found again. Of each key only the oldest task is taken, so that tasks of one
-- order run one after the other. Two workers never take the same task (SKIP LOCKED).
--
-- $1 now · $2 how many at the most · $3 seconds that one run may take
UPDATE outbox SET attempts = attempts + 1, available_at = $1 + make_interval(secs => $3)
WHERE id IN (
  SELECT id FROM outbox AS task
  WHERE available_at <= $1
    AND NOT EXISTS (SELECT FROM outbox AS earlier WHERE earlier.key = task.key AND earlier.id < task.id)
  ORDER BY available_at, id
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING id, topic, key, payload, attempts, created_at

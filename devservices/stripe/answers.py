"""Idempotency keys: the first answer is kept for a day and given again (docs.stripe.com/api/idempotent_requests)."""  # noqa: E501

import json
from dataclasses import dataclass

from devservices.stripe.documents import Document
from devservices.stripe.refusals import ApiError, key_elsewhere, key_in_use, key_mismatch
from devservices.stripe.store import Store

KEPT_SECONDS = 86_400.0
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with its JSON text."""

    status: int
    body: str
    original_request: str | None = None


class Answers:
    """The answers given so far, and the keys that requests are working under right now.

    The latter live in memory: when the process dies, nobody works under them any more.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.in_use: set[str] = set()

    def claim(self, key: str, path: str, params: Document, now: float) -> Answer | None:
        """The kept answer; or None, and the key is the caller's until `release`.

        Raises:
            ApiError: 400 for a key used with other parameters or elsewhere, 409 for one in use.
        """
        if len(key) > LONGEST_KEY:
            raise ApiError(400, "Idempotency keys have at most 255 characters.", kind="idempotency_error")
        if key in self.in_use:
            raise key_in_use(key)
        self.prune(now)
        row = self.store.rows.execute("SELECT * FROM answers WHERE key = ?", (key,)).fetchone()
        if row is None:
            self.in_use.add(key)
            return None
        if row["path"] != path:
            raise key_elsewhere(key, row["path"], path)
        if row["params"] != fingerprint(params):
            raise key_mismatch(key)
        return Answer(row["status"], row["body"], row["request_id"])

    def keep(
        self, key: str, path: str, params: Document, request_id: str, answer: Answer, now: float
    ) -> None:
        self.store.rows.execute(
            "INSERT INTO answers (key, path, params, request_id, status, body, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, path, fingerprint(params), request_id, answer.status, answer.body, now),
        )

    def release(self, key: str) -> None:
        self.in_use.discard(key)

    def prune(self, now: float, older_than_seconds: float = KEPT_SECONDS) -> int:
        """Forgets answers that are old enough; says how many."""
        oldest = now - older_than_seconds
        return self.store.rows.execute("DELETE FROM answers WHERE created <= ?", (oldest,)).rowcount


def fingerprint(params: Document) -> str:
    return json.dumps(params, sort_keys=True)

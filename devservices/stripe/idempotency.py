"""Idempotency keys: the first response is stored for 24 hours and replayed.

docs.stripe.com/api/idempotent_requests
"""

import json
from dataclasses import dataclass

from devservices.stripe.documents import Document
from devservices.stripe.errors import ApiError, key_elsewhere, key_in_use, key_mismatch
from devservices.stripe.store import Store

STORED_SECONDS = 86_400.0
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A status and a JSON body; `original_request` is set on a replay."""

    status: int
    body: str
    original_request: str | None = None


class IdempotencyKeys:
    """The stored responses by key, and the keys of requests in progress.

    The latter are kept in memory: no request survives the end of the process.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.in_use: set[str] = set()

    def claim(self, key: str, path: str, params: Document, now: float) -> ApiResponse | None:
        """The stored response; or None, and the key is claimed until `release`.

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
        return ApiResponse(row["status"], row["body"], row["request_id"])

    def save(
        self, key: str, path: str, params: Document, request_id: str, response: ApiResponse, now: float
    ) -> None:
        self.store.rows.execute(
            "INSERT INTO answers (key, path, params, request_id, status, body, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, path, fingerprint(params), request_id, response.status, response.body, now),
        )

    def release(self, key: str) -> None:
        self.in_use.discard(key)

    def prune(self, now: float, older_than_seconds: float = STORED_SECONDS) -> int:
        """Deletes stored responses of that age; returns their number."""
        oldest = now - older_than_seconds
        return self.store.rows.execute("DELETE FROM answers WHERE created <= ?", (oldest,)).rowcount


def fingerprint(params: Document) -> str:
    return json.dumps(params, sort_keys=True)

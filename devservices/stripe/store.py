"""The state of the local Stripe, in one SQLite file that survives kill -9.

One connection, used only by the event loop's thread. Every request is one transaction: its effect, the
events, their deliveries and the stored response are committed together or not at all.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devservices.stripe.documents import Document

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    intent TEXT,
    created INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (intent, kind);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    params TEXT NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (created);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    signing TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    behind INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    created REAL NOT NULL,
    last_status TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due);
CREATE TABLE IF NOT EXISTS transitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    due REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS injected_faults (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    match TEXT NOT NULL,
    params TEXT NOT NULL,
    remaining INTEGER,
    injections INTEGER NOT NULL DEFAULT 0
);
"""


class Store:
    """Documents and queues."""

    def __init__(self, path: Path) -> None:
        self.rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.rows.row_factory = sqlite3.Row
        # NORMAL loses commits only when the machine fails, not when the process dies.
        self.rows.execute("PRAGMA journal_mode = WAL")
        self.rows.execute("PRAGMA synchronous = NORMAL")
        self.rows.executescript(TABLES)

    def close(self) -> None:
        self.rows.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits everything or nothing. The body must not await."""
        self.rows.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.rows.execute("ROLLBACK")
            raise
        self.rows.execute("COMMIT")

    def insert(self, document: Document, intent: str | None = None) -> None:
        self.rows.execute(
            "INSERT INTO objects (id, kind, intent, created, body) VALUES (?, ?, ?, ?, ?)",
            (document["id"], document["object"], intent, document["created"], json.dumps(document)),
        )

    def save(self, document: Document) -> None:
        self.rows.execute("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(document), document["id"]))

    def find(self, kind: str, object_id: str) -> Document | None:
        query = "SELECT body FROM objects WHERE id = ? AND kind = ?"
        row = self.rows.execute(query, (object_id, kind)).fetchone()
        return None if row is None else json.loads(row["body"])

    def get(self, kind: str, object_id: str) -> Document:
        """A document that another one refers to. Raises LookupError."""
        document = self.find(kind, object_id)
        if document is None:
            raise LookupError(f"{kind} {object_id} is not in the local Stripe's store")
        return document

    def all(self, kind: str) -> list[Document]:
        query = "SELECT body FROM objects WHERE kind = ? ORDER BY seq"
        return [json.loads(row["body"]) for row in self.rows.execute(query, (kind,))]

    def newest(
        self, kind: str, conditions: Sequence[str], values: Sequence[object], limit: int
    ) -> list[Document]:
        """The newest documents first. `conditions` are constant SQL, never a client's text."""
        where = " AND ".join(["kind = ?", *conditions])
        query = f"SELECT body FROM objects WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608
        found = self.rows.execute(query, (kind, *values, limit))
        return [json.loads(row["body"]) for row in found]

    def position(self, object_id: str) -> int | None:
        """The cursor of a list after this object."""
        row = self.rows.execute("SELECT seq FROM objects WHERE id = ?", (object_id,)).fetchone()
        return None if row is None else int(row["seq"])

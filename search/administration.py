"""Administering and filling Meilisearch, with its official client; blocking: call it in a thread."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import meilisearch
import orjson
import requests
from meilisearch.errors import MeilisearchApiError, MeilisearchError

from search.engine_settings import SETTINGS
from search.index import DocumentsRefused, IndexAway
from search.meilisearch import INDEX

# A task waits for all that were sent before it: a rebuild sends a hundred thousand documents at once.
_TASK_TIMEOUT_MS = 900_000
_TASK_POLL_MS = 15
_REQUEST_TIMEOUT_SECONDS = 20
_PAGE = 1000
_READ_FIELDS = ["id", "name", "venue", "city", "starts_at", "price_from", "available"]
_AWAY = (MeilisearchError, requests.RequestException, OSError)


# Judged before it was even queued: malformed (a number that JSON has no word for), or too large.
_REFUSED = (400, 413)


class MeilisearchAdministration:
    """One Meilisearch server's index of events, and the second one that is being built."""

    def __init__(self, url: str, key: str, *, uid: str = INDEX) -> None:
        self._client = meilisearch.Client(url, key or None, timeout=_REQUEST_TIMEOUT_SECONDS)
        self.uid = uid
        self.next_uid = f"{uid}_next"

    def is_built(self) -> bool:
        """Whether the served index exists and was made here: one that a stray write made is not.

        Raises:
            IndexAway: nobody answers.
        """
        try:
            found = self._client.index(self.uid).get_filterable_attributes()
        except MeilisearchApiError as error:
            if error.code == "index_not_found":
                return False
            raise IndexAway(str(error)) from error
        except _AWAY as error:
            raise IndexAway(str(error)) from error
        return set(map(str, found)) == set(SETTINGS["filterableAttributes"])

    def write(self, documents: Sequence[dict[str, Any]]) -> None:
        """Insert or replace documents, and wait until the engine has judged them.

        Raises:
            DocumentsRefused: it refused the batch; none of it was taken.
            IndexAway: no answer; the batch may have been taken.
        """
        if documents:
            self._settle(lambda: self._add(self.uid, [self.pack(documents)]))

    def write_next(self, documents: Sequence[dict[str, Any]]) -> None:
        """The same, into the second index."""
        if documents:
            self._settle(lambda: self._add(self.next_uid, [self.pack(documents)]))

    def pack(self, documents: Sequence[dict[str, Any]]) -> bytes:
        """Documents as `send_next` takes them."""
        return b"\n".join(map(orjson.dumps, documents))

    def send_next(self, packed: Sequence[bytes]) -> int:
        """Post documents to the second index without waiting; the number of the task to `judge`.

        What is posted while the engine is busy it takes as one batch, which costs it far less.
        Raises as `write`.
        """
        return self._posted(lambda: self._add(self.next_uid, packed))

    def judge(self, task: int) -> None:
        """Wait until the engine has judged what was sent. Raises as `write`."""
        self._judge(task)

    def _add(self, uid: str, packed: Sequence[bytes]) -> Any:
        return self._client.index(uid).add_documents_ndjson(b"\n".join(packed), primary_key="id")

    def delete(self, ids: Sequence[str]) -> None:
        """Remove documents; those that are not there do not matter. Raises as `write`."""
        if ids:
            index = self._client.index(self.uid)
            self._settle(lambda: index.delete_documents(list(ids)))

    def documents(self) -> dict[str, dict[str, Any]]:
        """Every document of the served index by its id, without its words.

        Raises:
            IndexAway: nobody answers, or nothing is built.
        """
        found: dict[str, dict[str, Any]] = {}
        wanted = {"limit": _PAGE, "fields": _READ_FIELDS}
        try:
            while (
                page := self._client.index(self.uid).get_documents({**wanted, "offset": len(found)}).results
            ):
                found |= {one.id: dict(one) for one in page}
        except _AWAY as error:
            raise IndexAway(str(error)) from error
        return found

    def begin_next(self) -> None:
        """Create the second index with its settings, empty; what an earlier build left is removed."""
        self.drop_next()
        self._settle(lambda: self._client.create_index(self.next_uid, {"primaryKey": "id"}))
        self._settle(lambda: self._client.index(self.next_uid).update_settings(SETTINGS))

    def swap_next(self) -> None:
        """Serve the second index instead of the first, in one step, and remove the first."""
        self._settle(
            lambda: self._client.create_index(self.uid, {"primaryKey": "id"}), fine="index_already_exists"
        )
        self._settle(lambda: self._client.swap_indexes([{"indexes": [self.uid, self.next_uid]}]))
        self.drop_next()

    def drop_next(self) -> None:
        """Remove the second index, if there is one."""
        self._settle(lambda: self._client.delete_index(self.next_uid), fine="index_not_found")

    def drop(self) -> None:
        """Remove the served index, if there is one."""
        self._settle(lambda: self._client.delete_index(self.uid), fine="index_not_found")

    def _settle(self, act: Callable[[], Any], *, fine: str = "") -> None:
        self._judge(self._posted(act), fine=fine)

    def _posted(self, act: Callable[[], Any]) -> int:
        with _translated():
            number: int = act().task_uid
            return number

    def _judge(self, task: int, *, fine: str = "") -> None:
        with _translated():
            judged = self._client.wait_for_task(
                task, timeout_in_ms=_TASK_TIMEOUT_MS, interval_in_ms=_TASK_POLL_MS
            )
        if judged.status == "succeeded":
            return
        reason = judged.error or {}
        code = reason.get("code", "")
        if fine and code == fine:
            return
        if code in _TRANSIENT or reason.get("type") in ("internal", "system"):
            raise IndexAway(f"Meilisearch: {reason.get('message', judged.status)}")
        raise DocumentsRefused(reason.get("message") or judged.status)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except MeilisearchApiError as error:
        if error.status_code in _REFUSED:
            raise DocumentsRefused(str(error)) from error
        raise IndexAway(f"Meilisearch: {error}") from error
    except _AWAY as error:
        raise IndexAway(f"Meilisearch: {error}") from error


_TRANSIENT = ("index_not_found", "no_space_left_on_device", "internal", "")

"""Administration of Meilisearch with its official client. Every call blocks: run it in a thread."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import meilisearch
import orjson
import requests
from meilisearch.errors import MeilisearchApiError, MeilisearchError

from search.engine_settings import SETTINGS
from search.index import DocumentsRejected, IndexUnavailable
from search.meilisearch import INDEX

# A task waits for all earlier tasks: a rebuild sends a hundred thousand documents at once.
_TASK_TIMEOUT_MS = 900_000
_TASK_POLL_MS = 15
_REQUEST_TIMEOUT_SECONDS = 20
_PAGE = 1000
_READ_FIELDS = ["id", "name", "venue", "city", "starts_at", "price_from", "available"]
_UNAVAILABLE = (MeilisearchError, requests.RequestException, OSError)
# Status codes of a batch that is malformed (a number that JSON cannot express) or too large.
_REJECTED = (400, 413)
# Codes of failed tasks that may succeed later.
_TRANSIENT = ("index_not_found", "no_space_left_on_device", "internal", "")


class MeilisearchAdministration:
    """The served index of events on one Meilisearch server, and the next one while it is built."""

    def __init__(self, url: str, key: str, *, uid: str = INDEX) -> None:
        self._client = meilisearch.Client(url, key or None, timeout=_REQUEST_TIMEOUT_SECONDS)
        self.uid = uid
        self.next_uid = f"{uid}_next"  # and the number of the build

    def is_built(self) -> bool:
        """Whether the served index exists with our settings; an index made by a stray write has none.

        Raises:
            IndexUnavailable: the engine does not answer.
        """
        try:
            found = self._client.index(self.uid).get_filterable_attributes()
        except MeilisearchApiError as error:
            if error.code == "index_not_found":
                return False
            raise IndexUnavailable(str(error)) from error
        except _UNAVAILABLE as error:
            raise IndexUnavailable(str(error)) from error
        return set(map(str, found)) == set(SETTINGS["filterableAttributes"])

    def write(self, documents: Sequence[dict[str, Any]]) -> None:
        """Insert or replace documents, and wait for the engine's task.

        Raises:
            DocumentsRejected: the engine rejected the batch and wrote none of it.
            IndexUnavailable: no answer; the batch may have been written.
        """
        if documents:
            self._run(lambda: self._add(self.uid, [self.pack(documents)]))

    def write_next(self, documents: Sequence[dict[str, Any]]) -> None:
        """Insert or replace documents of the next index. Raises as `write`."""
        if documents:
            self._run(lambda: self._add(self.next_uid, [self.pack(documents)]))

    def pack(self, documents: Sequence[dict[str, Any]]) -> bytes:
        """Documents encoded for `send_next`, one JSON a line."""
        return b"\n".join(map(orjson.dumps, documents))

    def send_next(self, packed: Sequence[bytes]) -> int:
        """Post documents to the next index without waiting; the number of the engine's task.

        The engine merges tasks that arrive while it is busy into one batch, which costs far less.
        Raises as `write`.
        """
        return self._post(lambda: self._add(self.next_uid, packed))

    def wait_for(self, task: int) -> None:
        """Wait until the task ends. Raises as `write`."""
        self._wait_for(task)

    def _add(self, uid: str, packed: Sequence[bytes]) -> Any:
        return self._client.index(uid).add_documents_ndjson(b"\n".join(packed), primary_key="id")

    def delete(self, ids: Sequence[str]) -> None:
        """Remove documents; unknown ids are ignored. Raises as `write`."""
        if ids:
            index = self._client.index(self.uid)
            self._run(lambda: index.delete_documents(list(ids)))

    def documents(self) -> dict[str, dict[str, Any]]:
        """Every document of the served index by its id, without its words.

        Raises:
            IndexUnavailable: the engine does not answer, or the index does not exist.
        """
        found: dict[str, dict[str, Any]] = {}
        wanted = {"limit": _PAGE, "fields": _READ_FIELDS}
        try:
            while (
                page := self._client.index(self.uid).get_documents({**wanted, "offset": len(found)}).results
            ):
                found |= {one.id: dict(one) for one in page}
        except _UNAVAILABLE as error:
            raise IndexUnavailable(str(error)) from error
        return found

    def begin_next(self, build: int) -> None:
        """Create the next index, empty, with its settings; those that earlier builds left are removed."""
        self.drop_next()
        self.next_uid = f"{self.uid}_next_{build}"
        self._run(lambda: self._client.create_index(self.next_uid, {"primaryKey": "id"}))
        self._run(lambda: self._client.index(self.next_uid).update_settings(SETTINGS))

    def swap_next(self) -> None:
        """Serve the next index instead of the current one, in one step, and remove the current one."""
        self._run(
            lambda: self._client.create_index(self.uid, {"primaryKey": "id"}), ignore="index_already_exists"
        )
        self._run(lambda: self._client.swap_indexes([{"indexes": [self.uid, self.next_uid]}]))
        self._drop(self.next_uid)

    def drop_next(self) -> None:
        """Remove the indexes that builds have begun."""
        with _translated_errors():
            found = self._client.get_indexes({"limit": _PAGE})["results"]
        for index in found:
            if index.uid.startswith(f"{self.uid}_next"):
                self._drop(index.uid)

    def drop(self) -> None:
        """Remove the served index, if there is one."""
        self._drop(self.uid)

    def _drop(self, uid: str) -> None:
        self._run(lambda: self._client.delete_index(uid), ignore="index_not_found")

    def _run(self, request: Callable[[], Any], *, ignore: str = "") -> None:
        self._wait_for(self._post(request), ignore=ignore)

    def _post(self, request: Callable[[], Any]) -> int:
        with _translated_errors():
            number: int = request().task_uid
            return number

    def _wait_for(self, task: int, *, ignore: str = "") -> None:
        with _translated_errors():
            ended = self._client.wait_for_task(
                task, timeout_in_ms=_TASK_TIMEOUT_MS, interval_in_ms=_TASK_POLL_MS
            )
        if ended.status == "succeeded":
            return
        reason = ended.error or {}
        code = reason.get("code", "")
        if ignore and code == ignore:
            return
        if code in _TRANSIENT or reason.get("type") in ("internal", "system"):
            raise IndexUnavailable(f"Meilisearch: {reason.get('message', ended.status)}")
        raise DocumentsRejected(reason.get("message") or ended.status)


@contextlib.contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except MeilisearchApiError as error:
        if error.status_code in _REJECTED:
            raise DocumentsRejected(str(error)) from error
        raise IndexUnavailable(f"Meilisearch: {error}") from error
    except _UNAVAILABLE as error:
        raise IndexUnavailable(f"Meilisearch: {error}") from error

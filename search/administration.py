"""Administering and filling Meilisearch, with its official client; blocking: call it in a thread."""

from collections.abc import Sequence
from typing import Any

import meilisearch
import requests
from meilisearch.errors import MeilisearchApiError, MeilisearchError

from search.engine_settings import SETTINGS
from search.index import DocumentsRefused, IndexAway
from search.meilisearch import INDEX

_TASK_TIMEOUT_MS = 60_000
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
        self._write(self.uid, documents)

    def write_next(self, documents: Sequence[dict[str, Any]]) -> None:
        """The same, into the second index."""
        self._write(self.next_uid, documents)

    def _write(self, uid: str, documents: Sequence[dict[str, Any]]) -> None:
        if documents:
            index = self._client.index(uid)
            self._settle(lambda: index.add_documents(list(documents), primary_key="id"))

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

    def _settle(self, act: Any, *, fine: str = "") -> None:
        try:
            task = self._client.wait_for_task(
                act().task_uid, timeout_in_ms=_TASK_TIMEOUT_MS, interval_in_ms=_TASK_POLL_MS
            )
        except MeilisearchApiError as error:
            if error.status_code in _REFUSED:
                raise DocumentsRefused(str(error)) from error
            raise IndexAway(f"Meilisearch: {error}") from error
        except _AWAY as error:
            raise IndexAway(f"Meilisearch: {error}") from error
        if task.status == "succeeded":
            return
        reason = task.error or {}
        code = reason.get("code", "")
        if fine and code == fine:
            return
        if code in _TRANSIENT or reason.get("type") in ("internal", "system"):
            raise IndexAway(f"Meilisearch: {reason.get('message', task.status)}")
        raise DocumentsRefused(reason.get("message") or task.status)


_TRANSIENT = ("index_not_found", "no_space_left_on_device", "internal", "")

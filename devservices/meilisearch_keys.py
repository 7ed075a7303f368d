"""The two keys of Meilisearch that Boxoffice's processes use, so that none of them needs the master key.

Meilisearch derives a key from the master key and the key's uid: HMAC-SHA256, in hexadecimal.
"""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from dataclasses import dataclass

_TIMEOUT_SECONDS = 10
_EXISTS_ALREADY = 409


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """A key to create: its uid, and what it allows on which indexes."""

    uid: str
    name: str
    actions: tuple[str, ...]
    indexes: tuple[str, ...]

    def key(self, master_key: str) -> str:
        """Return the key that this uid has under a master key."""
        return hmac.new(master_key.encode(), self.uid.encode(), hashlib.sha256).hexdigest()


SEARCHING = KeyOrder(
    "6f1d3c52-8f0e-4c55-9d5b-5b7c9d0a1e01", "boxoffice: the API searches", ("search",), ("events",)
)
INDEXING = KeyOrder(
    "6f1d3c52-8f0e-4c55-9d5b-5b7c9d0a1e02",
    "boxoffice: the worker fills the index",
    ("search", "documents.*", "indexes.*", "settings.*", "tasks.get"),
    ("*",),  # a key of some indexes alone does not see how the task that swaps two of them ended
)


def create_keys(url: str, master_key: str) -> None:
    """Create both keys where they are missing.

    Raises:
        OSError: Meilisearch does not answer, or refuses; its answer is not repeated.
    """
    for order in (SEARCHING, INDEXING):
        body = {
            "uid": order.uid,
            "name": order.name,
            "actions": list(order.actions),
            "indexes": list(order.indexes),
            "expiresAt": None,
        }
        request = urllib.request.Request(  # noqa: S310 - an address of the settings
            f"{url.rstrip('/')}/keys",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {master_key}", "Content-Type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()  # noqa: S310 - as above
        except urllib.error.HTTPError as refusal:
            refusal.close()
            if refusal.code != _EXISTS_ALREADY:
                raise

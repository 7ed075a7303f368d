"""The positions of all operations of a single-connection event stream, as one event id.

An event stream has one last event id, however many operations it carries. So an id names all of
them: `a=41.5f1c09d2&b=7.e07a3b64`, percent-encoded as a query string; behind each operation's own id
stands what was asked, in short. Who comes back with it, and asks the same under the same name, resumes
there: the name alone may by now be another event's. A plain id, without a name, is any operation's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2s
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

MOST_BYTES = 2_048
"""A longer id is not sent: it would cost more than it saves."""
MOST_OPERATIONS = 100


class Positions:
    """The last event id of each operation of one stream."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def advance(self, name: str, asked: str, event_id: str | None) -> str | None:
        """Note an operation's newest id; the stream's own id where every operation has one."""
        if event_id is None:
            return None
        self._sent[name] = f"{event_id}.{asked}"
        written = urlencode(self._sent)
        return written if len(written) <= MOST_BYTES else None

    def ended(self, name: str) -> None:
        """Forget an operation."""
        self._sent.pop(name, None)


def in_short(request: Mapping[str, Any]) -> str:
    """Eight hex digits for what a request asks."""
    asked = [request[part] for part in ("query", "document_hash", "operation_name", "variables")]
    return blake2s(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=4).hexdigest()


def position_of(last_event_id: str | None, name: str, asked: str) -> str | None:
    """An operation's own id from the stream's; None where the stream's id does not hold it."""
    if last_event_id is None or "=" not in last_event_id:
        return last_event_id
    try:
        position = dict(parse_qsl(last_event_id[:MOST_BYTES], max_num_fields=MOST_OPERATIONS)).get(name, "")
    except ValueError:
        return None
    event_id, _, of = position.rpartition(".")
    return event_id if event_id and of == asked else None

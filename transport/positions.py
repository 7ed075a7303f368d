"""Where each operation of a single-connection event stream stands, written as one event id.

An event stream has one last event id, however many operations it carries. So an id names all of
them: `a=41&b=7`, percent-encoded as a query string. Who comes back with it resumes each operation
by the id that it had; a plain id, without a name, is any operation's own.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

MOST_BYTES = 2_048
"""A longer id is not written: it would weigh more than what it saves."""
MOST_OPERATIONS = 100


class Positions:
    """The last event id of each operation of one stream."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def told(self, name: str, event_id: str | None) -> str | None:
        """Note an operation's newest id; the stream's own id where every operation has one."""
        if event_id is None:
            return None
        self._told[name] = event_id
        written = urlencode(self._told)
        return written if len(written) <= MOST_BYTES else None

    def ended(self, name: str) -> None:
        """Forget an operation."""
        self._told.pop(name, None)


def position_of(last_event_id: str | None, name: str) -> str | None:
    """An operation's own id out of the stream's; None where it does not speak of it."""
    if last_event_id is None or "=" not in last_event_id:
        return last_event_id
    try:
        return dict(parse_qsl(last_event_id[:MOST_BYTES], max_num_fields=MOST_OPERATIONS)).get(name)
    except ValueError:
        return None

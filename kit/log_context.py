"""What the log lines of one request, or of one task of a worker, have in common.

Bound once where the work begins; whatever it logs then carries it, in the tasks it starts too.
"""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Facts = Mapping[str, object]

_NOTHING: Facts = {}
_bound: ContextVar[Facts] = ContextVar("log_facts", default=_NOTHING)
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def bind(**facts: object) -> None:
    """Add facts for the rest of this task."""
    _bound.set({**_bound.get(), **facts})


@contextmanager
def bound(**facts: object) -> Iterator[None]:
    """Add facts for the length of a block."""
    token = _bound.set({**_bound.get(), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


def bound_facts() -> Facts:
    """Everything that is bound here."""
    return _bound.get()


def current_request_id() -> str | None:
    """The request that this runs for."""
    found = _bound.get().get("request_id")
    return found if isinstance(found, str) else None


def request_id_of(given: str | None) -> str:
    """The caller's own id, where it is at most 64 harmless characters; else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return f"{random.getrandbits(64):016x}"

"""Fault injection: which failure, for which calls or events, how often.

A fault is {"kind", "match", "count", "params"}. `match` names facts that must all match
(`*` is a wildcard): operation, event_type, intent, order_id. `count` is the number of injections, null
for no limit. The kinds and their params:

| kind | injected into | params |
| --- | --- | --- |
| api.hang | a call | seconds; when: before (the effect is late), after (the response is late), never (no effect, the connection is reset) |
| api.error | a call | status (500), when: before (no effect) or after the effect, stored (true), message |
| api.reset | a call | when: before or after the effect |
| capture.fail | a capture | code (processing_error), message |
| refund.fail | a refund call | code, message |
| refund.pending_then_fail | a refund | seconds until it fails (1) |
| intent.alter | the stored intent, as the call touches it | amount, currency, metadata |
| webhook.drop | an event: not sent | |
| webhook.duplicate | an event: sent several times | copies (1) |
| webhook.delay | an event | seconds |
| webhook.reorder | an event: sent after later ones | behind (1), most_seconds (5) |
| webhook.alter | the event's content only | amount, currency, metadata |
| webhook.signature | the signature | offset_seconds, secret, body |
"""  # noqa: E501 - a table

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from sqlite3 import Row

from devservices.stripe.documents import Document, new_id
from devservices.stripe.store import Store

KINDS: dict[str, frozenset[str]] = {
    "api.hang": frozenset({"seconds", "when"}),
    "api.error": frozenset({"status", "when", "stored", "message"}),
    "api.reset": frozenset({"when"}),
    "capture.fail": frozenset({"code", "message"}),
    "refund.fail": frozenset({"code", "message"}),
    "refund.pending_then_fail": frozenset({"seconds"}),
    "intent.alter": frozenset({"amount", "currency", "metadata"}),
    "webhook.drop": frozenset(),
    "webhook.duplicate": frozenset({"copies"}),
    "webhook.delay": frozenset({"seconds"}),
    "webhook.reorder": frozenset({"behind", "most_seconds"}),
    "webhook.alter": frozenset({"amount", "currency", "metadata"}),
    "webhook.signature": frozenset({"offset_seconds", "secret", "body"}),
}
FACTS = frozenset({"operation", "event_type", "intent", "order_id"})
NUMBERS = frozenset({"seconds", "most_seconds", "offset_seconds", "status", "copies", "behind", "amount"})
TEXTS = frozenset({"when", "message", "code", "currency", "secret", "body"})
TIMES = ("before", "after", "never")


class InvalidFault(ValueError):
    """A fault with an unknown kind, fact or parameter."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """One fault to inject."""

    id: str
    kind: str
    match: dict[str, str]
    params: Document
    remaining: int | None
    injections: int

    def seconds(self, default: float = 1.0) -> float:
        return float(self.params.get("seconds", default))

    def when(self) -> str:
        return str(self.params.get("when", "before"))

    def matches(self, facts: dict[str, str | None]) -> bool:
        return all(fnmatchcase(facts.get(name) or "", wanted) for name, wanted in self.match.items())

    def as_json(self) -> Document:
        count = {"remaining": self.remaining, "injections": self.injections}
        return {"id": self.id, "kind": self.kind, "match": self.match, "params": self.params, **count}


class InjectedFaults:
    """The pending faults, oldest first; they are in the store and survive a restart."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(self, wanted: object) -> InjectedFault:
        """Raises InvalidFault for an unknown kind, fact or parameter."""
        fault = _checked(wanted)
        self.store.rows.execute(
            "INSERT INTO injected_faults (id, kind, match, params, remaining) VALUES (?, ?, ?, ?, ?)",
            (fault.id, fault.kind, json.dumps(fault.match), json.dumps(fault.params), fault.remaining),
        )
        return fault

    def pending(self) -> list[InjectedFault]:
        rows = self.store.rows.execute("SELECT * FROM injected_faults ORDER BY rowid")
        return [_fault(row) for row in rows]

    def clear(self, fault_id: str | None = None) -> None:
        if fault_id is None:
            self.store.rows.execute("DELETE FROM injected_faults")
        else:
            self.store.rows.execute("DELETE FROM injected_faults WHERE id = ?", (fault_id,))

    def take(self, kind: str, facts: dict[str, str | None]) -> InjectedFault | None:
        """The first fault of this kind that matches and is not used up; it counts as injected."""
        query = "SELECT * FROM injected_faults WHERE kind = ? AND remaining IS NOT 0 ORDER BY rowid"
        for fault in [_fault(row) for row in self.store.rows.execute(query, (kind,))]:
            if fault.matches(facts):
                self.store.rows.execute(
                    "UPDATE injected_faults SET injections = injections + 1, remaining = remaining - 1"
                    " WHERE id = ?",
                    (fault.id,),
                )
                return fault
        return None


def alter(document: Document, params: Document) -> None:
    """Overwrites an intent's amount, currency and metadata with those of a fault."""
    for name in ("amount", "currency"):
        if name in params:
            document[name] = params[name]
    if "amount" in params and document.get("amount_capturable"):
        document["amount_capturable"] = params["amount"]
    if "amount" in params and document.get("amount_received"):
        document["amount_received"] = params["amount"]
    document["metadata"] = document.get("metadata", {}) | params.get("metadata", {})


def _fault(row: Row) -> InjectedFault:
    match, params = json.loads(row["match"]), json.loads(row["params"])
    return InjectedFault(row["id"], row["kind"], match, params, row["remaining"], row["injections"])


def _checked(wanted: object) -> InjectedFault:
    if not isinstance(wanted, dict):
        raise InvalidFault("A fault is an object: {kind, match, count, params}.")
    kind, match, params = wanted.get("kind"), wanted.get("match", {}), wanted.get("params", {})
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidFault(f"Unknown kind of fault: {kind!r}. Known kinds are {', '.join(KINDS)}.")
    if not isinstance(match, dict) or not isinstance(params, dict):
        raise InvalidFault("match and params are objects.")
    for name in (set(wanted) - {"kind", "match", "count", "params"}) | (set(match) - FACTS):
        raise InvalidFault(f"Unknown field {name!r}.")
    for name in set(params) - KINDS[kind]:
        raise InvalidFault(f"{kind} has no parameter {name!r}.")
    for name, value in params.items():
        if not _has_its_type(name, value):
            raise InvalidFault(f"{name} cannot be {value!r}.")
    if params.get("when", "before") not in TIMES:
        raise InvalidFault(f"when is one of {', '.join(TIMES)}.")
    count = wanted.get("count", 1)
    if count is not None and (not isinstance(count, int) or count < 1):
        raise InvalidFault("count is a positive number, or null for always.")
    match = {name: str(value) for name, value in match.items()}
    return InjectedFault(new_id("fault", 12), kind, match, params, count, 0)


def _has_its_type(name: str, value: object) -> bool:
    if name in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name in TEXTS:
        return isinstance(value, str)
    return isinstance(value, dict if name == "metadata" else bool)

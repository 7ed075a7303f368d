"""Faults on demand: what goes wrong, for which calls or events, how often.

A fault is {"kind", "match", "count", "params"}. `match` names facts that must all be equal (`*`
stands for anything): operation, event_type, intent, order_id. `count` is how often it strikes,
null for always. The kinds and their params:

| kind | strikes | params |
| --- | --- | --- |
| api.hang | a call | seconds; when: before (the effect comes late), after (the answer does), never (no effect, the connection is cut) |
| api.error | a call | status (500), when: before (no effect) or after (it happened), stored (true), message |
| api.reset | a call | when: before or after the effect |
| capture.fail | a capture | code (processing_error), message |
| refund.fail | a refund call | code, message |
| refund.pending_then_fail | a refund | seconds until it fails (1) |
| intent.alter | the stored intent, as the call touches it | amount, currency, metadata |
| webhook.drop | an event: never sent | |
| webhook.duplicate | an event: sent again and again | copies (1) |
| webhook.delay | an event | seconds |
| webhook.reorder | an event: held until later ones went out | behind (1), most_seconds (5) |
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
MOMENTS = ("before", "after", "never")


class FaultRefused(ValueError):
    """A fault that nothing would understand."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    id: str
    kind: str
    match: dict[str, str]
    params: Document
    remaining: int | None
    struck: int

    def seconds(self, default: float = 1.0) -> float:
        return float(self.params.get("seconds", default))

    def when(self) -> str:
        return str(self.params.get("when", "before"))

    def fits(self, facts: dict[str, str | None]) -> bool:
        return all(fnmatchcase(facts.get(name) or "", wanted) for name, wanted in self.match.items())

    def described(self) -> Document:
        count = {"remaining": self.remaining, "struck": self.struck}
        return {"id": self.id, "kind": self.kind, "match": self.match, "params": self.params, **count}


class Faults:
    """The faults that wait, oldest first; kept in the store, so a restart keeps them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(self, wanted: object) -> Fault:
        """Raises FaultRefused on a kind, fact or parameter that nothing looks at."""
        fault = _checked(wanted)
        self.store.rows.execute(
            "INSERT INTO faults (id, kind, match, params, remaining) VALUES (?, ?, ?, ?, ?)",
            (fault.id, fault.kind, json.dumps(fault.match), json.dumps(fault.params), fault.remaining),
        )
        return fault

    def waiting(self) -> list[Fault]:
        rows = self.store.rows.execute("SELECT * FROM faults ORDER BY rowid")
        return [_fault(row) for row in rows]

    def clear(self, fault_id: str | None = None) -> None:
        if fault_id is None:
            self.store.rows.execute("DELETE FROM faults")
        else:
            self.store.rows.execute("DELETE FROM faults WHERE id = ?", (fault_id,))

    def take(self, kind: str, facts: dict[str, str | None]) -> Fault | None:
        """The first fault of this kind that fits and has a strike left, which it then spends."""
        query = "SELECT * FROM faults WHERE kind = ? AND remaining IS NOT 0 ORDER BY rowid"
        for fault in [_fault(row) for row in self.store.rows.execute(query, (kind,))]:
            if fault.fits(facts):
                self.store.rows.execute(
                    "UPDATE faults SET struck = struck + 1, remaining = remaining - 1 WHERE id = ?",
                    (fault.id,),
                )
                return fault
        return None


def alter(document: Document, params: Document) -> None:
    """Writes a fault's amount, currency and metadata over an intent's."""
    for name in ("amount", "currency"):
        if name in params:
            document[name] = params[name]
    if "amount" in params and document.get("amount_capturable"):
        document["amount_capturable"] = params["amount"]
    if "amount" in params and document.get("amount_received"):
        document["amount_received"] = params["amount"]
    document["metadata"] = document.get("metadata", {}) | params.get("metadata", {})


def _fault(row: Row) -> Fault:
    match, params = json.loads(row["match"]), json.loads(row["params"])
    return Fault(row["id"], row["kind"], match, params, row["remaining"], row["struck"])


def _checked(wanted: object) -> Fault:
    if not isinstance(wanted, dict):
        raise FaultRefused("A fault is an object: {kind, match, count, params}.")
    kind, match, params = wanted.get("kind"), wanted.get("match", {}), wanted.get("params", {})
    if not isinstance(kind, str) or kind not in KINDS:
        raise FaultRefused(f"No such kind of fault: {kind!r}. There are {', '.join(KINDS)}.")
    if not isinstance(match, dict) or not isinstance(params, dict):
        raise FaultRefused("match and params are objects.")
    for name in (set(wanted) - {"kind", "match", "count", "params"}) | (set(match) - FACTS):
        raise FaultRefused(f"Nothing looks at {name!r}.")
    for name in set(params) - KINDS[kind]:
        raise FaultRefused(f"{kind} has no parameter {name!r}.")
    for name, value in params.items():
        if not _is_of_its_kind(name, value):
            raise FaultRefused(f"{name} cannot be {value!r}.")
    if params.get("when", "before") not in MOMENTS:
        raise FaultRefused(f"when is one of {', '.join(MOMENTS)}.")
    count = wanted.get("count", 1)
    if count is not None and (not isinstance(count, int) or count < 1):
        raise FaultRefused("count is a positive number, or null for always.")
    match = {name: str(value) for name, value in match.items()}
    return Fault(new_id("fault", 12), kind, match, params, count, 0)


def _is_of_its_kind(name: str, value: object) -> bool:
    if name in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name in TEXTS:
        return isinstance(value, str)
    return isinstance(value, dict if name == "metadata" else bool)

"""The ledger of one request or background step: the store, the time, and the events it emits."""

from dataclasses import dataclass

from devservices.stripe.documents import API_VERSION, Document, new_id, public
from devservices.stripe.errors import no_such
from devservices.stripe.injected_faults import InjectedFaults
from devservices.stripe.store import Store
from devservices.stripe.webhook_sender import enqueue


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger within one transaction."""

    store: Store
    faults: InjectedFaults
    now: float
    public_url: str
    later_seconds: float
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def created(self) -> int:
        return int(self.now)

    def intent(self, intent_id: str, param: str = "intent") -> Document:
        """The intent. Raises ApiError 404."""
        found = self.store.find("payment_intent", intent_id)
        if found is None:
            raise no_such("payment_intent", intent_id, param)
        return found

    def charge(self, intent: Document) -> Document:
        """The intent's latest charge."""
        return self.store.get("charge", intent["latest_charge"])

    def emit(self, kind: str, document: Document, previous: Document | None = None) -> None:
        """Inserts the event and its deliveries; they are sent after this transaction commits."""
        data: Document = {"object": public(document)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": new_id("evt", 24),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.created,
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        self.store.insert(event, _intent_of(document))
        enqueue(self.store, self.faults, event, self._facts(event), self.now)

    def _facts(self, event: Document) -> dict[str, str | None]:
        """The facts that faults are matched with; a refund or a dispute has the order of its intent."""
        document = event["data"]["object"]
        intent_id = _intent_of(document)
        intent = self.store.find("payment_intent", intent_id) if intent_id else None
        metadata = (intent or document).get("metadata") or {}
        return {"event_type": event["type"], "intent": intent_id, "order_id": metadata.get("order_id")}

    def schedule(self, kind: str, target: str, seconds: float | None = None) -> None:
        """Schedules the transition `kind` of `target`; it survives a restart."""
        due = self.now + (self.later_seconds if seconds is None else seconds)
        self.store.rows.execute(
            "INSERT INTO transitions (kind, target, due) VALUES (?, ?, ?)", (kind, target, due)
        )


def _intent_of(document: Document) -> str | None:
    if document["object"] == "payment_intent":
        return str(document["id"])
    return document.get("payment_intent")

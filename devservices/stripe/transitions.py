"""Scheduled transitions of slow payments and refunds, queued in the store so that kill -9 loses none."""

from devservices.stripe import intents, refunds
from devservices.stripe.documents import Document
from devservices.stripe.errors import ApiError
from devservices.stripe.ledger import Ledger
from devservices.stripe.store import Store

UNPROCESSED: Document = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "The payment could not be completed.",
}


def next_due(store: Store) -> float | None:
    """When the next transition is due."""
    (due,) = store.rows.execute("SELECT min(due) FROM transitions").fetchone()
    return None if due is None else float(due)


def run_due(ledger: Ledger) -> None:
    """Runs every due transition. The caller opens the transaction."""
    query = "SELECT id, kind, target FROM transitions WHERE due <= ? ORDER BY due, id"
    for row in ledger.store.rows.execute(query, (ledger.now,)).fetchall():
        ledger.store.rows.execute("DELETE FROM transitions WHERE id = ?", (row["id"],))
        _run(ledger, row["kind"], row["target"])


def _run(ledger: Ledger, kind: str, target: str) -> None:
    if kind == "refund.succeeds":
        refunds.succeed(ledger, ledger.store.get("refund", target))
    elif kind == "refund.fails":
        refunds.fail(ledger, ledger.store.get("refund", target))
    else:
        _finish_processing(ledger, kind, ledger.intent(target))


def _finish_processing(ledger: Ledger, kind: str, intent: Document) -> None:
    if intent["status"] != "processing":
        return
    if kind == "intent.fails":
        intents.fail(ledger, intent, dict(UNPROCESSED))
        return
    try:
        intents.authorise(ledger, intent, ledger.store.get("payment_method", intent["payment_method"]))
    except ApiError:
        return  # declined: the ledger has recorded it

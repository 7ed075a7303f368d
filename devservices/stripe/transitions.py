"""What happens by itself, later: slow payments and refunds. Queued in the store, so kill -9 loses none."""

from devservices.stripe import intents, refunds
from devservices.stripe.books import Books
from devservices.stripe.documents import Document
from devservices.stripe.refusals import ApiError
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


def run_due(books: Books) -> None:
    """Carries out every transition whose time has come. Needs a transaction around it."""
    query = "SELECT id, kind, target FROM transitions WHERE due <= ? ORDER BY due, id"
    for row in books.store.rows.execute(query, (books.now,)).fetchall():
        books.store.rows.execute("DELETE FROM transitions WHERE id = ?", (row["id"],))
        _run(books, row["kind"], row["target"])


def _run(books: Books, kind: str, target: str) -> None:
    if kind == "refund.succeeds":
        refunds.succeed(books, books.store.get("refund", target))
    elif kind == "refund.fails":
        refunds.fail(books, books.store.get("refund", target))
    else:
        _finish_processing(books, kind, books.intent(target))


def _finish_processing(books: Books, kind: str, intent: Document) -> None:
    if intent["status"] != "processing":
        return
    if kind == "intent.fails":
        intents.fail(books, intent, dict(UNPROCESSED))
        return
    try:
        intents.authorise(books, intent, books.store.get("payment_method", intent["payment_method"]))
    except ApiError:
        return  # declined: the books say so already, and nobody waits for this answer

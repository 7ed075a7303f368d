"""The captured, refunded and disputed sums of every intent, for checkers that compare them."""

from collections import Counter

from devservices.stripe.documents import Document
from devservices.stripe.store import Store

INEFFECTIVE = ("failed", "canceled")


def balances(store: Store) -> Document:
    """All intents, oldest first, and the sums of each currency, in Stripe's minor units."""
    refunds: dict[str, list[Document]] = {}
    for refund in store.all("refund"):
        refunds.setdefault(refund["payment_intent"], []).append(refund)
    disputes: dict[str, list[Document]] = {}
    for dispute in store.all("dispute"):
        disputes.setdefault(dispute["payment_intent"], []).append(dispute)
    rows = [
        _row(intent, refunds.get(intent["id"], []), disputes.get(intent["id"], []))
        for intent in store.all("payment_intent")
    ]
    return {"intents": rows, "totals": _totals(rows)}


def _row(intent: Document, refunds: list[Document], disputes: list[Document]) -> Document:
    fields = ("id", "status", "amount", "currency", "amount_capturable", "metadata", "created")
    effective = [one for one in refunds if one["status"] not in INEFFECTIVE]
    return {name: intent[name] for name in fields} | {
        "order_id": intent["metadata"].get("order_id"),
        "captured": intent["amount_received"],
        "refunded": sum(one["amount"] for one in effective),
        "refunds": [{name: one[name] for name in ("id", "amount", "status", "metadata")} for one in refunds],
        "withdrawn": -sum(sum(move["amount"] for move in one["balance_transactions"]) for one in disputes),
        "disputes": [{name: one[name] for name in ("id", "amount", "status", "reason")} for one in disputes],
    }


def _totals(rows: list[Document]) -> Document:
    totals: dict[str, Counter[str]] = {}
    for row in rows:
        of_currency = totals.setdefault(row["currency"], Counter())
        of_currency.update(
            {name: row[name] for name in ("amount_capturable", "captured", "refunded", "withdrawn")}
        )
    return {currency: dict(sums) for currency, sums in totals.items()}

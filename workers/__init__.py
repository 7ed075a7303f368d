"""The loops that nobody calls: expiry, outbox, reconciliation, payment sweep."""

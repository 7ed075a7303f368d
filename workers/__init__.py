"""The loops of the worker process: expiry, outbox, reconciliation, sweeps, admission, indexing."""

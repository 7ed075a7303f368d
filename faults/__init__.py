"""Fault injection: `make faults` runs a campaign against an installation and checks thirteen invariants.

Buyers, watchers and faults are seeded and run against `boxoffice up`; every call is one line of the history.
At the end the checker compares the history, the database, Redis, the local Stripe's ledger, the index and
the watchers' maps. docs/failure-modes.md has the expected outcome of each fault.
"""

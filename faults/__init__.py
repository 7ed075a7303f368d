"""The fault campaign: `make faults` attacks the twelve invariants of a running installation and audits it.

Buyers, watchers and faults run from one seed against `boxoffice up`; every call is a line of a history;
at the end history, database, Redis, the local Stripe's ledger, the index and the watchers' maps are held
against each other. docs/failure-modes.md says what each fault should lead to.
"""

"""The local Stripe: speaks the part of Stripe's HTTP API that Boxoffice uses, and signs webhooks.

A process of its own (`python -m devservices.stripe`), so that production code sees only another
API base. State lives in SQLite and survives kill -9. Faults come on demand (see faults.py).
"""

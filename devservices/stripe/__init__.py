"""The local Stripe: the part of Stripe's HTTP API that Boxoffice uses, and signed webhooks.

It is a separate process (`python -m devservices.stripe`): for production code only the API base differs.
The state is in SQLite and survives kill -9. Faults are injected on demand (see injected_faults.py).
"""

SIGNING_VARIABLE = "LOCAL_STRIPE_WEBHOOK_SECRET"
"""The environment variable of the secret that signs the events: a process list shows every command line."""

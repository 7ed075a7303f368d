"""A whole installation of many nodes on this machine, and the faults of its nodes.

Three Valkey primaries with a replica each, PostgreSQL with a synchronous standby, three API processes behind
HAProxy, two workers, Meilisearch and the local Stripe.
"""

"""Seat statuses and holds in Redis: one event in one slot of a cluster, every action one atomic script.

Redis refuses nearly all losers of a rush in microseconds. It does not decide who owns a seat: the partial
unique index over live claims in PostgreSQL does, and everything in Redis can be rebuilt from PostgreSQL.
"""

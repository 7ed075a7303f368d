"""The Redis layer of holds: one event's heat in one slot, every action one atomic script.

Redis turns away the losers of a rush for microseconds each. It is never the truth: the partial unique
index over live claims in PostgreSQL is, and everything here can be rebuilt from it.
"""

"""Runs operations and subscriptions of one schema; knows nothing of sockets."""

"""Runs operations and subscriptions of one schema, independent of sockets."""

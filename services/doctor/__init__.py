"""Differences between the stores: finding and repairing them."""

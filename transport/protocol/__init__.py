"""The base of all rooms: requests, payloads, errors, limits, and protocols for outside services."""

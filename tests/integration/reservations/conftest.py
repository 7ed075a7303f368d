"""An office on the real parts."""

from tests.integration.ordering.conftest import clock, gateway, office, stripe_server

__all__ = ["clock", "gateway", "office", "stripe_server"]

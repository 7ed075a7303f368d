"""An office whose parts are broken by hand, one at a time."""

from tests.integration.ordering.conftest import clock, gateway, office, stripe_server

__all__ = ["clock", "gateway", "office", "stripe_server"]

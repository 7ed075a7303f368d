"""An context whose parts are broken by hand, one at a time."""

from tests.integration.ordering.conftest import clock, context, gateway, stripe_server

__all__ = ["clock", "context", "gateway", "stripe_server"]

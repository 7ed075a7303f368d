"""An context on the real parts."""

from tests.integration.ordering.conftest import clock, context, gateway, stripe_server

__all__ = ["clock", "context", "gateway", "stripe_server"]

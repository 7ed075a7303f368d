"""The names of pub/sub channels that services announce on and subscriptions listen to."""

from uuid import UUID

EVENTS_CHANNEL = "bo:events"
"""An event, named by its uuid, was changed by its organiser or sold out: read it afresh."""


def order_channel(order_id: UUID) -> str:
    """Something about this order has changed."""
    return f"bo:order:{order_id}"

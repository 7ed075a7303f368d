"""The names of the pub/sub channels that services publish to and subscriptions listen to."""

from uuid import UUID

EVENTS_CHANNEL = "bo:events"
"""An event (the message is its uuid) has changed or is sold out: read it again."""


def order_channel(order_id: UUID) -> str:
    """Something about this order has changed."""
    return f"bo:order:{order_id}"

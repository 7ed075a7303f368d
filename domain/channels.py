"""The names of pub/sub channels that services announce on and subscriptions listen to."""

from uuid import UUID


def order_channel(order_id: UUID) -> str:
    """Something about this order has changed."""
    return f"bo:order:{order_id}"

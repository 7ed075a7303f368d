"""The tasks that may follow a commit."""

from enum import StrEnum


class Topic(StrEnum):
    """The kinds of outbox tasks. The key of a task is an event for two of them, an order for the rest."""

    MIRROR_ORDER = "mirror_order"
    """Write the order's places to Redis as they are in PostgreSQL."""
    MIRROR_ORDERS = "mirror_orders"
    """Free the places of the orders that the payload names as `order_ids`."""
    ORDER_CHANGED = "order_changed"
    """Notify the order's subscribers."""
    ORDER_BOOKED = "order_booked"
    """Mirror the order, and end its admission from the waiting room."""
    CAPTURE_PAYMENT = "capture_payment"
    """Capture the authorised amount."""
    VOID_PAYMENT = "void_payment"
    """Cancel the intent of an order that ended."""
    SEND_REFUND = "send_refund"
    """Send the refund that the payload names as `refund_id`."""
    EVENT_CHANGED = "event_changed"
    """Compute whether the event is sold out."""
    END_EVENT_ORDERS = "end_event_orders"
    """End and refund the orders of a cancelled event."""


EVENT_TOPICS = frozenset({Topic.EVENT_CHANGED, Topic.END_EVENT_ORDERS})
"""The topics whose key is an event."""
PACED_TOPICS = frozenset({Topic.SEND_REFUND})
"""The topics of which a cancelled event writes tens of thousands; they have a loop of their own."""
OTHER_TOPICS = frozenset(Topic) - PACED_TOPICS

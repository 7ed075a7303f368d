"""The times for which browsers, a CDN and the response cache may keep an answer."""

# By "Type.field": seconds fresh, seconds stale while a new answer is fetched, and whether it is personal.
# An operation is kept for the least time of its fields; a root field without a hint is never kept.
Hint = tuple[int, int, bool]

CACHE_HINTS: dict[str, Hint] = {
    "Query.events": (1, 10, False),
    "Query.event": (1, 10, False),
    "Query.node": (1, 10, False),
    "Query.searchEvents": (1, 10, False),
    "Query.suggest": (5, 60, False),
    "Query.order": (0, 0, True),
    "Query.me": (0, 0, True),
    "Query.queueEntry": (0, 0, True),
    "Query.challenge": (0, 0, True),
    "Query.serverTime": (0, 0, False),
    "Event.availability": (1, 0, False),
    "Event.seatStatuses": (0, 0, False),
    "Event.places": (1, 0, False),
    "Event.orders": (0, 0, True),
    "Event.waitingRoom": (1, 0, False),
    "Event.status": (1, 0, False),
    "Order": (0, 0, True),
    "Ticket": (0, 0, True),
    "User": (0, 0, True),
    "QueueEntry": (0, 0, True),
    "Place.status": (1, 0, False),
}

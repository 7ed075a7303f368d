"""Whether the sale is healthy: what the use cases came to, and how long they took."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from telemetry.children import Children

_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# From the hold to the booking, a person's time: the hold lasts eight minutes, a payment ten more.
_BOOK_SECONDS = (1, 2, 5, 10, 30, 60, 120, 240, 480, 720, 1080)
_AGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class SaleMeters:
    """The meters of services."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Children(
            Counter("boxoffice_service_calls", "Use cases", ["call", "outcome"], registry=registry)
        )
        self._call_seconds = Children(
            Histogram(
                "boxoffice_service_seconds",
                "How long use cases took",
                ["call"],
                buckets=_CALL_SECONDS,
                registry=registry,
            )
        )
        self._booked = Histogram(
            "boxoffice_time_to_book_seconds",
            "From an order's creation to its booking; its count is the bookings",
            buckets=_BOOK_SECONDS,
            registry=registry,
        )
        self._payments = Children(
            Counter("boxoffice_payments", "Payments that came into a state", ["state"], registry=registry)
        )
        self._webhooks = Children(
            Counter("boxoffice_webhooks", "Webhooks received", ["outcome"], registry=registry)
        )
        self._tasks = Children(
            Counter("boxoffice_outbox_tasks", "Outbox tasks run", ["topic", "outcome"], registry=registry)
        )
        self._task_age = Histogram(
            "boxoffice_outbox_task_age_seconds",
            "From a task's commit to the end of the run that finished it",
            buckets=_AGE_SECONDS,
            registry=registry,
        )

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Count a use case; the outcome is ok, a refusal's code, or FAULT."""
        self._calls(call, outcome).inc()
        self._call_seconds(call).observe(seconds)

    def booked(self, seconds: float) -> None:
        """Count a booking, this long after its order's creation."""
        self._booked.observe(seconds)

    def payment(self, state: str) -> None:
        """Count a payment that has come into a state."""
        self._payments(state).inc()

    def webhook(self, outcome: str) -> None:
        """Count a webhook by what it was answered."""
        self._webhooks(outcome).inc()

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Count a run of an outbox task; only one that is done has an age."""
        self._tasks(topic, outcome).inc()
        if outcome == "done":
            self._task_age.observe(age_seconds)

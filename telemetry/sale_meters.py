"""Whether the sale is healthy: what the use cases came to, and how long they took."""

from prometheus_client import CollectorRegistry

from telemetry.counting import Counts, Spreads

_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# From the hold to the booking, a person's time: the hold lasts eight minutes, a payment ten more.
_BOOK_SECONDS = (1, 2, 5, 10, 30, 60, 120, 240, 480, 720, 1080)
_AGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class SaleMeters:
    """The meters of services."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counts(registry, "boxoffice_service_calls", "Use cases", ["call", "outcome"])
        self._call_seconds = Spreads(
            registry, "boxoffice_service_seconds", "How long use cases took", _CALL_SECONDS, ["call"]
        )
        self._booked = Spreads(
            registry,
            "boxoffice_time_to_book_seconds",
            "From an order's creation to its booking; its count is the bookings",
            _BOOK_SECONDS,
        )
        self._payments = Counts(registry, "boxoffice_payments", "Payments that came into a state", ["state"])
        self._webhooks = Counts(registry, "boxoffice_webhooks", "Webhooks received", ["outcome"])
        self._tasks = Counts(registry, "boxoffice_outbox_tasks", "Outbox tasks run", ["topic", "outcome"])
        self._task_age = Spreads(
            registry,
            "boxoffice_outbox_task_age_seconds",
            "From a task's commit to the end of the run that finished it",
            _AGE_SECONDS,
        )

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Count a use case; the outcome is ok, a refusal's code, GONE or FAULT."""
        self._calls.add(call, outcome)
        self._call_seconds.note(seconds, call)

    def booked(self, seconds: float) -> None:
        """Count a booking, this long after its order's creation."""
        self._booked.note(seconds)

    def payment(self, state: str) -> None:
        """Count a payment that has come into a state."""
        self._payments.add(state)

    def webhook(self, outcome: str) -> None:
        """Count a webhook by what it was answered."""
        self._webhooks.add(outcome)

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Count a run of an outbox task; only one that is done has an age."""
        self._tasks.add(topic, outcome)
        if outcome == "done":
            self._task_age.note(age_seconds)

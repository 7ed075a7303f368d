"""Metrics of the sale: outcomes and durations of use cases, payments, webhooks and outbox tasks."""

from prometheus_client import CollectorRegistry

from domain.states import DisputeState
from telemetry.fast_metrics import FastCounter, FastHistogram

_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# From the hold to the booking: a hold lasts eight minutes, a payment ten more.
_BOOK_SECONDS = (1, 2, 5, 10, 30, 60, 120, 240, 480, 720, 1080)
_AGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class SaleMeters:
    """The metrics that services record."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = FastCounter(registry, "boxoffice_service_calls", "Use cases run", ["call", "outcome"])
        self._call_seconds = FastHistogram(
            registry, "boxoffice_service_seconds", "Duration of use cases", _CALL_SECONDS, ["call"]
        )
        self._booked = FastHistogram(
            registry,
            "boxoffice_time_to_book_seconds",
            "From an order's creation to its booking; its count is the bookings",
            _BOOK_SECONDS,
        )
        self._payments = FastCounter(
            registry, "boxoffice_payments", "Payments that entered a state", ["state"]
        )
        self._disputes = FastCounter(
            registry, "boxoffice_disputes", "Disputes that entered a state", ["state"]
        )
        for state in DisputeState:
            self._disputes.add(state, count=0)  # without a zero before it, the first one would be no increase
        self._by_hand = FastCounter(
            registry, "boxoffice_refunds_by_hand", "Refunds made at Stripe by hand, taken in", []
        )
        self._by_hand.add(count=0)
        self._limited = FastCounter(
            registry,
            "boxoffice_sale_limits_reached",
            "Holds and payments refused by a limit of persons, networks or declines",
            ["limit"],
        )
        self._webhooks = FastCounter(registry, "boxoffice_webhooks", "Webhooks received", ["outcome"])
        self._tasks = FastCounter(
            registry, "boxoffice_outbox_tasks", "Outbox tasks run", ["topic", "outcome"]
        )
        self._task_age = FastHistogram(
            registry,
            "boxoffice_outbox_task_age_seconds",
            "From a task's commit to the end of the run that finished it",
            _AGE_SECONDS,
        )

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Count a use case; the outcome is ok, the code of an error, GONE (cancelled) or FAULT (a bug)."""
        self._calls.add(call, outcome)
        self._call_seconds.observe(seconds, call)

    def booked(self, seconds: float) -> None:
        """Count a booking and the time since its order's creation."""
        self._booked.observe(seconds)

    def payment(self, state: str) -> None:
        """Count a payment that has entered a state."""
        self._payments.add(state)

    def dispute(self, state: str) -> None:
        """Count a dispute that has entered a state."""
        self._disputes.add(state)

    def refunded_by_hand(self, refunds: int) -> None:
        """Count refunds made at Stripe by hand."""
        if refunds:
            self._by_hand.add(count=refunds)

    def limited(self, limit: str) -> None:
        """Count a refusal by the limit that was reached."""
        self._limited.add(limit)

    def webhook(self, outcome: str) -> None:
        """Count a webhook by its outcome."""
        self._webhooks.add(outcome)

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Count a run of an outbox task; the age is recorded only when it is done."""
        self._tasks.add(topic, outcome)
        if outcome == "done":
            self._task_age.observe(age_seconds)

"""What operators watch of the lines: looked up in Redis when `/metrics` is asked for."""

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge

from services.waiting_room import WaitingRooms


class Estimates(Protocol):
    """How good the estimates of this process were."""

    def eta_error(self, event_id: UUID) -> float | None:
        """The median relative error; None where nobody has been admitted yet."""


_FIGURES = {
    "waiting": "People in line",
    "active": "Admissions in use",
    "admitted": "Admissions so far",
    "ended": "Admissions that are over",
    "lapsed": "Admissions that ran out of time",
    "rate_per_minute": "Admissions a minute, measured",
}


def watch_lines(
    registry: CollectorRegistry, rooms: WaitingRooms, estimates: Estimates
) -> Callable[[], Awaitable[None]]:
    """Gauges by event; call what it returns before they are read."""
    gauges = {
        name: Gauge(f"boxoffice_waiting_room_{name}", purpose, ["event"], registry=registry)
        for name, purpose in _FIGURES.items()
    }
    eta_error = Gauge(
        "boxoffice_waiting_room_eta_error",
        "Median relative error of the first estimates told by this process",
        ["event"],
        registry=registry,
    )

    async def refresh() -> None:
        states = await rooms.standings_of_lines()
        for gauge in (*gauges.values(), eta_error):
            gauge.clear()
        for event_id, state in states.items():
            for name, gauge in gauges.items():
                gauge.labels(str(event_id)).set(getattr(state, name))
            error = estimates.eta_error(event_id)
            if error is not None:
                eta_error.labels(str(event_id)).set(error)

    return refresh

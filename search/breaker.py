"""A circuit breaker: no calls to a service that has just failed."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after a number of failures in a row; after a pause it allows one attempt at a time."""

    def __init__(
        self, *, failures: int = 3, pause_seconds: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_failures = failures
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._failures = 0
        self._next_attempt_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused."""
        return self._failures >= self._max_failures

    def allows(self) -> bool:
        """Whether a call may be made now; while open, an allowed call starts the next pause."""
        if not self.is_open:
            return True
        if self._clock() < self._next_attempt_at:
            return False
        self._next_attempt_at = self._clock() + self._pause_seconds
        return True

    def succeeded(self) -> None:
        """Close the breaker."""
        self._failures = 0

    def failed(self) -> None:
        """Count one more failure in a row."""
        self._failures += 1
        self._next_attempt_at = self._clock() + self._pause_seconds

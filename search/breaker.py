"""Not asking a part that has just failed: a circuit breaker."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after so many failures in a row; after a pause lets one try through at a time."""

    def __init__(
        self, *, failures: int = 3, pause_seconds: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_failures = failures
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._failures = 0
        self._closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are being turned away."""
        return self._failures >= self._most_failures

    def allows(self) -> bool:
        """Whether to try now; while open, the one who is let through starts the next pause."""
        if not self.is_open:
            return True
        if self._clock() < self._closed_again_at:
            return False
        self._closed_again_at = self._clock() + self._pause_seconds
        return True

    def succeeded(self) -> None:
        """Everything is well again."""
        self._failures = 0

    def failed(self) -> None:
        """One more failure in a row."""
        self._failures += 1
        self._closed_again_at = self._clock() + self._pause_seconds

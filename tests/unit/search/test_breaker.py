"""The circuit breaker."""

from search.breaker import CircuitBreaker


class ManualClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_calls_are_refused_after_too_many_failures() -> None:
    breaker = CircuitBreaker(failures=2, pause_seconds=1.0, clock=ManualClock())
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


def test_one_attempt_is_allowed_when_the_pause_is_over() -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(failures=1, pause_seconds=1.0, clock=clock)
    breaker.failed()
    clock.now = 1.0
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert breaker.allows()

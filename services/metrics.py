"""What use cases tell those who watch, and the decorator that makes each call of one known."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from domain.errors import BoxofficeError
from kit.spans import stepped

if TYPE_CHECKING:
    from services.context import Office

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
UseCase = Callable[Concatenate["Office", Arguments], Coroutine[Any, Any, Answer]]

OK = "ok"
FAULT = "FAULT"
GONE = "GONE"


class SaleMeters(Protocol):
    """Counts what says whether the sale is healthy."""

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Count a use case; the outcome is ok, a refusal's code, GONE (nobody waits for it) or FAULT."""

    def booked(self, seconds: float) -> None:
        """Count a booking, this long after its order's creation."""

    def payment(self, state: str) -> None:
        """Count a payment that has come into a state."""

    def webhook(self, outcome: str) -> None:
        """Count a webhook by what it was answered."""

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Count a run of an outbox task; the outcome is done, again or fault."""


class NoMeters:
    """Counts nothing."""

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Ignore it."""

    def booked(self, seconds: float) -> None:
        """Ignore it."""

    def payment(self, state: str) -> None:
        """Ignore it."""

    def webhook(self, outcome: str) -> None:
        """Ignore it."""

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Ignore it."""


def measured(name: str) -> Callable[[UseCase[Arguments, Answer]], UseCase[Arguments, Answer]]:
    """Count a use case's calls by outcome, time them, and make each a step of its trace."""

    def decorate(function: UseCase[Arguments, Answer]) -> UseCase[Arguments, Answer]:
        work = stepped(name)(function)

        @wraps(function)
        async def call(office: "Office", /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
            began, outcome = time.perf_counter(), FAULT
            try:
                answer = await work(office, *arguments, **named)
                outcome = OK
                return answer
            except BoxofficeError as error:
                outcome = error.code
                raise
            except asyncio.CancelledError:
                outcome = GONE
                raise
            finally:
                office.meters.called(name, outcome, time.perf_counter() - began)

        return call

    return decorate

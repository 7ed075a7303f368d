"""The metrics of use cases, and the decorator that counts, times and traces each call of one."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from domain.errors import BoxofficeError
from kit.spans import stepped

OK = "ok"
FAULT = "FAULT"
GONE = "GONE"


class SaleMeters(Protocol):
    """The counters that show whether the sale is healthy."""

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call of a use case; the outcome is ok, an error's code, GONE (cancelled) or FAULT."""

    def booked(self, seconds: float) -> None:
        """Count a booking, with the time since its order was created."""

    def payment(self, state: str) -> None:
        """Count a payment's change to a state."""

    def dispute(self, state: str) -> None:
        """Count a dispute's change to a state."""

    def refunded_by_hand(self, refunds: int) -> None:
        """Count refunds that were made at the gateway by hand."""

    def limited(self, limit: str) -> None:
        """Count a request that was refused by a limit of persons, networks or declines."""

    def webhook(self, outcome: str) -> None:
        """Count a webhook by the outcome that answered it."""

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Count a run of an outbox task; the outcome is done, again or fault."""


class NoMeters:
    """Counts nothing."""

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Ignore the call."""

    def booked(self, seconds: float) -> None:
        """Ignore the booking."""

    def payment(self, state: str) -> None:
        """Ignore the payment."""

    def dispute(self, state: str) -> None:
        """Ignore the dispute."""

    def refunded_by_hand(self, refunds: int) -> None:
        """Ignore the refunds."""

    def limited(self, limit: str) -> None:
        """Ignore the refusal."""

    def webhook(self, outcome: str) -> None:
        """Ignore the webhook."""

    def task(self, topic: str, outcome: str, age_seconds: float) -> None:
        """Ignore the task."""


class Metered(Protocol):
    """A context that has meters."""

    @property
    def meters(self) -> SaleMeters:
        """The meters to count in."""


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Context = TypeVar("Context", bound=Metered)
UseCase = Callable[Concatenate[Context, Arguments], Coroutine[Any, Any, Answer]]


def measured(
    name: str,
) -> Callable[[UseCase[Context, Arguments, Answer]], UseCase[Context, Arguments, Answer]]:
    """Count a use case's calls by outcome, time them, and make each a step of its trace."""

    def decorate(function: UseCase[Context, Arguments, Answer]) -> UseCase[Context, Arguments, Answer]:
        work = stepped(name)(function)

        @wraps(function)
        async def call(context: Context, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
            began, outcome = time.perf_counter(), FAULT
            try:
                answer = await work(context, *arguments, **named)
                outcome = OK
                return answer
            except BoxofficeError as error:
                outcome = error.code
                raise
            except asyncio.CancelledError:
                outcome = GONE
                raise
            finally:
                context.meters.called(name, outcome, time.perf_counter() - began)

        return call

    return decorate

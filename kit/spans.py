"""Traces without a tracer: where nothing begins a span, nothing is made and nothing is paid.

The holder of a `Tracer` (the composition root passes it on) begins a span; every `step` below it,
in any module, becomes its child. The current span follows the asyncio tasks that are started
within it. Ids and headers are W3C Trace Context's (https://www.w3.org/TR/trace-context/).
"""

import re
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar, Token
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Fact = str | int | float | bool

# Other versions than 00 may carry more behind the flags, which a reader of 00 leaves alone.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_LONGEST_TRACEPARENT = 128


class Span(Protocol):
    """One timed piece of work."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""

    @property
    def traceparent(self) -> str:
        """The header by which another process continues from here."""

    def child(self, name: str, facts: Mapping[str, Fact]) -> "Span":
        """Begin a piece of this work."""

    def note(self, name: str, fact: Fact) -> None:
        """Add what is known only now."""

    def end(self, fault: BaseException | None) -> None:
        """Finish, with what was raised, if anything was."""


class Tracer(Protocol):
    """Begins what has no span above it in this process."""

    def begin(
        self, name: str, *, traceparent: str | None = None, serving: bool = False, facts: Mapping[str, Fact]
    ) -> Span | None:
        """A span, continuing the caller's trace where there is one; None where it is not recorded.

        `serving` says that a client waits for the answer.
        """

    def close(self) -> None:
        """Send what has ended; blocks for as long as that takes, a few seconds at most."""


class NoTracer:
    """Records nothing."""

    def begin(
        self, name: str, *, traceparent: str | None = None, serving: bool = False, facts: Mapping[str, Fact]
    ) -> Span | None:
        """None."""
        return None

    def close(self) -> None:
        """Nothing to send."""


_current: ContextVar[Span | None] = ContextVar("span", default=None)


def current_span() -> Span | None:
    """The span that this code runs in."""
    return _current.get()


def current_traceparent() -> str | None:
    """What to hand to another process so that it continues this trace."""
    span = _current.get()
    return None if span is None else span.traceparent


def traceparent_of(header: str | None) -> str | None:
    """The header, where it is a good one; a bad one is as good as none, the standard says."""
    if header is None or len(header) > _LONGEST_TRACEPARENT or not _TRACEPARENT.fullmatch(header):
        return None
    return header


class within:  # noqa: N801 - read as a statement
    """Run the block in a span that was begun for it, and end the span with it; None is no span."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span | None) -> None:
        self._span = span
        self._token: Token[Span | None] | None = None

    def __enter__(self) -> Span | None:
        if self._span is not None:
            self._token = _current.set(self._span)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is not None and self._token is not None:
            _current.reset(self._token)
            self._span.end(fault)


class step:  # noqa: N801 - read as a statement
    """Run the block as a child of the current span; without one, it just runs."""

    __slots__ = ("_facts", "_name", "_within")

    def __init__(self, name: str, **facts: Fact) -> None:
        self._name = name
        self._facts = facts
        self._within: within | None = None

    def __enter__(self) -> Self:
        above = _current.get()
        if above is not None:
            self._within = within(above.child(self._name, self._facts))
            self._within.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._within is not None:
            self._within.__exit__(kind, fault, trace)


def stepped(
    name: str,
) -> Callable[
    [Callable[Arguments, Coroutine[Any, Any, Answer]]], Callable[Arguments, Coroutine[Any, Any, Answer]]
]:
    """Make every call of an async function a step."""

    def decorate(
        function: Callable[Arguments, Coroutine[Any, Any, Answer]],
    ) -> Callable[Arguments, Coroutine[Any, Any, Answer]]:
        async def in_step(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
            with step(name):
                return await function(*arguments, **named)

        @wraps(function)
        def call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Coroutine[Any, Any, Answer]:
            chosen = function if _current.get() is None else in_step
            return chosen(*arguments, **named)

        return call

    return decorate

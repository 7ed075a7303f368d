"""One subscription of one client: its source, and each event's payload, encoded once for all sharers."""

from __future__ import annotations

from asyncio import Future, ensure_future, shield
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from typing import Any, Protocol, cast

from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor

from kit.shared_answers import SharedAnswers
from transport.documents.operation import Operation
from transport.executor import Running
from transport.protocol.payload import Payload, PayloadEncoder

from .options import ServerOptions
from .sources import close_source, open_source


class Executing(Protocol):
    """Executes events."""

    @property
    def encoder(self) -> PayloadEncoder:
        """Writes results."""

    @property
    def options(self) -> ServerOptions:
        """The application's own functions and switches."""

    def start(self, run: Running, operation: Operation) -> Any:
        """Execute: the result, or an awaitable of it where a resolver has to wait."""


class Subscription:
    """A subscription whose reader opens and closes it."""

    __slots__ = (
        "_engine",
        "_executor",
        "_extensions",
        "_key",
        "_last_event_id",
        "_operation",
        "_running",
        "source",
    )

    def __init__(
        self,
        engine: Executing,
        operation: Operation,
        executor: Callable[[], Executor[Any]],
        running: Callable[[Any], Running],
        key: Hashable | None,
        extensions: dict[str, Any] | None,
        last_event_id: str | None,
    ) -> None:
        self._engine = engine
        self._operation = operation
        self._executor = executor
        self._running = running
        self._key = key
        self._extensions = extensions
        self._last_event_id = last_event_id
        self.source: AsyncIterator[Any] | None = None

    async def payloads(self) -> AsyncGenerator[tuple[Payload, str | None], None]:
        """Open the source and yield a payload and its event id for each event; a failure is the last."""
        try:
            source = await self.open()
            async for event in source:
                payload = self.payload(event)
                yield payload if isinstance(payload, Payload) else await payload, self.event_id(event)
        except Exception as error:
            yield self.failure(error), None
        finally:
            await self.aclose()

    async def open(self) -> AsyncIterator[Any]:
        """Open the source. Raises: GraphQLError with the field's path."""
        argument = self._engine.options.resume_argument
        self.source = await open_source(self._executor(), argument, self._last_event_id)
        return self.source

    async def aclose(self) -> None:
        """End the source."""
        source, self.source = self.source, None
        if source is not None:
            await close_source(source)

    def event_id(self, event: Any) -> str | None:
        """Name an event, for Last-Event-ID."""
        return self._engine.options.event_id(event)

    def failure(self, error: Exception) -> Payload:
        """The last payload of a source that failed."""
        if isinstance(error, GraphQLError):
            return self._engine.encoder.request_error([error])
        return self._engine.encoder.fault(error)

    def payload(self, event: Any) -> Payload | Awaitable[Payload]:
        """The event's payload, or an awaitable of it where a resolver has to wait."""
        shared = getattr(event, "shared", None) if self._key is not None else None
        if shared is None:
            return self._encoded(self._start(event))
        flight = shared.get(self._key)
        if isinstance(flight, Payload):
            flight.is_shared = True
            return flight
        if flight is None:
            payload = self._encoded(self._start(event))
            if isinstance(payload, Payload):
                shared.keep(self._key, payload, len(payload.body))
                return payload
            flight = ensure_future(payload)
            shared.keep(self._key, flight, 0)
        return self._landed(shared, flight)

    def _start(self, event: Any) -> Any:
        return self._engine.start(self._running(event), self._operation)

    def _encoded(self, started: Any) -> Payload | Awaitable[Payload]:
        if isinstance(started, ExecutionResult):
            return self._engine.encoder.result(started, self._extensions)
        return self._encoded_later(started)

    async def _encoded_later(self, started: Awaitable[ExecutionResult]) -> Payload:
        return self._engine.encoder.result(await started, self._extensions)

    async def _landed(self, shared: SharedAnswers, flight: Any) -> Payload:
        payload = await shield(cast("Future[Payload]", flight))
        if shared.get(self._key) is flight:
            shared.keep(self._key, payload, len(payload.body))
        else:
            payload.is_shared = True
        return payload

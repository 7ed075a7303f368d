"""The stages that surround the work for every request, whichever entrance it came through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transport.overload.load_shedder import Enter, LoadShedder
from transport.overload.middleware import OverloadMiddleware
from transport.overload.refusals import overload_response
from transport.protocol.asgi import App
from transport.protocol.raw import ErrorResponse, RawHeader

from .cross_origin import CrossOrigin, CrossOriginMiddleware
from .observation import NoObserver, ObservationMiddleware, Observer
from .security_headers import SecurityHeaders, security_headers


@dataclass(frozen=True)
class Pipeline:
    """Security headers, grants to other origins, observation, load shedding, deadline: outside to inside.

    ASGI requests pass the stages as middleware (`around`); the fast path passes them without ASGI's
    messages.
    """

    shedder: LoadShedder
    enter: Enter
    """Enters a request with its deadline."""
    observer: Observer = NoObserver()  # noqa: RUF009 - it has no state
    cross_origin: CrossOrigin = CrossOrigin()  # noqa: RUF009 - it does not change
    strict_transport: bool = False
    """Whether Strict-Transport-Security asks browsers to use TLS only."""

    @property
    def headers(self) -> tuple[RawHeader, ...]:
        """The headers of every response that does not set them itself."""
        return security_headers(self.strict_transport)

    def around(self, app: App) -> App:
        """Put the stages around an ASGI application."""
        admitted = OverloadMiddleware(app, self.shedder, self.enter)
        observed = ObservationMiddleware(admitted, self.observer)
        granted = CrossOriginMiddleware(observed, self.cross_origin)
        return SecurityHeaders(granted, strict_transport=self.strict_transport)

    def refuse(self, path: str, headers: Sequence[RawHeader]) -> ErrorResponse:
        """Count a refused request and return its whole response."""
        granted = self.cross_origin.headers_in(path, headers)
        return overload_response(self.shedder, headers, (*granted, *self.headers))

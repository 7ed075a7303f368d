"""The errors of the transport, with the status and close code of each.

GraphQLHTTPError
├── BadRequest                 400  malformed JSON, a parameter of the wrong type
│   ├── DocumentRejected        400  the guard: too large, too deep, too dear
│   └── DocumentInvalid        400  it does not parse, validate, or its variables do not fit
├── Unauthenticated            401  WebSocket 4403
│   └── TokenExpired           401  while a stream is open
├── Forbidden                  403
├── NotFound                   404
├── MethodNotAllowed           405
├── NotAcceptable              406
├── Conflict                   409
│   └── TooManyOperations      409  WebSocket: an error message for this operation
├── PayloadTooLarge            413
├── UnsupportedMediaType       415
├── RateLimited                429  a budget of the minute is spent
│   └── TooManyConnections     429  WebSocket 1013
└── Unavailable                503
    └── Overloaded             503  WebSocket 1013
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from graphql import GraphQLError

Header = tuple[str, str]


class GraphQLHTTPError(Exception):
    """The request was refused."""

    code: ClassVar[str] = "BAD_REQUEST"
    status: ClassVar[int] = 400
    close_code: ClassVar[int] = 4400
    well_formed: ClassVar[bool] = False
    """True where GraphQL over HTTP answers 200 to a client that asks for application/json."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        headers: Sequence[Header] = (),
        errors: Sequence[GraphQLError] = (),
    ) -> None:
        self.message = message or (type(self).__doc__ or "").split("\n")[0]
        super().__init__(self.message)
        self.error_code = code or self.code
        self.headers = tuple(headers)
        self.errors = tuple(errors) or (GraphQLError(self.message, extensions={"code": self.error_code}),)


class BadRequest(GraphQLHTTPError):
    """The request is malformed."""


class DocumentRejected(BadRequest):
    """The document is beyond the published limits."""

    code = "DOCUMENT_TOO_LARGE"


class DocumentInvalid(BadRequest):
    """The document or its variables do not fit the schema."""

    code = "GRAPHQL_VALIDATION_FAILED"
    well_formed = True


class Unauthenticated(GraphQLHTTPError):
    """The token is malformed, expired or badly signed."""

    code = "UNAUTHENTICATED"
    status = 401
    close_code = 4403

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers=[("www-authenticate", "Bearer")])


class TokenExpired(Unauthenticated):
    """The token has expired: connect again with a fresh one."""


class Forbidden(GraphQLHTTPError):
    """The caller may not do this."""

    code = "FORBIDDEN"
    status = 403
    close_code = 4403


class NotFound(GraphQLHTTPError):
    """There is no such stream."""

    code = "NOT_FOUND"
    status = 404


class MethodNotAllowed(GraphQLHTTPError):
    """This method is not served here."""

    code = "METHOD_NOT_ALLOWED"
    status = 405

    def __init__(self, message: str = "", *, allow: str) -> None:
        super().__init__(message, headers=[("allow", allow)])


class NotAcceptable(GraphQLHTTPError):
    """None of the accepted media types can be served."""

    code = "NOT_ACCEPTABLE"
    status = 406


class Conflict(GraphQLHTTPError):
    """The stream or operation exists already."""

    code = "CONFLICT"
    status = 409


class TooManyOperations(Conflict):
    """This connection runs as many operations as it may: end one before the next."""

    code = "TOO_MANY_OPERATIONS"


class PayloadTooLarge(GraphQLHTTPError):
    """The body is larger than this server reads."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    close_code = 1009


class UnsupportedMediaType(GraphQLHTTPError):
    """The body has to be application/json in UTF-8."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class RateLimited(GraphQLHTTPError):
    """Too many requests."""

    code = "RATE_LIMITED"
    status = 429
    close_code = 1013

    def __init__(self, message: str = "", *, retry_after_seconds: int = 1) -> None:
        super().__init__(message, headers=[("retry-after", str(retry_after_seconds))])
        extensions = {"code": self.code, "retryAfterSeconds": retry_after_seconds}
        self.errors = (GraphQLError(self.message, extensions=extensions),)


class TooManyConnections(RateLimited):
    """Your network has too many sockets and event streams open; close some, or try again later."""

    code = "TOO_MANY_CONNECTIONS"

    def __init__(self) -> None:
        super().__init__(retry_after_seconds=10)


class Unavailable(GraphQLHTTPError):
    """The server cannot answer now."""

    code = "UNAVAILABLE"
    status = 503
    close_code = 1013


class Overloaded(Unavailable):
    """The server is very busy; please try again in a moment."""

    code = "OVERLOADED"

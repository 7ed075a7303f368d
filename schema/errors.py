"""The public form of an error: its code and message, or a log id for an internal one."""

import logging
import secrets
from typing import Any

from graphql import GraphQLError

from domain.errors import BadRequest, BoxofficeError
from resolvers.outages import outage_of
from transport import GraphQLHTTPError

logger = logging.getLogger(__name__)


def public_error(error: GraphQLError) -> dict[str, Any]:
    """Return a known error with its code and sentence; mask and log any other, and name its log id."""
    cause = _cause(error)
    if isinstance(cause, BoxofficeError):
        return _formatted(error, cause.message, {"code": cause.code})
    if isinstance(cause, GraphQLHTTPError):
        return _formatted(error, cause.message, {"code": cause.error_code})
    if cause is None:
        return _formatted(error, error.message, {"code": BadRequest.code, **(error.extensions or {})})
    outage = outage_of(cause)
    if outage is not None:
        logger.warning("The database does not answer: %r", cause)
        return _formatted(error, outage.message, {"code": outage.code})
    log_id = secrets.token_hex(8)
    facts = {"error_id": log_id, "path": ".".join(map(str, error.path or ()))}
    logger.error("Internal error %s", log_id, exc_info=cause, extra=facts)
    return _formatted(error, "Internal error", {"code": "INTERNAL_SERVER_ERROR", "logId": log_id})


def _cause(error: GraphQLError) -> BaseException | None:
    """Return the raised exception; None where GraphQL itself rejects the request."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _formatted(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message, "extensions": extensions}
    if error.locations:
        formatted["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        formatted["path"] = error.path
    return formatted

"""The public form of errors: faults are masked and named by a log id."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from graphql import GraphQLError

from .errors import GraphQLHTTPError

logger = logging.getLogger(__name__)
BAD_INPUT = "BAD_USER_INPUT"


def mask_error(error: GraphQLError) -> dict[str, Any]:
    """Return the public form of an error; a fault is logged under a log id."""
    original = error.original_error
    if isinstance(original, GraphQLHTTPError):
        return _public(error, original.message, {"code": original.error_code})
    if original is None or isinstance(original, GraphQLError):
        extensions = dict(error.extensions or {})
        extensions.setdefault("code", BAD_INPUT)
        return _public(error, error.message, extensions)
    log_id = secrets.token_hex(8)
    logger.error("Unexpected error %s", log_id, exc_info=original)
    return _public(
        error,
        "Internal server error.",
        {"code": "INTERNAL_SERVER_ERROR", "logId": log_id},
    )


def _public(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [place._asdict() for place in error.locations]
    if error.path:
        formatted["path"] = error.path
    formatted["extensions"] = extensions
    return formatted

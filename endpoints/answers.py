"""Answers of the plain HTTP endpoints."""

from typing import Any

import orjson
from starlette.responses import Response


def json_answer(content: Any, status: int = 200) -> Response:
    """Return a JSON response that is not cached."""
    return Response(
        orjson.dumps(content),
        status,
        {"cache-control": "no-store", "x-content-type-options": "nosniff"},
        "application/json",
    )


def refusal(status: int, code: str, message: str) -> Response:
    """Return an error in the shape of GraphQL's errors."""
    return json_answer({"errors": [{"message": message, "extensions": {"code": code}}]}, status)

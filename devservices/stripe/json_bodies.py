"""JSON bodies of the endpoints beside Stripe's API."""

import json
from typing import Any

from starlette.requests import Request

from devservices.stripe.documents import Document
from devservices.stripe.errors import ApiError


async def json_body(request: Request) -> Any:
    """The body. Raises ApiError 415 for another content type, which a page could send without CORS."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ApiError(415, "Send Content-Type: application/json.")
    try:
        return json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as fault:
        raise ApiError(400, "The body is not valid JSON.") from fault


async def json_object(request: Request) -> Document:
    """The body, an object."""
    wanted = await json_body(request)
    if not isinstance(wanted, dict):
        raise ApiError(400, "Send a JSON object.")
    return wanted

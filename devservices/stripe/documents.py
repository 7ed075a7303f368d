"""Stripe's objects as JSON documents, and their ids."""

import secrets
import string
from typing import Any

Document = dict[str, Any]
ALPHABET = string.ascii_letters + string.digits
API_VERSION = "2026-10-28.endive"  # the version that the pinned SDK speaks


def new_id(prefix: str, length: int = 24) -> str:
    """An id in Stripe's format: `pi_3Q…`."""
    return f"{prefix}_{token(length)}"


def token(length: int) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def public(document: Document) -> Document:
    """The document without its internal keys, those that begin with an underscore."""
    return {key: _public_value(value) for key, value in document.items() if key[:1] != "_"}


def _public_value(value: Any) -> Any:
    if isinstance(value, dict):
        return public(value)
    if isinstance(value, list):
        return [_public_value(one) for one in value]
    return value


def page(url: str, rows: list[Document], has_more: bool) -> Document:
    """A list object, newest first."""
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}

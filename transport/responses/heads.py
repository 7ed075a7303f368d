"""The head of an HTTP response: status, headers and content encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from transport.execution.engine import Call
from transport.protocol.errors import Header
from transport.protocol.negotiation import JSON, Accepted, accepted, encoding_of

from .answers import Answer, matches

COST_HEADER = "x-graphql-cost"
"""A request with this header gets its cost in extensions.cost."""
ACCEPT_QUERY: Header = ("accept-query", "application/json")
"""The media types that a QUERY may have (RFC 10008)"""
VARY = "Accept, Accept-Encoding, Authorization"
ERROR_VARY = "Accept, Accept-Encoding"


@dataclass(frozen=True, slots=True, eq=False)
class ResponsePreferences:
    """How a request is to be answered; follows from its method and headers alone."""

    method: str
    accepted: Accepted
    encoding: str | None
    if_none_match: str
    authorized: bool
    """It carries an Authorization header: shared caches must not keep the answer."""
    wants_cost: bool


def preferences_of(method: str, headers: Mapping[str, str]) -> ResponsePreferences:
    """Read the preferences from headers whose names are in lower case."""
    return ResponsePreferences(
        method=method,
        accepted=accepted(headers.get("accept", "")),
        encoding=encoding_of(headers.get("accept-encoding", "")),
        if_none_match=headers.get("if-none-match", ""),
        authorized="authorization" in headers,
        wants_cost=COST_HEADER in headers,
    )


@dataclass(frozen=True, slots=True)
class Head:
    """All of a response but its body; encoding None sends the body as it is."""

    status: int
    headers: tuple[Header, ...]
    encoding: str | None
    has_body: bool = True


def head_of(preferences: ResponsePreferences, call: Call, answer: Answer) -> Head:
    """The head of an operation's answer; a POST's is not kept by caches."""
    encoding = answer.encoding(preferences.encoding)
    if preferences.method == "POST":
        return _whole(preferences, encoding, (("cache-control", "no-store"),))
    caching = ("cache-control", _cache_control(preferences, call, answer))
    if answer.payload.failed:
        return _whole(preferences, encoding, (caching,))
    etag = answer.etag(encoding)
    headers = (caching, ("etag", etag), ("vary", VARY))
    if matches(preferences.if_none_match, etag):
        return Head(304, headers, encoding, has_body=False)
    return _whole(preferences, encoding, headers)


def error_head(
    preferences: ResponsePreferences, status: int, answer: Answer, headers: tuple[Header, ...]
) -> Head:
    """The head of an error response."""
    return _whole(preferences, answer.encoding(preferences.encoding), headers, status)


def _whole(
    preferences: ResponsePreferences, encoding: str | None, headers: tuple[Header, ...], status: int = 200
) -> Head:
    media_type = preferences.accepted.media_type or JSON
    sent = (("content-type", f"{media_type}; charset=utf-8"), *headers)
    if preferences.method == "QUERY":
        sent += (ACCEPT_QUERY,)
    if encoding:
        sent += (("content-encoding", encoding),)
    if not any(name == "vary" for name, _ in headers):
        sent += (("vary", ERROR_VARY),)
    return Head(status, sent, encoding)


def _cache_control(preferences: ResponsePreferences, call: Call, answer: Answer) -> str:
    if answer.payload.failed:
        return "no-store"
    if answer.personal or call.wants_cost:
        return "private, no-store"
    return call.operation.policy.within(answer.others_seconds).header(preferences.authorized)

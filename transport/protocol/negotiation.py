"""Content negotiation: the media type and the compression of a response."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
MULTIPART = "multipart/mixed"
SUBSCRIPTIONS = "subscriptionspec=1.0"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an Accept header allows."""

    media_type: str | None
    """JSON or GRAPHQL_RESPONSE; None where the client takes neither."""
    stream: bool
    """text/event-stream is accepted by name."""
    multipart: bool
    """multipart/mixed is accepted, with the version of the subscription protocol that is spoken here."""
    named_json: bool
    """application/json is accepted by name: document errors are answered with 200."""

    @property
    def streams(self) -> bool:
        """A stream is accepted, in either format."""
        return self.stream or self.multipart


@lru_cache(maxsize=512)
def accepted(header: str) -> Accepted:
    """Read an Accept header; an empty one accepts anything and is answered in JSON."""
    weights = _weights(header)
    anything = max(weights.get("*/*", 0.0), weights.get("application/*", 0.0))
    if not weights:
        anything = 1.0
    graphql = weights.get(GRAPHQL_RESPONSE, 0.0)
    json = weights.get(JSON, 0.0)
    if graphql > 0 and graphql >= json:
        media_type: str | None = GRAPHQL_RESPONSE
    elif json > 0 or (anything > 0 and weights.get(JSON) != 0):
        media_type = JSON
    else:
        media_type = GRAPHQL_RESPONSE if anything > 0 else None
    return Accepted(
        media_type=media_type,
        stream=weights.get(EVENT_STREAM, 0.0) > 0,
        multipart=weights.get(MULTIPART, 0.0) > 0,
        named_json=media_type == JSON and json > 0,
    )


@lru_cache(maxsize=512)
def encoding_of(header: str) -> str | None:
    """Return br, gzip or None, as an Accept-Encoding header prefers."""
    weights = _weights(header)
    brotli = weights.get("br", 0.0)
    gzip = weights.get("gzip", weights.get("*", 0.0))
    if brotli > 0 and brotli >= gzip:
        return "br"
    return "gzip" if gzip > 0 else None


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for item in header.split(",")[:32]:
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name == MULTIPART and SUBSCRIPTIONS not in [each.replace('"', "") for each in parameters]:
            continue  # another protocol
        if name:
            weights[name] = max(weights.get(name, 0.0), _quality(parameters))
    return weights


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0

"""Completions: the names in found events that match the typed words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from search.index import Hit
from search.match_quality import match_quality
from search.spelling import romanised

_KINDS = ("PERFORMER", "VENUE", "CITY", "EVENT")


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that completes the typed one; that of an event has its id."""

    text: str
    kind: str
    event_id: UUID | None


def completions(prefix: str, hits: Iterable[Hit], most: int) -> list[Completion]:
    """Names that match: exact before typos, at the beginning of the name before inside."""
    typed = romanised(prefix)
    events: dict[str, UUID] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for hit in {hit.event_id: hit for hit in hits}.values():
        events.setdefault(hit.name, hit.event_id)
        counts.update(_names(hit))
    ranks = {
        (kind, text): (quality, not romanised(text).startswith(typed), _KINDS.index(kind), -count, text)
        for (kind, text), count in counts.items()
        if (quality := match_quality(prefix, text)) is not None
    }
    best = sorted(ranks, key=ranks.__getitem__)[:most]
    return [Completion(text, kind, events[text] if kind == "EVENT" else None) for kind, text in best]


def _names(hit: Hit) -> Iterator[tuple[str, str]]:
    yield from (("PERFORMER", performer) for performer in hit.performers)
    yield "VENUE", hit.venue
    yield "CITY", hit.city
    yield "EVENT", hit.name

"""Completions out of found events: the names in which the typed words stand."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from search.closeness import closeness
from search.index import Hit
from search.spelling import letters

_KINDS = ("PERFORMER", "VENUE", "CITY", "EVENT")


@dataclass(frozen=True, slots=True)
class Completion:
    """What somebody may be about to type; an event's has the event."""

    text: str
    kind: str
    event_id: UUID | None


def completions(prefix: str, hits: Iterable[Hit], most: int) -> list[Completion]:
    """Names that have the typed words: as typed before mistyped, at their beginning before inside."""
    typed = letters(prefix)
    events: dict[str, UUID] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for hit in {hit.event_id: hit for hit in hits}.values():
        events.setdefault(hit.name, hit.event_id)
        counts.update(_names(hit))
    ranks = {
        (kind, text): (close, not letters(text).startswith(typed), _KINDS.index(kind), -count, text)
        for (kind, text), count in counts.items()
        if (close := closeness(prefix, text)) is not None
    }
    best = sorted(ranks, key=ranks.__getitem__)[:most]
    return [Completion(text, kind, events[text] if kind == "EVENT" else None) for kind, text in best]


def _names(hit: Hit) -> Iterator[tuple[str, str]]:
    yield from (("PERFORMER", performer) for performer in hit.performers)
    yield "VENUE", hit.venue
    yield "CITY", hit.city
    yield "EVENT", hit.name

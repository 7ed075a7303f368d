"""Completions out of found events: the names in which the typed words stand."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from search.closeness import has_all
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
    """Names that have the typed words: those that begin with them first, then the more frequent."""
    typed = letters(prefix)
    words = typed.split()
    counts: Counter[tuple[str, str]] = Counter()
    events: dict[str, UUID] = {}
    seen: set[tuple[UUID, str, str]] = set()
    for hit in hits:
        events.setdefault(hit.name, hit.event_id)
        for kind, text in _names(hit):
            if (hit.event_id, kind, text) not in seen and has_all(words, text):
                seen.add((hit.event_id, kind, text))
                counts[kind, text] += 1

    def rank(name: tuple[str, str]) -> tuple[bool, int, int, str]:
        kind, text = name
        return not letters(text).startswith(typed), _KINDS.index(kind), -counts[name], text

    best = sorted(counts, key=rank)[:most]
    return [Completion(text, kind, events[text] if kind == "EVENT" else None) for kind, text in best]


def _names(hit: Hit) -> Iterator[tuple[str, str]]:
    yield from (("PERFORMER", performer) for performer in hit.performers)
    yield "VENUE", hit.venue
    yield "CITY", hit.city
    yield "EVENT", hit.name

"""Completions: the names in found events that match the typed words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from search.index import Hit
from search.match_quality import begins_with, match_quality

_KINDS = ("PERFORMER", "VENUE", "CITY", "EVENT")


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that completes the typed one; that of an event has its id."""

    text: str
    kind: str
    event_id: UUID | None


def completions(prefix: str, hits: Iterable[Hit], most: int) -> list[Completion]:
    """Names that match: exact before typos, at the beginning of the name before inside, the kinds in turn."""
    events: dict[str, UUID] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for hit in {hit.event_id: hit for hit in hits}.values():
        events.setdefault(hit.name, hit.event_id)
        counts.update(_names(hit))
    ranks = {
        (kind, text): (quality, not begins_with(prefix, text), -count, text)
        for (kind, text), count in counts.items()
        if (quality := match_quality(prefix, text)) is not None
    }
    return [
        Completion(text, kind, events[text] if kind == "EVENT" else None)
        for kind, text in _in_turn(ranks)[:most]
    ]


def _in_turn(ranks: Mapping[tuple[str, str], tuple[int, bool, int, str]]) -> list[tuple[str, str]]:
    """The names by their rank; of equally good matches the best of each kind, then the second of each."""
    turns: Counter[tuple[str, int, bool]] = Counter()
    places: dict[tuple[str, str], tuple[int, bool, int, int]] = {}
    for name in sorted(ranks, key=ranks.__getitem__):
        kind, (quality, inside, *_) = name[0], ranks[name]
        places[name] = quality, inside, turns[kind, quality, inside], _KINDS.index(kind)
        turns[kind, quality, inside] += 1
    return sorted(places, key=places.__getitem__)


def _names(hit: Hit) -> Iterator[tuple[str, str]]:
    yield from (("PERFORMER", performer) for performer in hit.performers)
    yield "VENUE", hit.venue
    yield "CITY", hit.city
    yield "EVENT", hit.name

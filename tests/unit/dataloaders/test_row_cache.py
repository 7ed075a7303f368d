"""Which rows requests share, and for how long."""

from typing import Any, cast

from dataloaders.row_cache import MAX_ROWS, RowCaches


class Process:
    """A process with a clock and a revision that a test sets."""

    def __init__(self) -> None:
        self.revision = 0
        self.seconds = 100.0
        self.caches = RowCaches(lambda: self.revision, lambda: self.seconds)


def row(name: str) -> Any:
    return cast("Any", name)


def test_a_row_is_shared_when_nothing_changed_for_a_second() -> None:
    process = Process()
    process.caches.current().events.put({row("key"): row("read")})

    process.seconds += 0.9

    assert process.caches.current().events.get(row("key")) == row("read")
    assert process.caches.current().events.get(row("other")) is None


def test_one_request_alone_reads_again_when_a_second_has_passed() -> None:
    process = Process()
    venues = process.caches.current().venues
    venues.put({row("key"): row("old")})

    process.seconds += 1.0
    answers = [venues.get(row("key")) for _ in range(3)]
    venues.put({row("key"): row("new")})

    assert answers == [None, row("old"), row("old")]
    assert venues.get(row("key")) == row("new")


def test_every_row_is_forgotten_when_an_event_changed() -> None:
    process = Process()
    cache = process.caches.current()
    cache.venues.put({row("key"): row("read")})
    cache.pages.put({"page": row("read")})

    process.revision += 1

    assert process.caches.current().venues.get(row("key")) is None
    assert process.caches.current().pages.get("page") is None


def test_a_row_read_before_a_change_is_not_seen_when_it_arrives_after_it() -> None:
    process = Process()
    began_before = process.caches.current()

    process.revision += 1
    after = process.caches.current()
    began_before.events.put({row("key"): row("old")})

    assert after.events.get(row("key")) is None
    assert process.caches.current() is after


def test_a_new_cache_begins_when_it_is_full() -> None:
    process = Process()
    process.caches.current().bills.put({row(str(number)): [] for number in range(MAX_ROWS)})

    assert len(process.caches.current().bills) == 0

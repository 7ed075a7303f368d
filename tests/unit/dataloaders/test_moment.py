"""What one moment's requests share, and when the moment is over."""

from typing import Any, cast

from dataloaders.moment import MOST_ROWS, Moments


class Present:
    """A process with a clock and a revision that a test sets."""

    def __init__(self) -> None:
        self.revision = 0
        self.seconds = 100.0
        self.moments = Moments(lambda: self.revision, lambda: self.seconds)


def row(name: str) -> Any:
    return cast("Any", name)


def test_a_row_is_shared_when_requests_begin_in_one_moment() -> None:
    process = Present()
    process.moments.present().events.keep({row("key"): row("read")})

    process.seconds += 0.9

    assert process.moments.present().events.get(row("key")) == row("read")
    assert process.moments.present().events.get(row("other")) is None


def test_one_request_alone_reads_again_when_a_second_has_passed() -> None:
    process = Present()
    venues = process.moments.present().venues
    venues.keep({row("key"): row("old")})

    process.seconds += 1.0
    answers = [venues.get(row("key")) for _ in range(3)]
    venues.keep({row("key"): row("new")})

    assert answers == [None, row("old"), row("old")]
    assert venues.get(row("key")) == row("new")


def test_every_row_is_forgotten_when_something_changed() -> None:
    process = Present()
    moment = process.moments.present()
    moment.venues.keep({row("key"): row("read")})
    moment.pages.keep({"page": row("read")})

    process.revision += 1

    assert process.moments.present().venues.get(row("key")) is None
    assert process.moments.present().pages.get("page") is None


def test_a_row_read_before_a_change_is_not_seen_when_it_arrives_after_it() -> None:
    process = Present()
    began_before = process.moments.present()

    process.revision += 1
    after = process.moments.present()
    began_before.events.keep({row("key"): row("old")})

    assert after.events.get(row("key")) is None
    assert process.moments.present() is after


def test_the_moment_ends_when_it_is_full() -> None:
    process = Present()
    process.moments.present().bills.keep({row(str(number)): [] for number in range(MOST_ROWS)})

    assert len(process.moments.present().bills) == 0

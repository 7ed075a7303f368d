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


def test_rows_are_shared_when_requests_begin_in_one_moment() -> None:
    process = Present()
    process.moments.present().events[row("key")] = row("read")

    process.seconds += 0.9

    assert process.moments.present().events == {row("key"): row("read")}


def test_a_row_is_forgotten_when_a_second_has_passed() -> None:
    process = Present()
    process.moments.present().events[row("key")] = row("read")

    process.seconds += 1.0

    assert process.moments.present().events == {}


def test_every_row_is_forgotten_when_something_changed() -> None:
    process = Present()
    moment = process.moments.present()
    moment.venues[row("key")] = row("read")
    moment.pages["page"] = row("read")

    process.revision += 1

    assert process.moments.present().venues == {}
    assert process.moments.present().pages == {}


def test_a_row_read_before_a_change_is_not_seen_when_it_arrives_after_it() -> None:
    process = Present()
    began_before = process.moments.present()

    process.revision += 1
    after = process.moments.present()
    began_before.events[row("key")] = row("old")

    assert after.events == {}
    assert process.moments.present() is after


def test_the_moment_ends_when_it_is_full() -> None:
    process = Present()
    process.moments.present().bills.update({row(str(number)): [] for number in range(MOST_ROWS)})

    assert process.moments.present().bills == {}

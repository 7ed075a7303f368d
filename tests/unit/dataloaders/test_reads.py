"""An answer is given again only where all that it was made of is read again as it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from dataloaders.moment import Moment
from dataloaders.reads import Reads
from domain.states import ASSUMED_DURATION, EventState, event_status, status_until

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Sale:
    """What decides an event's status."""

    def __init__(self, on_sale: int | None, starts: int, ends: int | None) -> None:
        self.state: str = EventState.PUBLISHED
        self.on_sale_at = None if on_sale is None else NOON + on_sale * HOUR
        self.off_sale_at = None
        self.starts_at = NOON + starts * HOUR
        self.ends_at = None if ends is None else NOON + ends * HOUR
        self.sold_out = False

    def status_at(self, now: datetime) -> str:
        return event_status(self, now, sold_out=False)


class Scene:
    """A moment, an execution in it, and what the next one would find."""

    def __init__(self) -> None:
        self.seconds = 50.0
        self.now = NOON
        self.moment = Moment(lambda: self.seconds)
        self.places: dict[UUID, object] = {}
        self.event_id = uuid4()
        self.moment.events.keep({self.event_id: cast("Any", "the row")})
        self.reads = Reads(self.moment)
        assert self.reads.row(self.moment.events, self.event_id) == cast("Any", "the row")

    def same(self) -> bool:
        return self.reads.would_be_the_same(self.moment, self.now, self.places.get)


def read_again(scene: Scene) -> None:
    scene.moment.events.keep({scene.event_id: cast("Any", "the row")})


def begin_another_moment(scene: Scene) -> None:
    scene.moment = Moment(lambda: scene.seconds)


def let_a_second_pass(scene: Scene) -> None:
    scene.seconds += 1.0


def touch_its_places(scene: Scene) -> None:
    scene.places[scene.event_id] = object()


def come_to_its_sale(scene: Scene) -> None:
    scene.now += 2 * HOUR


def nothing(_: Scene) -> None:
    """Leave all as it is."""


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        (nothing, True),
        (read_again, False),
        (begin_another_moment, False),
        (let_a_second_pass, False),
        (touch_its_places, False),
        (come_to_its_sale, False),
    ],
)
def test_reads_are_the_same_when_nothing_changed_that_was_read(
    change: Callable[[Scene], None], is_same: bool
) -> None:
    scene = Scene()
    scene.reads.places(scene.event_id, None)
    scene.reads.status(cast("Any", Sale(on_sale=2, starts=9, ends=None)), scene.now)

    change(scene)

    assert scene.same() is is_same


@pytest.mark.parametrize("change", [read_again, touch_its_places, come_to_its_sale])
def test_reads_are_the_same_when_something_else_changed(change: Callable[[Scene], None]) -> None:
    scene = Scene()
    scene.reads.places(scene.event_id, None)
    scene.reads.status(cast("Any", Sale(on_sale=None, starts=9, ends=None)), scene.now)
    other = Scene()
    other.moment, other.places = scene.moment, scene.places
    event_id, other.event_id = other.event_id, uuid4()

    change(other)

    assert event_id != other.event_id
    assert scene.same()


@pytest.mark.parametrize("on_sale", [None, -3, 2])
@pytest.mark.parametrize(("starts", "ends"), [(-9, None), (-9, -1), (-2, None), (1, 3), (4, None)])
def test_status_stays_until_the_moment_that_is_named(
    on_sale: int | None, starts: int, ends: int | None
) -> None:
    sale = Sale(on_sale, starts, ends)
    until = status_until(sale, NOON)
    last = until - timedelta(microseconds=1) if until else NOON + 1_000 * HOUR

    minutes = [NOON + timedelta(minutes=step) for step in range(0, 24 * 60, 7)]
    before = {sale.status_at(now) for now in [*minutes, last] if now <= last}

    assert before == {sale.status_at(NOON)}
    assert until in (None, sale.on_sale_at, sale.ends_at, sale.starts_at + ASSUMED_DURATION)

"""How everything stands, as lines and as a picture."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from commands.status import lines_of
from commands.status_screen import screen, svg_of
from commands.system_status import Process, Sale, Standing
from telemetry.samples import Samples

PART = {"ok": True, "needed": True, "latencyMs": 0.4, "since": "2026-11-23T06:00:00.000+00:00", "detail": ""}
STANDING = Standing(
    at="2026-11-23T07:00:00+00:00",
    address="http://127.0.0.1:8000",
    api="ready",
    parts={"redis": PART, "worker": PART | {"ok": False, "needed": False, "detail": "Unavailable"}},
    processes={"api-0": Process(True, 7, 1e8, 0.001, 20), "worker": Process(True, None)},
    search_index="ready, 0.0 s behind, 0 refused",
    sale=Sale(12, 8, ({"event": "evt_1", "name": "Night", "holds": 12, "booked": 8},)),
    standby="synchronous, 1 connected",
    leaders={"search index": {"process": "worker", "since": "2026-11-23T06:30:00+00:00"}},
    outbox={"waiting": 3.0, "age_seconds": 0.25},
    orders={"RESERVED": 4.0},
    subscribers={"websocket": 2.0},
    waiting_rooms={"evt_1": {"waiting": 9.0, "active": 5.0, "rate_per_minute": 60.0}},
    refunds={"waiting": 48_200, "last_due": "2026-11-23T07:40:10+00:00"},
)


def test_each_thing_has_a_line() -> None:
    assert list(lines_of(STANDING)) == [
        "api-0: running (pid 7)",
        "worker: running",
        "api: ready",
        "part redis: ok, 0.4 ms, since 2026-11-23T06:00:00.000+00:00",
        "part worker: down (Unavailable), 0.4 ms, since 2026-11-23T06:00:00.000+00:00, not needed",
        "search index: ready, 0.0 s behind, 0 refused",
        "standby of PostgreSQL: synchronous, 1 connected",
        "leader of search index: worker since 2026-11-23T06:30:00+00:00",
        "refunds: 48200 to be sent, the last at 2026-11-23T07:40:10+00:00",
        "outbox: 3 waiting, 0.2 s old",
        "orders: 4 RESERVED",
        "subscribers: 2 websocket",
        "last minute: 12 holds, 8 of them booked",
        "hot: evt_1 Night: 12 holds, 8 booked",
        "waiting room of evt_1: 9 waiting, 5 shopping, 60 a minute",
    ]


@pytest.mark.parametrize(
    ("changed", "well"),
    [
        ({}, True),
        ({"api": "not ready"}, False),
        ({"search_index": "not migrated"}, False),
        ({"processes": {"api-0": Process(False, 7)}}, False),
    ],
)
def test_it_is_well_when_all_that_is_needed_is(changed: dict[str, object], well: bool) -> None:
    assert replace(STANDING, **changed).well is well  # type: ignore[arg-type]  # names of fields


def test_everything_is_on_the_screen() -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(screen(STANDING))
    text = console.export_text()

    for shown in (
        "well",
        "redis",
        "Unavailable",
        "api-0",
        "100",
        "Night",
        "0.2 s old",
        "evt_1",
        "60",
        "48200",
    ):
        assert shown in text


def test_a_screen_is_drawn_although_nobody_answers() -> None:
    away = Standing("now", "http://x", "no answer", {}, {}, "no answer from the database", None)

    picture = svg_of(away)

    assert "not&#160;well" in picture
    assert "@font-face" not in picture


def test_samples_are_summed_by_a_label() -> None:
    samples = Samples(
        '# TYPE a gauge\na{x="1",y="1"} 2\na{x="1",y="2"} 3\na{x="2",y="1"} 4\n# TYPE b gauge\nb NaN\n'
    )

    assert samples.by("a", "x") == {"1": 5, "2": 4}
    assert samples.by("missing", "x") == {}
    assert samples.value("b") is None
    assert samples.value("a") is None

"""The load shedder: admissions, refusals, and the release of every slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from kit.current_request import CurrentRequest, request_within, seconds_left, waiting_elsewhere
from tests.transport.clients import until
from transport import LoadLimits, LoadShedder, Overloaded
from transport.overload.middleware import OverloadMiddleware

LIMITS = LoadLimits(in_flight=2, queue=0, spare=1, exempt=frozenset({"/healthz"}), first=frozenset({"/paid"}))
GRAPHQL = "application/graphql-response+json"


def enter(count: Callable[[int], None]) -> AbstractContextManager[CurrentRequest]:
    return request_within(5.0, count)


class Application:
    """A small application behind the load shedder: `/work` and `/paid` run until `end` is set."""

    def __init__(self, limits: LoadLimits = LIMITS) -> None:
        self.shedder = LoadShedder(limits)
        self.end = asyncio.Event()
        self.left: list[float] = []
        routes = [Route(path, self.work) for path in ("/work", "/paid")]
        routes += [
            Route("/healthz", self.healthz),
            Route("/elsewhere", self.elsewhere),
            Route("/stream", self.stream),
            Route("/broken", self.broken),
            Route("/body", self.body, methods=["POST"]),
        ]
        self.app = OverloadMiddleware(Starlette(routes=routes), self.shedder, enter)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://gate")

    async def work(self, _: Request) -> Response:
        self.left.append(seconds_left(60.0))
        await self.end.wait()
        return PlainTextResponse("done")

    async def elsewhere(self, _: Request) -> Response:
        with waiting_elsewhere():
            await self.end.wait()
        return PlainTextResponse("done")

    async def stream(self, _: Request) -> Response:
        async def events() -> Any:
            yield b":\n\n"
            self.left.append(seconds_left(60.0))
            await self.end.wait()

        return StreamingResponse(events(), media_type="text/event-stream")

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("alive")

    async def broken(self, _: Request) -> Response:
        raise RuntimeError("broken")

    async def body(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    def start(self, path: str, number: int = 1) -> list[asyncio.Task[httpx.Response]]:
        return [asyncio.create_task(self.client.get(path)) for _ in range(number)]

    async def fill(self) -> list[asyncio.Task[httpx.Response]]:
        """Fill every slot."""
        tasks = self.start("/work", self.shedder.limits.in_flight)
        await until(lambda: not self.shedder.has_room("/work"))
        return tasks


async def test_request_is_refused_when_there_is_no_room_and_admitted_when_there_is_again() -> None:
    here = Application()
    held = await here.fill()

    refused = await here.client.get("/work", headers={"accept": GRAPHQL})
    here.end.set()
    answers = [(await task).status_code for task in held]

    assert refused.status_code == 503
    assert refused.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert refused.headers["retry-after"] in {"1", "2", "3"}
    assert refused.headers["cache-control"] == "no-store"
    assert refused.json()["errors"][0]["extensions"] == {"code": "OVERLOADED"}
    assert answers == [200, 200]
    assert here.shedder.in_flight == 0
    assert (await here.client.get("/work")).status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        ("text/event-stream", "application/json"),
        ("text/html,application/xhtml+xml", "text/plain"),
    ],
)
async def test_refusal_has_the_media_type_that_the_client_accepts(accept: str, kind: str) -> None:
    here = Application()
    held = await here.fill()

    refused = await here.client.get("/work", headers={"accept": accept})
    here.end.set()
    await asyncio.gather(*held)

    assert refused.headers["content-type"].partition(";")[0] == kind
    assert "please try again" in refused.text


async def test_exempt_and_first_paths_are_served_when_there_is_no_room() -> None:
    here = Application()
    held = await here.fill()

    health = await here.client.get("/healthz")
    first = here.start("/paid")
    await until(lambda: not here.shedder.has_room("/paid"))
    second = await here.client.get("/paid")
    here.end.set()

    assert health.text == "alive"
    assert second.status_code == 503
    assert [(await task).status_code for task in [*held, *first]] == [200, 200, 200]


async def test_room_is_left_for_others_when_a_request_waits_for_an_outside_service() -> None:
    here = Application()
    waiting = here.start("/elsewhere", 5)
    await until(lambda: here.shedder.elsewhere == 5)

    in_hand = here.shedder.in_flight
    here.end.set()
    answers = [(await task).status_code for task in waiting]

    assert in_hand == 0
    assert answers == [200] * 5
    assert (here.shedder.in_flight, here.shedder.elsewhere) == (0, 0)


async def test_requests_that_wait_for_outside_services_are_bounded() -> None:
    here = Application(LoadLimits(in_flight=2, queue=0, elsewhere=3))
    waiting = here.start("/elsewhere", 3)
    await until(lambda: here.shedder.elsewhere == 3)

    refused = await here.client.get("/elsewhere")
    here.end.set()
    await asyncio.gather(*waiting)

    assert refused.status_code == 503
    assert here.shedder.elsewhere == 0


async def test_open_stream_takes_no_room_and_has_no_deadline() -> None:
    here = Application()
    streams = here.start("/stream", 2)
    await until(lambda: len(here.left) == 2)
    streams += here.start("/stream")
    await until(lambda: len(here.left) == 3)

    in_hand = here.shedder.in_flight
    here.end.set()
    await asyncio.gather(*streams)

    assert in_hand == 0
    assert here.left == [60.0] * 3
    assert here.shedder.in_flight == 0


async def test_slot_is_released_when_the_request_fails_or_its_client_leaves() -> None:
    here = Application()

    with pytest.raises(RuntimeError):
        await here.client.get("/broken")
    gone = here.start("/elsewhere")[0]
    await until(lambda: here.shedder.elsewhere == 1)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    assert (here.shedder.in_flight, here.shedder.elsewhere) == (0, 0)


async def test_request_has_a_deadline_and_its_waits_end_then() -> None:
    here = Application()
    here.end.set()

    await here.client.get("/work")
    with request_within(0.0), pytest.raises(TimeoutError):
        seconds_left(3.0)

    assert 4.0 < here.left[0] <= 5.0
    assert seconds_left(3.0) == 3.0


async def test_every_request_is_served_in_order_when_a_burst_passes() -> None:
    shedder = LoadShedder(LoadLimits(in_flight=2, queue=100, overload_after_seconds=0.01))
    served: list[int] = []

    async def work(number: int) -> None:
        assert shedder.has_room()
        assert await shedder.acquire()
        served.append(number)
        await asyncio.sleep(0.002)
        shedder.release()

    await asyncio.gather(*(work(number) for number in range(50)))

    assert served == list(range(50))
    assert (shedder.in_flight, shedder.waiting) == (0, 0)


async def test_late_requests_are_refused_when_overload_keeps_the_queue_full() -> None:
    limits = LoadLimits(in_flight=1, queue=3, overload_after_seconds=0.05, longest_wait_seconds=0.1)
    shedder = LoadShedder(limits)
    assert await shedder.acquire()
    early = [asyncio.create_task(shedder.acquire()) for _ in range(3)]
    await until(lambda: shedder.waiting == 3)

    while not shedder._is_overloaded:  # requests arrive again and again, and are refused
        assert not shedder.has_room()
        await asyncio.sleep(0.01)
    await asyncio.sleep(limits.longest_wait_seconds)
    shedder.release()
    too_late = [await task for task in early]
    afterwards = (shedder.has_room(), await shedder.acquire())

    assert too_late == [False, False, False]
    assert afterwards == (True, True)


async def test_queue_is_bounded_and_forgets_cancelled_requests() -> None:
    shedder = LoadShedder(LoadLimits(in_flight=1, queue=2))
    assert await shedder.acquire()
    waiting = [asyncio.create_task(shedder.acquire()) for _ in range(2)]
    await until(lambda: shedder.waiting == 2)

    has_room = shedder.has_room()
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    shedder.release()

    assert not has_room
    assert await waiting[1]
    assert (shedder.in_flight, shedder.waiting) == (1, 0)


async def test_no_request_is_admitted_when_the_loop_always_runs_late() -> None:
    shedder = LoadShedder(LoadLimits(in_flight=100, late_seconds=0.1, least_in_flight=1))
    shedder.in_flight = 1
    late = shedder.lag._late

    late.extend([0.0, 0.3, 0.3, 0.3, 0.3])
    after_a_pause = shedder.has_room()
    late.append(0.3)
    after_a_queue = shedder.has_room()
    shedder.in_flight = 0
    with_nothing_in_hand = shedder.has_room()

    assert (after_a_pause, after_a_queue, with_nothing_in_hand) == (True, False, True)


async def test_operation_of_a_stream_is_refused_when_there_is_no_room() -> None:
    shedder = LoadShedder(LoadLimits(in_flight=1, queue=0))

    async with shedder.slot():
        with pytest.raises(Overloaded):
            async with shedder.slot():
                pass

    assert shedder.in_flight == 0


async def test_connection_is_closed_when_the_process_is_stopping() -> None:
    here = Application()
    here.end.set()
    here.shedder.draining = True

    answer = await here.client.get("/work")

    assert (answer.status_code, answer.headers["connection"]) == (200, "close")


async def test_slow_body_takes_no_slot() -> None:
    here = Application()

    async def slowly() -> Any:
        yield b"half"
        await here.end.wait()
        yield b"half"

    dawdling = [asyncio.create_task(here.client.post("/body", content=slowly())) for _ in range(4)]
    here.end.set()
    answers = [(await task).text for task in dawdling]

    assert answers == ["8"] * 4
    assert (here.shedder.in_flight, here.shedder.elsewhere) == (0, 0)

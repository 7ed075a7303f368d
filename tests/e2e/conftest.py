"""A running installation on its own data dir, and a real browser."""

import asyncio
import contextlib
import functools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 90
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class LiveServer:
    """A running `boxoffice up`."""

    base_url: str
    organiser: str
    buyer: str

    def ask(self, query: str, variables: dict[str, Any], token: str = "") -> dict[str, Any]:
        answer = httpx.post(
            f"{self.base_url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token or self.organiser}"},
            timeout=30,
        ).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(home: Path, *, workers: int = 1, demo: bool = False, **environment: str) -> Iterator[LiveServer]:
    """Runs `up` with all embedded parts on a data dir in `home`, without the demo by default."""
    port = free_port()
    log = home / "up.log"
    command = [sys.executable, "-m", "cli", "up", "--port", str(port), "--workers", str(workers)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *([] if demo else ["--no-demo"]), "--data-dir", str(home / "data")],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
        )
    try:
        yield _when_ready(process, log, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The installation that most tests share."""
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    with serving(tmp_path_factory.mktemp("live")) as server:
        yield server


def _when_ready(process: subprocess.Popen[bytes], log: Path, base_url: str) -> LiveServer:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        tokens = dict(re.findall(r"(buyer|organiser) token: (\S+)", log.read_text()))
        if len(tokens) == 2 and _is_ready(base_url):
            return LiveServer(base_url, tokens["organiser"], tokens["buyer"])
        time.sleep(0.1)
    raise AssertionError(f"Boxoffice did not start: {log.read_text()}")


def _is_ready(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


CREATE = """mutation ($input: CreateEventInput!) {
  createEvent(input: $input) { ... on EventSuccess { event { id } } ... on UserError { message } }
}"""
PUBLISH = """mutation ($input: EventIdInput!) {
  publishEvent(input: $input) { ... on EventSuccess { event { status } } ... on UserError { message } }
}"""


def seating_plan(rows: int = 6, seats: int = 12) -> str:
    """A small hall: one block, two price levels, a wheelchair place, a floor to stand on."""
    stalls = [
        {
            "row_number": chr(65 + row),
            "position": {"x": 100, "y": 200 + row * 40},
            "seats": [
                {
                    "seat_guid": f"{row}-{number}",
                    "seat_number": str(number),
                    "position": {"x": number * 30, "y": 0},
                    "category": "Front" if row < 2 else "Wheelchair" if number == seats else "Back",
                }
                for number in range(1, seats + 1)
            ],
        }
        for row in range(rows)
    ]
    floor = {
        "shape": "rectangle",
        "color": "#9d4edd",
        "border_color": "#000000",
        "rotation": 0,
        "uuid": "floor",
        "position": {"x": 150, "y": 20},
        "text": {"position": {"x": 0, "y": 0}, "color": "#ffffff", "text": "Floor"},
        "rectangle": {"width": 300, "height": 120},
    }
    zone = {"name": "Stalls", "position": {"x": 0, "y": 0}, "rows": stalls, "areas": [floor]}
    names = (("Front", "#d00000"), ("Back", "#3f88c5"), ("Wheelchair", "#2a9d8f"))
    return json.dumps(
        {
            "name": "Small hall",
            "categories": [{"name": name, "color": color} for name, color in names],
            "zones": [zone],
            "size": {"width": 600, "height": 500},
        }
    )


def publish_event(server: LiveServer, name: str, **more: Any) -> str:
    """Publishes an event with its own small hall; returns its id."""

    def money(amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": "USD"}

    prices = (("Front", 9000), ("Back", 5000), ("Wheelchair", 5000))
    wanted = {
        "name": name,
        "startsAt": "2031-03-14T19:30:00+09:00",
        "venue": {
            "name": "Small hall",
            "city": "Busan",
            "country": "KR",
            "timezone": "Asia/Seoul",
        },
        "seatingPlan": seating_plan(),
        "priceLevels": [
            {"category": level, "price": money(price), "fee": money(250)} for level, price in prices
        ],
        "generalAdmission": [{"name": "Floor", "capacity": 50, "price": money(3000)}],
    }
    made = server.ask(CREATE, {"input": {**wanted, **more}})["createEvent"]
    event_id: str = made["event"]["id"]
    server.ask(PUBLISH, {"input": {"eventId": event_id}})
    return event_id


@pytest.fixture
def new_event(live_server: LiveServer) -> Callable[..., str]:
    """Publishes an event on the shared installation; returns its id."""
    return functools.partial(publish_event, live_server)


@pytest.fixture(scope="session")
async def browser(live_server: LiveServer) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        yield browser
        await browser.close()


OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser, live_server: LiveServer) -> AsyncIterator[OpenPage]:
    """Opens a path in its own browser context; a script error fails the test."""
    contexts = []
    errors: list[str] = []

    async def opened(path: str, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": height}, **{"locale": "en-US", **options}
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(live_server.base_url + path)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert errors == []


async def until(page: Page, predicate: str, argument: Any = None, seconds: float = 10) -> None:
    """Waits for a condition of the page. (wait_for_function needs eval, which the policy forbids.)"""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await page.evaluate(predicate, argument):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never became true: {predicate}")


async def eventually(attempt: Callable[[], Awaitable[None]], seconds: float = 15) -> None:
    """Retries until no assertion fails."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await attempt()
        except AssertionError:
            if time.monotonic() > deadline:
                raise


SEATS_KNOWN = "() => Boolean(window.boxoffice) && boxoffice.statuses.version !== null"


async def map_ready(page: Page) -> None:
    await until(page, SEATS_KNOWN)


async def click_seat(page: Page, seat: int) -> None:
    """Clicks a seat on the canvas, with the map moved there first."""
    await page.locator("#map").scroll_into_view_if_needed()
    await page.evaluate("(seat) => boxoffice.map.showSeats([seat])", seat)
    await until(page, "() => { const at = boxoffice.map.viewport; return at.aim === at.scale; }")
    x, y = await page.evaluate(
        """(seat) => {
          const { map } = boxoffice;
          const place = document.getElementById("map").getBoundingClientRect();
          const at = map.viewport.toScreen(map.layout.xs[seat], map.layout.ys[seat]);
          return [place.x + at.x, place.y + at.y];
        }""",
        seat,
    )
    await page.mouse.click(x, y)


async def introduce(page: Page, email: str = "reader@example.com") -> None:
    await page.fill("#guest-email", email)
    await page.click("#guest-go")

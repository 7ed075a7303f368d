"""Takes the pictures of docs/pages.md: python -m tests.e2e.pictures [NAME ...]

Starts an installation with the demo, sells a part of its arena and theatre, visits the states of
tests/e2e/states.py and takes a screenshot of each. Nothing here checks them: look at them afterwards.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize, async_playwright

from tests.e2e import states
from tests.e2e.conftest import CHROMIUM, CHROMIUM_OPTIONS, ROOT, LiveServer, serving, until
from tests.e2e.states import Visit

IMAGES = ROOT / "docs" / "images"
DESKTOP, PHONE = (1280, 860), (390, 780)
WHOLE_MAP = (1040, 720)  # 17,760 coloured dots make a large file
SEARCH = "query ($i: SearchEventsInput!) { searchEvents(input: $i) { events { id name } } }"
GUEST = """mutation ($i: CreateGuestSessionInput!) { createGuestSession(input: $i) {
  ... on CreateGuestSessionSuccess { token } } }"""
RESERVE = """mutation ($i: ReserveInput!) { reserve(input: $i) {
  ... on ReserveSuccess { order { id } } ... on UserError { message } } }"""
PAY = "mutation ($i: PayInput!) { pay(input: $i) { __typename } }"
SCROLL = """(at) => {
  scrollTo(0, 0);
  if (at) scrollBy(0, document.querySelector(at).getBoundingClientRect().top - 76);
}"""
Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: a state of a page with its size, theme and language."""

    name: str
    reach: Callable[[Visit], Awaitable[None]]
    event: str = "theatre"
    size: tuple[int, int] = DESKTOP
    scheme: Scheme = "light"
    language: str = "en-US"
    at: str = ""  # what is scrolled to the top of the screen


async def arena_overview(visit: Visit) -> None:
    """The whole map."""
    await visit.open_event()


async def arena_close(visit: Visit) -> None:
    """Seats of the arena, large enough to choose, two of them chosen."""
    await visit.open_event()
    free = await visit.page.evaluate(
        """() => { const { statuses, map } = boxoffice;
          for (let seat = 2480; ; seat += 1) {
            if (statuses.isFree(seat) && statuses.isFree(seat + 1)) {
              boxoffice.basket.replace([seat, seat + 1]);
              map.showSeats([seat, seat + 1]);
              return seat; } } }"""
    )
    await until(visit.page, "() => { const at = boxoffice.map.viewport; return at.aim === at.scale; }")
    assert free >= 0


PICTURES = [
    Picture("finder", states.results),
    Picture("finder-dark", states.results, scheme="dark"),
    Picture("finder-phone-korean", states.results, size=PHONE, scheme="dark", language="ko-KR"),
    Picture("finder-completions", states.completions),
    Picture("finder-empty", states.nothing_found),
    Picture("arena", arena_overview, "arena", WHOLE_MAP, at="#shop"),
    Picture("arena-dark", arena_overview, "arena", WHOLE_MAP, scheme="dark", at="#shop"),
    Picture("arena-close", arena_close, "arena", at="#shop"),
    Picture("arena-phone", arena_close, "arena", PHONE, at="#shop"),
    Picture("theatre-list", states.event_list),
    Picture("hold", states.hold, at="#shop"),
    Picture("hold-phone", states.hold, size=PHONE, at="#side"),
    Picture("declined", states.declined, scheme="dark", at="#shop"),
    Picture("bank", states.bank, size=PHONE, scheme="dark", at="#side"),
    Picture("receipt", states.receipt, scheme="dark", at="#shop"),
    Picture("order", states.order),
    Picture("order-phone", states.order, size=PHONE),
    Picture("organise-list", states.organise_list),
    Picture("organise-dashboard", states.organise_dashboard, "arena"),
    Picture("organise-phone", states.organise_dashboard, size=PHONE, scheme="dark"),
    Picture("graphiql", states.graphiql),
    Picture("waiting-room", states.waiting_room, "second"),
    Picture("queue-position-phone", states.queue_position, "second", PHONE, "dark"),
]


def find(server: LiveServer, keyword: str, at: int = 0) -> str:
    """An event of the demo."""
    found = server.ask(SEARCH, {"i": {"keyword": keyword, "sort": "STARTS_AT"}})["searchEvents"]["events"]
    event_id: str = found[at]["id"]
    return event_id


def sell_seats(server: LiveServer, event_id: str, orders: int) -> None:
    """Sells many groups of best seats and leaves some held."""
    for number in range(orders):
        guest = server.ask(GUEST, {"i": {"email": f"fan{number}@example.com"}})["createGuestSession"]["token"]
        best = {"bestAvailable": {"quantity": 6 + number % 3}}
        made = server.ask(RESERVE, {"i": {"eventId": event_id, "selection": best}}, guest)["reserve"]
        if number % 4 and "order" in made:
            server.ask(PAY, {"i": {"orderId": made["order"]["id"], "paymentMethodId": "pm_card_visa"}}, guest)


async def take(browser: Browser, server: LiveServer, picture: Picture, events: dict[str, str]) -> None:
    """Takes one picture."""
    context = await browser.new_context(
        viewport=ViewportSize(width=picture.size[0], height=picture.size[1]),
        locale=picture.language,
        timezone_id="Asia/Seoul",
        color_scheme=picture.scheme,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await picture.reach(Visit(page, server, events[picture.event]))
    await page.mouse.move(1, 1)
    await page.evaluate(SCROLL, picture.at)
    await page.screenshot(path=IMAGES / f"{picture.name}.png")
    await context.close()


async def take_all(server: LiveServer, names: list[str]) -> None:
    """Takes the named pictures, or all."""
    events = {
        "arena": find(server, "Starlight"),
        "second": find(server, "Starlight", 1),
        "theatre": find(server, "Glass Orchard"),
    }
    sell_seats(server, events["arena"], 60)
    sell_seats(server, events["theatre"], 24)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        for picture in PICTURES:
            if not names or picture.name in names:
                print(picture.name, flush=True)
                await take(browser, server, picture, events)
        await browser.close()


def main() -> None:
    """Starts an installation, takes the pictures, stops it."""
    with (
        tempfile.TemporaryDirectory(prefix="boxoffice-pictures-") as home,
        serving(Path(home), demo=True) as up,
    ):
        asyncio.run(take_all(up, sys.argv[1:]))


if __name__ == "__main__":
    main()

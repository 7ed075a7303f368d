"""Takes README's picture: python -m tests.e2e.two_browsers

Two browsers look at the same rows of the demo's theatre; the first holds four seats, the second sees them go.
"""

import asyncio
import base64
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.conftest import (
    CHROMIUM,
    CHROMIUM_OPTIONS,
    ROOT,
    LiveServer,
    introduce,
    map_ready,
    serving,
    until,
)
from tests.e2e.pictures import SCROLL, find, sell_seats

PICTURE = ROOT / "docs" / "images" / "two-browsers.png"
WIDTH, HEIGHT = 700, 820
FREE_RUN = """(count) => {
  const { statuses } = boxoffice;
  for (let seat = 60; ; seat += 1) {
    const run = Array.from({ length: count }, (_, at) => seat + at);
    if (run.every((each) => statuses.isFree(each))) return run;
  }
}"""
SHOW = "(seats) => boxoffice.map.showSeats(seats)"
STILL = "() => { const at = boxoffice.map.viewport; return at.aim === at.scale; }"
FRAME = """<style>
  body {{ margin: 0; display: flex; gap: 20px; padding: 20px; background: #e8e8ee; font: 15px sans-serif; }}
  figure {{ margin: 0; background: #fff; border-radius: 10px; overflow: hidden; }}
  figcaption {{ padding: 9px 14px; background: #33333d; color: #fff; }}
  img {{ display: block; width: {width}px; }}
</style>
<figure><figcaption>Browser 1 holds four seats</figcaption><img src="{first}"></figure>
<figure><figcaption>Browser 2 sees them go</figcaption><img src="{second}"></figure>"""


async def open_map(browser: Browser, server: LiveServer, event_id: str) -> Page:
    """The event in a browser of its own."""
    context = await browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="en-US", reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(f"{server.base_url}/events/{event_id}")
    await map_ready(page)
    return page


async def hold(page: Page, seats: list[int]) -> None:
    """Chooses the seats and holds them, as a guest."""
    await page.evaluate("(seats) => boxoffice.basket.replace(seats)", seats)
    await page.click("#hold")
    await introduce(page)
    await expect(page.locator("#checkout")).to_be_visible()


async def shot(page: Page, seats: list[int], top: str) -> str:
    """The page with these seats in view, as the address of an image."""
    await page.evaluate(SHOW, seats)
    await until(page, STILL)
    await page.mouse.move(1, 1)
    await page.evaluate(SCROLL, top)
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))")
    return "data:image/png;base64," + base64.b64encode(await page.screenshot()).decode()


async def take(server: LiveServer) -> None:
    event_id = find(server, "Glass Orchard")
    sell_seats(server, event_id, 24)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        first, second = [await open_map(browser, server, event_id) for _ in range(2)]
        seats = await second.evaluate(FREE_RUN, 4)
        await second.evaluate(SHOW, seats)
        await hold(first, seats)
        await until(second, "(seats) => seats.every((each) => !boxoffice.statuses.isFree(each))", seats)
        sources = {"first": await shot(first, seats, "#shop"), "second": await shot(second, seats, "#shop")}
        frame = await browser.new_page(viewport={"width": 2 * WIDTH + 60, "height": HEIGHT + 77})
        await frame.set_content(FRAME.format(width=WIDTH, **sources))
        await frame.screenshot(path=PICTURE)
        await browser.close()


def main() -> None:
    """Start, photograph, stop."""
    with (
        tempfile.TemporaryDirectory(prefix="boxoffice-pictures-") as home,
        serving(Path(home), demo=True) as up,
    ):
        asyncio.run(take(up))


if __name__ == "__main__":
    main()

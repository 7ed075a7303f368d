"""Guests and joins behind a proof of work, solved in a real browser by ALTCHA's widget and without it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.conftest import LiveServer, introduce, map_ready, publish_event, serving

OPEN_WAITING_ROOM = (
    "mutation ($i: ConfigureWaitingRoomInput!) { configureWaitingRoom(input: $i) { __typename } }"
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, live_server: LiveServer) -> Iterator[LiveServer]:
    """An installation that asks for a proof of work."""
    with serving(tmp_path_factory.mktemp("guarded"), BOXOFFICE_CHALLENGE="pow") as server:
        yield server


class Visit:
    """A page with what it reports: script errors, breaches of its content policy, and what it fetched."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.fetched: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self._note(line.text))
        page.on("response", lambda response: self.fetched.append(response.url.rsplit("/", 1)[1]))

    def _note(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.faults.append(text)


async def visit(browser: Browser, server: LiveServer, event_id: str, **options: Any) -> Visit:
    context = await browser.new_context(**{"locale": "en-US"} | options)
    visit = Visit(await context.new_page())
    await visit.page.goto(f"{server.base_url}/events/{event_id}")
    return visit


async def test_guest_buys_when_the_widget_solves_the_challenge(browser: Browser, guarded: LiveServer) -> None:
    guest = await visit(browser, guarded, publish_event(guarded, "Guarded"))
    await map_ready(guest.page)
    await guest.page.click("#best")

    await introduce(guest.page)

    await expect(guest.page.locator("#countdown")).to_be_visible(timeout=30_000)
    assert {"altcha.js", "altcha.css", "altcha-worker.js"} <= set(guest.fetched)
    assert guest.faults == []
    await guest.page.context.close()


async def test_guest_enters_when_the_waiting_room_asks_for_a_challenge_too(
    browser: Browser, guarded: LiveServer
) -> None:
    event_id = publish_event(guarded, "Guarded rush")
    guarded.ask(OPEN_WAITING_ROOM, {"i": {"eventId": event_id, "enabled": True}})
    guest = await visit(browser, guarded, event_id, locale="ko-KR")
    await guest.page.click("#join")

    await introduce(guest.page)

    await expect(guest.page.get_by_text("브라우저를 확인하고 있습니다")).to_be_visible(timeout=10_000)
    await map_ready(guest.page)
    assert guest.faults == []
    await guest.page.context.close()


async def test_guest_buys_when_npm_did_not_bring_the_widget(browser: Browser, guarded: LiveServer) -> None:
    context = await browser.new_context(locale="en-US")
    page = await context.new_page()

    async def missing(route: Route) -> None:
        await route.fulfill(status=404, body="Not found")

    await page.route("**/static/vendor/*", missing)
    await page.goto(f"{guarded.base_url}/events/{publish_event(guarded, 'Guarded by hand')}")
    await map_ready(page)
    await page.click("#best")

    await introduce(page)

    await expect(page.locator("#countdown")).to_be_visible(timeout=30_000)
    await context.close()

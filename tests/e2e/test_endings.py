"""Holds that end without a ticket, and a sold-out event."""

from collections.abc import Callable, Iterator

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import (
    LiveServer,
    OpenPage,
    introduce,
    map_ready,
    publish_event,
    serving,
    until,
)

CANCEL = "mutation ($input: EventIdInput!) { cancelEvent(input: $input) { __typename } }"


@pytest.fixture(scope="module")
def short_hold_server(
    live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """An installation with very short holds."""
    home = tmp_path_factory.mktemp("hasty")
    with serving(home, BOXOFFICE_HOLD_SECONDS="4", BOXOFFICE_PAYMENT_SECONDS="4") as server:
        yield server


async def test_seats_can_be_chosen_again_when_the_hold_has_expired(
    open_page: OpenPage, short_hold_server: LiveServer
) -> None:
    event_id = publish_event(short_hold_server, "Too slow")
    page = await open_page("/")
    await page.goto(f"{short_hold_server.base_url}/events/{event_id}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await expect(page.locator("#ended")).to_contain_text("Time is up", timeout=15_000)
    await page.click("#again")
    await until(page, "() => !boxoffice.statuses.letters.includes(72)")
    await expect(page.locator("#best")).to_be_visible()


async def test_buyer_is_notified_at_once_when_the_event_is_cancelled(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("Rained off")
    page = await open_page(f"/events/{event_id}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await expect(page.locator("#countdown")).to_be_visible()
    live_server.ask(CANCEL, {"input": {"eventId": event_id}})
    await expect(page.locator("#ended")).to_be_visible(timeout=10_000)


async def test_sold_out_is_said_when_the_last_place_is_held(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    floor = {"name": "Floor", "capacity": 2, "price": {"amount": 3000, "currency": "USD"}}
    event_id = new_event("Two places", seatingPlan=None, priceLevels=[], generalAdmission=[floor])
    buyer, other = await open_page(f"/events/{event_id}"), await open_page(f"/events/{event_id}")
    await map_ready(other)
    await buyer.click("[data-standing]")
    await introduce(buyer)
    await expect(other.locator("#hint")).to_contain_text("Everything is taken")
    await expect(other.locator("[data-standing]")).to_be_disabled()


async def test_buyer_sees_how_long_to_wait_when_seats_were_released_again_and_again(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('Not so fast')}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    for _ in range(2):
        await page.click("#release")
        await page.click("#best")
        await expect(page.locator("#countdown")).to_be_visible()
    await page.click("#release")
    await page.click("#best")

    await expect(page.locator("#wait")).to_contain_text("Again in 0:")
    await expect(page.locator("[role=alert]")).to_contain_text("released tickets of this event several times")
    await expect(page.locator("#countdown")).to_have_count(0)

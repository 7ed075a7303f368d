"""The minute in which a sale begins and ends, and a hold that a second tab knows of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from tests.e2e.conftest import LiveServer, OpenPage, introduce, map_ready, publish_event, until
from tests.e2e.test_endings import short_hold_server

__all__ = ["short_hold_server"]
CANCEL = "mutation ($input: EventIdInput!) { cancelEvent(input: $input) { __typename } }"


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_an_open_page_sells_and_stops_selling_when_the_clock_says_so(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    event_id = new_event("Soon", onSaleAt=in_seconds(6), offSaleAt=in_seconds(12))
    page = await open_page(f"/events/{event_id}", timezone_id="Europe/Berlin")
    await map_ready(page)
    badge = page.locator("#head .badge").first

    await expect(badge).to_have_text("Announced")
    await expect(page.locator("#opens-in")).to_have_text("0:03", timeout=6_000)
    await expect(page.locator("#head")).to_contain_text("Your time")
    await expect(page.locator("#hint")).to_contain_text("not on sale yet")
    await expect(page.locator("#best")).to_be_disabled()

    await expect(badge).to_have_text("On sale", timeout=6_000)
    await expect(page.locator("#opens-in")).to_be_hidden()
    await expect(page.locator("#best")).to_be_enabled()

    await expect(page.locator("#best")).to_be_disabled(timeout=9_000)
    await expect(page.locator("#hint")).to_contain_text("The sale is over")


async def test_the_countdown_and_the_push_are_within_a_second_of_each_other(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    opens = datetime.now(UTC) + timedelta(seconds=4)
    event_id = new_event("On the dot", onSaleAt=opens.isoformat())
    page = await open_page(f"/events/{event_id}")
    await map_ready(page)

    await until(page, "() => !document.querySelector('#best').matches(':disabled')")

    late = (datetime.now(UTC) - opens).total_seconds()
    assert -0.1 < late < 1.5, late  # the push comes within a second; the rest is the test's own looking


async def test_a_cancelled_event_is_closed_on_a_page_that_is_open(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("Not after all")
    page = await open_page(f"/events/{event_id}")
    await map_ready(page)
    live_server.ask(CANCEL, {"input": {"eventId": event_id}})

    await expect(page.locator("#head .badge").first).to_have_text("Cancelled", timeout=5_000)
    await expect(page.locator("#best")).to_be_disabled()


async def test_a_second_tab_knows_the_hold_and_its_end(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    event_id = new_event("Two tabs")
    first = await open_page(f"/events/{event_id}")
    await map_ready(first)
    earlier = await first.context.new_page()
    await earlier.goto(first.url)
    await map_ready(earlier)

    await first.click("#best")
    await introduce(first)
    await expect(first.locator("#countdown")).to_be_visible()
    await expect(earlier.locator("#countdown")).to_be_visible()
    later = await first.context.new_page()
    await later.goto(first.url)
    await expect(later.locator("#countdown")).to_be_visible()
    await until(later, "() => boxoffice.map.mine.size === 2")

    await later.click("#release")
    await expect(first.locator("#ended")).to_be_visible()
    await until(first, "() => boxoffice.map.mine.size === 0")
    stored = await first.evaluate("() => JSON.stringify(localStorage)")
    assert "token" not in stored and "order" not in stored


async def test_an_expired_hold_is_nobodys_on_the_map_even_without_a_connection(
    open_page: OpenPage, short_hold_server: LiveServer
) -> None:
    event_id = publish_event(short_hold_server, "Cut off")
    page = await open_page("/")
    await page.goto(f"{short_hold_server.base_url}/events/{event_id}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await until(page, "() => boxoffice.map.mine.size === 2")

    await page.context.set_offline(True)

    await until(page, "() => boxoffice.map.mine.size === 0")

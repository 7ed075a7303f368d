"""3-D Secure by redirect: the bank's page is found again after a reload, and leads back to the order."""

from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import LiveServer, OpenPage, introduce, map_ready


async def paying(page: Page) -> None:
    """A card whose bank asks was given, and the page shows the way to the bank."""
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await page.check("input[value=pm_card_threeDSecure2Required]")
    await page.click("#pay")
    await expect(page.locator("#bank")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "words", "asked"),
    [
        ("en-US", "Approve at the bank", "Your bank asks"),
        ("ko-KR", "은행에서 승인하기", "은행이 결제 승인을"),
    ],
)
async def test_bank_is_found_again_when_the_page_is_reloaded(
    open_page: OpenPage,
    live_server: LiveServer,
    new_event: Callable[..., str],
    locale: str,
    words: str,
    asked: str,
) -> None:
    page = await open_page(f"/events/{new_event(f'Reloaded {locale}')}", locale=locale)
    await paying(page)

    await page.reload()

    await expect(page.locator("#approval")).to_contain_text(asked)
    await expect(page.locator("#bank")).to_have_text(words)
    await page.click("#bank")
    await page.get_by_role("button", name="Complete authentication").click()
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)
    assert page.url.startswith(f"{live_server.base_url}/orders/ord_")
    assert "secret" not in page.url


async def test_another_card_pays_when_the_bank_refuses_after_a_reload(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('Refused')}")
    await paying(page)
    await page.reload()
    await page.click("#bank")
    await page.get_by_role("button", name="Fail authentication").click()

    await expect(page.locator("#problem")).to_be_visible()
    await expect(page.locator("#approval")).to_have_count(0)
    await page.check("input[value=pm_card_visa]")
    await page.click("#pay")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)


async def test_order_page_shows_the_bank_too(open_page: OpenPage, new_event: Callable[..., str]) -> None:
    page = await open_page(f"/events/{new_event('By its own page')}")
    await paying(page)
    order_id = await page.evaluate("Object.values(sessionStorage).find((value) => value.startsWith('ord_'))")

    await page.goto(f"{page.url.split('/events/')[0]}/orders/{order_id}")

    await expect(page.locator("#bank")).to_be_visible()

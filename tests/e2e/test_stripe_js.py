"""Stripe's own element, with a stand-in for Stripe.js: the real one cannot be fetched without the internet.

The stand-in has the calls that the page makes and confirms with the local Stripe, as Stripe.js confirms with
the real one: by publishable key and client secret. What Stripe draws in its element is not covered.
"""

from collections.abc import Callable

import httpx
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.conftest import LiveServer, introduce, map_ready

STRIPE_JS = """
window.Stripe = (key) => ({
  elements: ({ clientSecret }) => ({
    clientSecret,
    create: (kind) => ({
      mount: (place) => {
        place.dataset.kind = kind;
        place.innerHTML = '<label>Card <input id="stub-card" value="pm_card_visa"></label>';
      },
    }),
  }),
  confirmPayment: async ({ elements: { clientSecret }, redirect }) => {
    if (redirect !== "if_required") throw new Error("the page must stay");
    const intent = clientSecret.split("_secret_")[0];
    const answer = await fetch(`LOCAL/v1/payment_intents/${intent}/confirm`, {
      method: "POST",
      body: new URLSearchParams({
        key, client_secret: clientSecret, payment_method: document.getElementById("stub-card").value,
      }),
    });
    const { error } = await answer.json();
    return error ? { error: { message: error.message } } : {};
  },
  handleNextAction: async ({ clientSecret }) => {
    await fetch(`LOCAL/_control/challenges/${clientSecret.split("_secret_")[0]}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ outcome: "complete" }),
    });
    return {};
  },
});
"""


async def page_with_stripe(browser: Browser, server: LiveServer) -> Page:
    """A page configured to use Stripe.js; the content security policy is bypassed so that it loads."""
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        known = (await client.get("/config.json")).json()
    context = await browser.new_context(bypass_csp=True, locale="en-US")
    page = await context.new_page()

    async def configure(route: Route) -> None:
        await route.fulfill(json=known | {"localStripe": None})

    async def stripe_js(route: Route) -> None:
        script = STRIPE_JS.replace("LOCAL", known["localStripe"])
        await route.fulfill(body=script, content_type="text/javascript")

    await page.route("**/config.json", configure)
    await page.route("https://js.stripe.com/**", stripe_js)
    return page


async def to_the_element(page: Page, server: LiveServer, event_id: str) -> None:
    await page.goto(f"{server.base_url}/events/{event_id}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await page.click("#pay")
    await expect(page.locator("#stripe-element[data-kind=payment] input")).to_be_visible()


async def test_order_is_booked_when_the_element_confirms(
    browser: Browser, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    page = await page_with_stripe(browser, live_server)
    await to_the_element(page, live_server, new_event("By element"))
    await page.click("#pay")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)
    await page.context.close()


async def test_stripes_words_are_shown_when_the_element_is_declined(
    browser: Browser, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    page = await page_with_stripe(browser, live_server)
    await to_the_element(page, live_server, new_event("By a poor card"))
    await page.fill("#stub-card", "pm_card_chargeDeclined")
    await page.click("#pay")
    await expect(page.locator("#problem")).to_contain_text("declined")
    await page.fill("#stub-card", "pm_card_visa")
    await page.click("#pay")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)
    await page.context.close()


async def test_what_is_typed_into_the_element_outlives_news_of_the_order(
    browser: Browser, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    page = await page_with_stripe(browser, live_server)
    await to_the_element(page, live_server, new_event("While typing"))
    await page.evaluate("""() => {
        const card = document.getElementById("stub-card");
        window.moves = 0;
        new MutationObserver((records) => {
            for (const { addedNodes } of records)
                for (const node of addedNodes) if (node.contains(card)) window.moves += 1;
        }).observe(document.body, { childList: true, subtree: true });
    }""")
    await page.fill("#stub-card", "pm_card_chargeDeclined")
    await page.click("#pay")
    await expect(page.locator("#problem")).to_contain_text("declined")
    await expect(page.locator("#stub-card")).to_have_value("pm_card_chargeDeclined")
    assert await page.evaluate("window.moves") == 0
    await page.context.close()


async def test_stripe_js_answers_the_bank_when_the_page_was_reloaded_meanwhile(
    browser: Browser, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    page = await page_with_stripe(browser, live_server)
    await to_the_element(page, live_server, new_event("Asked by the bank"))
    await page.fill("#stub-card", "pm_card_threeDSecure2Required")
    await page.click("#pay")
    await expect(page.locator("#countdown")).to_be_visible()
    await page.reload()

    await page.click("#bank")

    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)
    await page.context.close()


async def test_another_order_is_paid_by_its_own_intent(
    browser: Browser, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    page = await page_with_stripe(browser, live_server)
    await to_the_element(page, live_server, new_event("Once more"))
    await page.click("#release")
    await page.click("#best")
    await page.click("#pay")
    await expect(page.locator("#stripe-element[data-kind=payment] input")).to_be_visible()
    await page.click("#pay")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)
    await page.context.close()

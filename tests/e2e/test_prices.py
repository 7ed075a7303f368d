"""Prices in the pages: every currency's own decimals, typed amounts, and the fees in what is shown first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from domain.currencies import DIGITS
from domain.money import Money
from tests.e2e.conftest import LiveServer, OpenPage, click_seat, map_ready, seating_plan
from tests.e2e.test_pages import enter

WRITE = """async (all) => {
  const { moneyText } = await import("/static/scripts/kit/format.js");
  return all.map((money) => moneyText(money));
}"""
READ = """async (all) => {
  const { readAmount } = await import("/static/scripts/kit/amounts.js");
  const read = all.map(([text, currency, locale]) => readAmount(text, currency, locale));
  return read.map(({ amount, fault }) => amount ?? fault);
}"""
TYPED: list[tuple[str, str, str, int | str]] = [
    ("50 €", "EUR", "en-US", 5_000),
    ("$50", "USD", "en-US", 5_000),
    ("$50", "EUR", "en-US", "currency"),
    ("1,000", "USD", "en-US", 100_000),
    ("1,000", "EUR", "de-DE", "decimals"),
    ("1.234,50", "EUR", "de-DE", 123_450),
    ("1.234,50", "EUR", "en-US", "number"),
    ("1,00", "USD", "en-US", "number"),
    ("1,234.50", "USD", "ko-KR", 123_450),
    ("50,000원", "KRW", "ko-KR", 50_000),
    ("50.5", "KRW", "ko-KR", "decimals"),
    ("14 990 Ft", "HUF", "hu-HU", 1_499_000),
    ("12,34,567", "INR", "en-IN", 123_456_700),
    ("1'234.50", "CHF", "de-CH", 123_450),
    ("18.605", "KWD", "en-US", 18_605),
    ("50 US dollars", "USD", "en-US", 5_000),
    (".5", "USD", "en-US", 50),
    ("0", "USD", "en-US", 0),
    ("abc", "USD", "en-US", "number"),
    ("1e3", "USD", "en-US", "number"),
    ("5-", "USD", "en-US", "number"),
    ("-5", "USD", "en-US", "negative"),
    ("$-5", "USD", "en-US", "negative"),
    ("", "USD", "en-US", "empty"),
    ("99999999999999999", "USD", "en-US", "large"),
]


async def test_every_currency_is_written_with_its_own_decimals(open_page: OpenPage) -> None:
    page = await open_page("/")
    amounts = [Money(14_990 * 10**digits + (digits > 0), code) for code, digits in sorted(DIGITS.items())]

    written = await page.evaluate(WRITE, [{"amount": m.amount, "currency": m.currency} for m in amounts])

    numbers = ["".join(char for char in text if char in "0123456789.,").strip(".") for text in written]
    assert numbers == [str(money).split(" ")[0] for money in amounts]
    shown = await page.evaluate(WRITE, [{"amount": 1_499_000, "currency": "HUF"}])
    assert shown == ["Ft\N{NO-BREAK SPACE}14,990"]


async def test_typed_amounts_are_read_by_the_readers_locale_or_refused(open_page: OpenPage) -> None:
    page = await open_page("/")

    read = await page.evaluate(READ, [[text, currency, locale] for text, currency, locale, _ in TYPED])

    assert list(zip([row[:3] for row in TYPED], read, strict=True)) == [(row[:3], row[3]) for row in TYPED]


async def test_the_form_shows_what_buyers_will_see_and_refuses_what_it_cannot_read(
    open_page: OpenPage, live_server: LiveServer, tmp_path: Path
) -> None:
    before = await own_events(live_server, "A priced night")
    page = await organising(open_page, live_server, tmp_path)
    price, fee = page.get_by_label("Price of Front"), page.get_by_label("Fee of Front")
    shown = page.locator("#create .priced output").first

    await price.fill("1,000")
    await fee.fill("2.50")
    await expect(shown).to_have_text("$1,002.50")
    for typed, reason in (
        ("1.234,50", "This is not an amount: write it as 1,234.50."),
        ("abc", "This is not an amount"),
        ("50 €", "another currency than USD"),
        ("-5", "not below 0"),
        ("5.005", "at most 2 decimals"),
        ("", "Write a price"),
    ):
        await price.fill(typed)
        await page.click("#create-go")
        await expect(page.locator(".field-problem:visible")).to_contain_text(reason)
        await expect(price).to_have_attribute("aria-invalid", "true")
        await expect(shown).to_have_text("")
    await page.select_option("[name=currency]", "EUR")
    await price.fill("50 €")
    await expect(shown).to_have_text("€52.50")
    assert await own_events(live_server, "A priced night") == before


async def test_a_price_that_cannot_be_charged_is_refused_beside_its_field(
    open_page: OpenPage, live_server: LiveServer, tmp_path: Path
) -> None:
    before = await own_events(live_server, "A priced night")
    page = await organising(open_page, live_server, tmp_path)
    await page.get_by_label("Price of Back").fill("0.30")

    await page.click("#create-go")

    problem = page.locator(".field-problem:visible")
    await expect(problem).to_have_text(
        "0.30 USD is less than a card can be charged, 0.50 USD; 0 makes a ticket free."
    )
    await expect(page.get_by_label("Price of Back")).to_be_focused()
    assert await own_events(live_server, "A priced night") == before
    await page.get_by_label("Price of Back").fill("0")
    await page.click("#create-go")
    await expect(page.locator("#publish")).to_be_visible()


async def test_a_category_that_is_not_for_sale_needs_no_price(
    open_page: OpenPage, live_server: LiveServer, tmp_path: Path
) -> None:
    page = await organising(open_page, live_server, tmp_path)
    await page.get_by_label("Price of Front").fill("abc")

    await page.get_by_label("Front is for sale").uncheck()

    await expect(page.get_by_label("Price of Front")).to_be_disabled()
    await expect(page.locator(".field-problem:visible")).to_have_count(0)
    await expect(page.locator("#create .priced output").first).to_have_text("Not for sale")
    await page.fill("#create [name=name]", "A closed front")
    await page.click("#create-go")
    await expect(page.locator("#publish")).to_be_visible()
    maps = "me { organisedEvents { edges { node { name seatMap { seatCount priceLevels { name } } } } } }"
    answer = live_server.ask(f"{{ {maps} }}", {})
    nodes = [edge["node"] for edge in answer["me"]["organisedEvents"]["edges"]]
    (made,) = [node["seatMap"] for node in nodes if node["name"] == "A closed front"]
    assert made["seatCount"] == 4 * 12
    assert [level["name"] for level in made["priceLevels"]] == ["Back", "Wheelchair"]


async def test_the_form_speaks_korean_when_a_price_cannot_be_read(
    open_page: OpenPage, live_server: LiveServer, tmp_path: Path
) -> None:
    page = await organising(open_page, live_server, tmp_path, locale="ko-KR")
    await page.select_option("[name=currency]", "KRW")
    await page.get_by_label("Front 가격").fill("88,000원")
    await expect(page.locator("#create .priced output").first).to_have_text("₩88,000")

    await page.get_by_label("Front 가격").fill("88.5")

    await expect(page.locator(".field-problem:visible")).to_have_text("KRW에는 소수점 이하가 없습니다.")


async def test_prices_have_the_fees_in_them_on_the_event_page(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('With its fees')}")
    await map_ready(page)

    await expect(page.locator("#legend")).to_contain_text("Front $92.50")
    await expect(page.locator("#best-level")).to_contain_text("Back · $52.50")
    await click_seat(page, 0)
    await expect(page.locator("ul.chosen")).to_contain_text("$92.50")
    await expect(page.locator("#tickets")).to_have_text("$90")
    await expect(page.locator("#fees")).to_have_text("$2.50")
    await expect(page.locator("#total")).to_have_text("$92.50")


async def organising(open_page: OpenPage, server: LiveServer, folder: Path, **options: Any) -> Page:
    """The organiser's form with a plan."""
    plan = folder / "hall.json"
    plan.write_text(seating_plan(), encoding="utf-8")
    page = await open_page("/organise", **options)
    await enter(page, server.organiser)
    for name, value in {"name": "A priced night", "venue": "Small hall", "city": "Busan"}.items():
        await page.fill(f"#create [name={name}]", value)
    await page.set_input_files("#plan", plan)
    await expect(page.locator("#create .priced output").first).not_to_be_empty()
    return page


async def own_events(server: LiveServer, name: str) -> list[Any]:
    """The organiser's drafts of this name."""
    answer = server.ask("{ me { organisedEvents { edges { node { name } } } } }", {})
    return [edge for edge in answer["me"]["organisedEvents"]["edges"] if edge["node"]["name"] == name]

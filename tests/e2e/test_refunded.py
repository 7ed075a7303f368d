"""The receipt and the calendar entry of an order whose tickets were refunded, in English and Korean."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import LiveServer, OpenPage, click_seat, introduce, map_ready

REFUND = """mutation ($input: RefundOrderInput!) { refundOrder(input: $input) {
  ... on RefundOrderSuccess { order { status } } ... on UserError { message } } }"""
ORDER = "query ($id: ID!) { order(id: $id) { tickets { id } } }"


async def booked(page: Page) -> str:
    """Buys row A, seats 1 and 2 on the page of an event; the order's id."""
    await map_ready(page)
    for seat in (0, 1):
        await click_seat(page, seat)
    await page.click("#hold")
    await introduce(page)
    await page.click("#pay")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)
    order_id: str = await page.evaluate("() => boxoffice.purchase.order.id")
    return order_id


def refund(server: LiveServer, order_id: str, **more: Any) -> None:
    answer = server.ask(REFUND, {"input": {"orderId": order_id} | more})
    assert "order" in answer["refundOrder"], answer


def first_ticket(server: LiveServer, order_id: str) -> str:
    ticket_id: str = server.ask(ORDER, {"id": order_id})["order"]["tickets"][0]["id"]
    return ticket_id


async def calendar(page: Page) -> list[str]:
    """The lines of the page's .ics, unfolded."""
    async with page.expect_download() as download:
        await page.click("#calendar")
    path = await (await download.value).path()
    return path.read_bytes().decode().replace("\r\n ", "").split("\r\n")


async def test_refunded_ticket_is_shown_at_once_when_the_other_stays(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    page = await open_page(f"/events/{new_event('Half a night')}")
    order_id = await booked(page)
    before = await calendar(page)
    await expect(page.locator("#refund")).to_have_count(0)

    refund(live_server, order_id, ticketIds=[first_ticket(live_server, order_id)])

    receipt = page.locator("#receipt")
    await expect(page.locator("#refund")).to_contain_text("Some of these tickets were refunded.")
    await expect(receipt.locator("h2")).to_have_text("You are going!")
    await expect(receipt.locator(".ticket.refunded")).to_have_count(1)
    await expect(receipt.locator(".ticket.refunded")).to_contain_text("Row A, seat 1")
    await expect(receipt.locator(".ticket.refunded")).to_contain_text("Refunded")
    await expect(receipt.locator(".ticket:not(.refunded)")).to_contain_text("Row A, seat 2")
    await expect(receipt).to_contain_text("-$92.50")
    assert await page.evaluate("() => [...boxoffice.map.mine]") == [1]
    after = await calendar(page)
    assert {"SEQUENCE:0", "STATUS:CONFIRMED"} <= set(before)
    assert {"SEQUENCE:1", "STATUS:CONFIRMED"} <= set(after)
    assert [line for line in before if line.startswith("UID:")] == [
        line for line in after if line.startswith("UID:")
    ]
    [described] = [line for line in after if line.startswith("DESCRIPTION:")]
    assert "Row A\\, seat 1 · Refunded\\n" in described
    assert described.endswith("Row A\\, seat 2")


@pytest.mark.parametrize(
    ("language", "title", "text", "button"),
    [
        (
            "en",
            "Refunded",
            "These tickets were refunded and are no longer valid.",
            "Update the calendar (.ics)",
        ),
        ("ko", "환불됨", "이 티켓은 환불되어 더 이상 사용할 수 없습니다.", "캘린더 업데이트 (.ics)"),
    ],
)
async def test_receipt_and_calendar_are_refunded_when_the_order_is(
    open_page: OpenPage,
    new_event: Callable[..., str],
    live_server: LiveServer,
    language: str,
    title: str,
    text: str,
    button: str,
) -> None:
    page = await open_page(f"/events/{new_event('Called off')}")
    order_id = await booked(page)
    refund(live_server, order_id)

    await page.evaluate("(language) => localStorage.setItem('boxoffice.language', language)", language)
    await page.goto(f"{live_server.base_url}/orders/{order_id}")

    receipt = page.locator("#receipt")
    await expect(receipt.locator("h2")).to_have_text(title)
    await expect(page.locator("#refund")).to_contain_text(text)
    await expect(receipt.locator(".ticket.refunded s.number")).to_have_count(2)
    await expect(page.locator("#calendar")).to_have_text(button)
    lines = await calendar(page)
    assert {"SEQUENCE:2", "STATUS:CANCELLED"} <= set(lines)

"""The organiser's page shows a payment that a cardholder disputes, until it is won."""

from collections.abc import Callable
from typing import Any

import httpx
from playwright.async_api import expect

from domain.ids import Kind, parse_id
from tests.e2e.conftest import LiveServer, OpenPage, eventually

RESERVE = """mutation ($input: ReserveInput!) { reserve(input: $input) {
  ... on ReserveSuccess { order { id reference } } } }"""
PAY = "mutation ($input: PayInput!) { pay(input: $input) { ... on PaySuccess { order { status } } } }"


def booked(server: LiveServer, event_id: str) -> dict[str, Any]:
    """An order that is paid with a card whose owner disputes every payment."""
    selection = {"bestAvailable": {"quantity": 1}}
    held = server.ask(RESERVE, {"input": {"eventId": event_id, "selection": selection}}, server.buyer)
    order: dict[str, Any] = held["reserve"]["order"]
    given = {"orderId": order["id"], "paymentMethodId": "pm_card_createDispute"}
    assert server.ask(PAY, {"input": given}, server.buyer)["pay"]["order"]["status"] == "BOOKED"
    return order


async def win(server: LiveServer, order_id: str) -> None:
    """The bank decides for us."""
    async with httpx.AsyncClient() as client:
        stripe = (await client.get(f"{server.base_url}/config.json")).json()["localStripe"]
        ledger = (await client.get(f"{stripe}/_control/ledger")).json()
        wanted = str(parse_id(order_id, Kind.ORDER))
        [dispute] = next(row for row in ledger["intents"] if row["order_id"] == wanted)["disputes"]
        path = f"{stripe}/_control/disputes/{dispute['id']}/close"
        (await client.post(path, json={"outcome": "won"})).raise_for_status()


async def test_organiser_sees_a_dispute_until_it_is_won(
    open_page: OpenPage, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    event_id = new_event("Disputed")
    order = booked(live_server, event_id)
    page = await open_page(f"/organise?event={event_id}")
    await page.fill("#token", live_server.organiser)
    await page.click("#enter")

    async def is_shown() -> None:
        await page.reload()
        await expect(page.locator("#disputes")).to_contain_text(order["reference"], timeout=2000)

    await eventually(is_shown)
    await expect(page.locator("#disputes")).to_contain_text("The bank has the money")
    await win(live_server, order["id"])

    async def is_gone() -> None:
        await page.reload()
        await expect(page.locator("#dashboard")).to_be_visible(timeout=2000)
        await expect(page.locator("#disputes")).to_be_empty(timeout=2000)

    await eventually(is_gone)

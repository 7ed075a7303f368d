"""Buying tickets in a real browser, with other buyers at the same time."""

from collections.abc import Callable

from playwright.async_api import expect

from tests.e2e.conftest import (
    LiveServer,
    OpenPage,
    click_seat,
    introduce,
    map_ready,
    until,
)

FREE = "(seat) => boxoffice.statuses.isFree(seat)"
TAKEN = "(seat) => !boxoffice.statuses.isFree(seat)"


async def test_seats_are_booked_and_grey_for_others_when_paid(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    path = f"/events/{new_event('A night for two')}"
    buyer, other = await open_page(path), await open_page(path, 390, 844)
    await map_ready(buyer)
    await map_ready(other)
    for seat in (0, 1):
        await click_seat(buyer, seat)
    await expect(buyer.locator("#total")).to_have_text("$185")
    await buyer.click("#hold")
    await introduce(buyer)
    await expect(buyer.locator("#countdown")).to_be_visible()
    await until(other, TAKEN, 0)
    await buyer.click("#pay")
    await expect(buyer.locator("#reference")).not_to_be_empty(timeout=15_000)
    await until(other, "(seat) => boxoffice.statuses.letters[seat] === 66", 1)
    await buyer.get_by_role("link", name="See the order").click()
    await expect(buyer.locator("#receipt")).to_contain_text("Row A, seat 2")


async def test_alternatives_are_offered_in_place_when_someone_was_faster(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("A race")
    page = await open_page(f"/events/{event_id}")
    await map_ready(page)
    await click_seat(page, 0)
    await page.click("#hold")
    await page.evaluate("() => { boxoffice.basket.open = false; }")
    seat_id = await page.evaluate("() => boxoffice.map.layout.idOf(0)")
    live_server.ask(
        "mutation ($input: ReserveInput!) { reserve(input: $input) { __typename } }",
        {"input": {"eventId": event_id, "selection": {"seatIds": [seat_id]}}},
        live_server.buyer,
    )
    await introduce(page)
    await page.click("#take-instead")
    await expect(page.locator("#checkout")).to_contain_text("Row A, seat")
    assert await page.evaluate("() => [...boxoffice.map.mine]") != [0]


async def test_another_card_pays_when_the_first_is_declined(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('A decline')}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await page.check("input[value=pm_card_chargeDeclined]")
    await page.click("#pay")
    await expect(page.locator("#problem")).to_contain_text("declined")
    await page.check("input[value=pm_card_visa]")
    await page.click("#pay")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)


async def test_order_is_booked_when_the_bank_approves(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('A challenge')}")
    await map_ready(page)
    await page.click("#best")
    await introduce(page)
    await page.check("input[value=pm_card_threeDSecure2Required]")
    await page.click("#pay")
    await page.click("#bank")
    await page.get_by_role("button", name="Complete authentication").click()
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)


async def test_seats_are_free_again_when_given_back(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('A change of mind')}")
    await map_ready(page)
    await click_seat(page, 5)
    await page.click("#hold")
    await introduce(page)
    await until(page, TAKEN, 5)
    await page.click("#release")
    await until(page, FREE, 5)
    await expect(page.locator("#hold")).to_be_visible()


async def test_standing_places_are_booked_when_two_are_wanted(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('On the floor')}")
    await map_ready(page)
    await page.click("[data-standing]")
    await introduce(page)
    await page.click("#pay")
    await expect(page.locator("#receipt .ticket")).to_have_count(2, timeout=15_000)


async def test_a_seat_is_booked_when_only_the_keyboard_is_used(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('No mouse')}")
    await map_ready(page)
    await page.focus("#map")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#spoken")).to_contain_text("Row")
    await page.keyboard.press("Enter")
    await page.focus("#hold")
    await page.keyboard.press("Enter")
    await page.keyboard.type("keys@example.com")
    await page.keyboard.press("Enter")
    await page.focus("#pay")
    await page.keyboard.press("Enter")
    await expect(page.locator("#receipt")).to_be_visible(timeout=15_000)


async def test_a_seat_is_chosen_when_it_is_pressed_in_the_list(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('In words')}", 390, 844)
    await map_ready(page)
    await page.click("#as-list")
    await page.click("summary")
    await page.get_by_role("button", name="Seat 3, Front, $92.50").first.click()
    await expect(page.locator("#total")).to_have_text("$92.50")


async def test_a_seat_of_the_list_is_booked_when_only_the_keyboard_is_used(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/events/{new_event('Heard, not seen')}")
    await map_ready(page)
    await page.focus("#as-list")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")  # the list itself, which scrolls
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # the section opens
    await expect(page.locator("[data-seat='0']")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-seat='0']")).to_have_attribute("aria-pressed", "true")
    await page.focus("#hold")
    await page.keyboard.press("Enter")
    await page.keyboard.type("list@example.com")
    await page.keyboard.press("Enter")
    await page.focus("#pay")
    await page.keyboard.press("Enter")
    await expect(page.locator("#receipt")).to_contain_text("Row A, seat 1", timeout=15_000)

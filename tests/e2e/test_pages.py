"""The pages of search, organisers and the waiting room."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e.conftest import (
    LiveServer,
    OpenPage,
    eventually,
    introduce,
    map_ready,
    seating_plan,
    until,
)


async def test_event_is_found_when_its_name_is_searched_for(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    event_id = new_event("Zephyr Quartet in Busan")
    page = await open_page("/")
    link = page.get_by_role("link", name="Zephyr Quartet in Busan")

    async def search() -> None:
        await page.fill("#keyword", "Zephyr")
        await page.keyboard.press("Enter")
        await expect(link.first).to_have_attribute("href", f"/events/{event_id}", timeout=1000)

    await eventually(search)  # the index follows the database within a second


async def test_nothing_found_is_said_when_nothing_fits(open_page: OpenPage) -> None:
    page = await open_page("/?q=qqqqxxxxzzzz")
    await expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()


async def test_a_wrong_address_is_explained_when_the_event_is_unknown(open_page: OpenPage) -> None:
    page = await open_page("/events/evt_00000000000000000000000000")
    await expect(page.get_by_role("alert")).to_contain_text("no such event")


async def test_korean_is_spoken_when_the_reader_chooses_it(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_role("button", name="한국어로 보기").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("내 자리를 찾아보세요")


async def test_an_event_sells_when_an_organiser_made_it_here(
    open_page: OpenPage, live_server: LiveServer, tmp_path: Path
) -> None:
    plan = tmp_path / "hall.json"
    plan.write_text(seating_plan(), encoding="utf-8")
    page = await open_page("/organise")
    await enter(page, live_server.organiser)
    fields = {"name": "Made here", "venue": "Small hall", "city": "Busan"}
    for name, value in fields.items():
        await page.fill(f"#create [name={name}]", value)
    await page.set_input_files("#plan", plan)
    await page.click("#create-go")
    await page.click("#publish")
    await map_ready(page)
    await expect(page.locator("#free")).to_have_text("72")
    await draw_rectangle(page)
    await page.click("#block")
    await until(page, "() => boxoffice.statuses.letters.includes(88)")


async def test_waiting_room_leads_to_the_map_when_it_is_on(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("A rush")
    live_server.ask(
        "mutation ($i: ConfigureWaitingRoomInput!) { configureWaitingRoom(input: $i) { __typename } }",
        {"i": {"eventId": event_id, "enabled": True}},
    )
    page = await open_page(f"/events/{event_id}")
    await page.click("#join")
    await introduce(page)
    await map_ready(page)
    await page.click("#best")
    await expect(page.locator("#countdown")).to_be_visible()


async def test_own_events_are_listed_when_an_organiser_signs_in(
    open_page: OpenPage, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    event_id = new_event("Mine to steer")
    page = await open_page("/organise")
    await enter(page, live_server.organiser)
    await page.locator("#own").get_by_role("link", name="Mine to steer").click()
    await expect(page).to_have_url(re.compile(f"event={event_id}"))
    await expect(page.locator("#dashboard")).to_be_visible()


async def test_buyers_are_notified_when_the_organiser_cancels(
    open_page: OpenPage, live_server: LiveServer, new_event: Callable[..., str]
) -> None:
    page = await open_page(f"/organise?event={new_event('Called off')}")
    await enter(page, live_server.organiser)
    await page.click("#cancel")
    await page.click("#cancel")
    await expect(page.locator("#dashboard .badge.bad")).to_have_text("Cancelled")


async def test_a_completion_is_taken_when_only_the_keyboard_is_used(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    event_id = new_event("Quokka Serenade")
    page = await open_page("/")

    async def complete() -> None:
        await page.fill("#keyword", "")
        await page.locator("#keyword").press_sequentially("Quok")
        await expect(page.get_by_role("option").first).to_contain_text("Quokka", timeout=1500)

    await eventually(complete)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#keyword")).to_have_attribute("aria-activedescendant", "completion-0")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"/events/{event_id}"))


async def test_only_one_currency_is_compared_when_a_highest_price_is_given(
    open_page: OpenPage, new_event: Callable[..., str]
) -> None:
    won = {"name": "Floor", "capacity": 9, "price": {"amount": 1_000, "currency": "KRW"}}
    new_event("Tidal in won", seatingPlan=None, priceLevels=[], generalAdmission=[won])
    new_event("Tidal in dollars")
    page = await open_page("/")

    async def search() -> None:
        await page.goto(page.url.split("?")[0] + "?q=Tidal&max=45&currency=USD")
        await expect(page.get_by_role("link", name="Tidal in dollars")).to_be_visible(timeout=1500)

    await eventually(search)
    await expect(page.get_by_role("link", name="Tidal in won")).to_have_count(0)


async def enter(page: Page, token: str) -> None:
    await page.fill("#token", token)
    await page.click("#enter")


async def draw_rectangle(page: Page) -> None:
    place = page.locator("#dashboard canvas")
    await place.scroll_into_view_if_needed()
    box = await place.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7, steps=4)
    await page.mouse.up()

"""Finding, organising, waiting; and axe on every page."""

from collections.abc import Callable
from pathlib import Path

import pytest
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

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


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

    await eventually(search)  # the index follows the database within moments


async def test_nothing_found_is_said_when_nothing_fits(open_page: OpenPage) -> None:
    page = await open_page("/?q=qqqqxxxxzzzz")
    await expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()


async def test_a_wrong_address_is_told_when_the_event_is_unknown(open_page: OpenPage) -> None:
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


async def test_the_line_leads_to_the_map_when_the_waiting_room_is_on(
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_axe_finds_nothing_serious_when_a_page_is_open(
    open_page: OpenPage, new_event: Callable[..., str], scheme: str, width: int
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    event_id = new_event("For everyone")
    for path in ("/", f"/events/{event_id}", "/orders/ord_x", "/organise"):
        page = await open_page(path, width, color_scheme=scheme, bypass_csp=True)
        if path.startswith("/events"):
            await map_ready(page)
            await page.click("#as-list")
            await page.click("summary")
        else:
            await page.wait_for_load_state("networkidle")
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        found = await page.evaluate(
            """async () => (await axe.run()).violations
              .filter(({ impact }) => impact === "serious" || impact === "critical")
              .map(({ id, nodes }) => [id, nodes[0].html])"""
        )
        assert found == [], path


async def enter(page: Page, token: str) -> None:
    await page.fill("#token", token)
    await page.click("#enter")


async def draw_rectangle(page: Page) -> None:
    place = page.locator("#desk canvas")
    await place.scroll_into_view_if_needed()
    box = await place.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7, steps=4)
    await page.mouse.up()

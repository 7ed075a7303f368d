"""The organiser's form: a start is a wall-clock time of the venue's zone."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from tests.e2e.conftest import LiveServer, OpenPage
from tests.e2e.test_prices import organising, own_events

ZONED = """async (all) => {
  const { zoned } = await import("/static/scripts/organise/create.js");
  return all.map(([local, zone]) => zoned(local, zone));
}"""
# Around the clock changes of both halves of the year, hour by hour; Lord Howe moves by half an hour.
CHANGES = {
    "Australia/Sydney": ("2027-04-04", "2027-10-03"),
    "Australia/Lord_Howe": ("2027-04-04", "2027-10-03"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "America/St_Johns": ("2027-03-14", "2027-11-07"),
    "Europe/London": ("2027-03-28", "2027-10-31"),
    "Asia/Seoul": ("2027-03-28", "2027-10-31"),
    "Asia/Kathmandu": ("2027-03-28", "2027-10-31"),
    "UTC": ("2027-03-28", "2027-10-31"),
}


def walls() -> list[tuple[str, str]]:
    """Every half hour of the two days on either side of each clock change."""
    return [
        ((datetime.fromisoformat(day) + timedelta(minutes=30 * step)).isoformat(timespec="minutes"), zone)
        for zone, days in CHANGES.items()
        for day in days
        for step in range(-48, 96)
    ]


async def test_a_start_has_the_offset_of_its_own_hour_on_both_sides_of_a_clock_change(
    open_page: OpenPage,
) -> None:
    page = await open_page("/")

    read = await page.evaluate(ZONED, walls())

    # The first of a time that comes twice, and the offset before a change that skips it: PEP 495's fold 0.
    expected = [datetime.fromisoformat(f"{wall}:00").replace(tzinfo=ZoneInfo(zone)) for wall, zone in walls()]
    assert read == [start.isoformat() for start in expected]
    sydney = await page.evaluate(ZONED, [("2027-04-03T19:30", "Australia/Sydney")])
    assert sydney == ["2027-04-03T19:30:00+11:00"]


async def test_a_name_that_is_no_zone_is_refused_before_anything_is_sent(
    open_page: OpenPage, live_server: LiveServer, tmp_path: Path
) -> None:
    page = await organising(open_page, live_server, tmp_path)
    for name in ("localtime", "Factory", "Mars/Olympus"):
        await page.fill("#create [name=timezone]", name)
        await page.click("#create-go")
        await expect(page.locator("#create .notice.bad")).to_contain_text("Europe/London")
        await expect(page.locator("#create [name=timezone]")).to_be_focused()
    assert await own_events(live_server, "A priced night") == []

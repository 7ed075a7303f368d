"""The IDE works without access to the internet."""

from urllib.parse import urlsplit

from playwright.async_api import Request, expect

from tests.e2e.conftest import LiveServer, OpenPage


async def test_a_query_is_answered_when_nothing_but_our_server_is_reached(
    open_page: OpenPage, live_server: LiveServer
) -> None:
    page = await open_page("/")
    hosts: set[str] = set()

    def note(request: Request) -> None:
        if request.url.startswith(("http", "ws")):
            hosts.add(urlsplit(request.url).netloc)

    page.on("request", note)
    await page.goto(live_server.base_url + "/graphiql")
    await expect(page.locator(".graphiql-tab").first).to_contain_text("Events")
    await page.locator(".graphiql-execute-button").click()
    await expect(page.locator(".graphiql-response")).to_contain_text("totalCount", timeout=15_000)
    await page.locator(".graphiql-sidebar button").first.click()
    await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Query", timeout=15_000)
    assert hosts == {urlsplit(live_server.base_url).netloc}


async def test_examples_cover_a_purchase_when_the_ide_is_opened(open_page: OpenPage) -> None:
    page = await open_page("/graphiql")
    tabs = page.locator(".graphiql-tab")
    await expect(tabs).to_have_count(6)
    names = await tabs.all_inner_texts()
    assert [name.strip() for name in names] == [
        "Events", "SearchEvents", "CreateGuestSession", "Reserve", "Pay", "SeatAvailability",
    ]  # fmt: skip

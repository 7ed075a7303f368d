"""Lost and poor connections: the page shows them, and the map is correct afterwards."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import WebSocketRoute, expect

from tests.e2e.conftest import LiveServer, OpenPage, map_ready, until

RESERVE = """mutation ($input: ReserveInput!) {
  reserve(input: $input) { ... on ReserveSuccess { order { id } } ... on UserError { message } }
}"""
TAKEN = "(seat) => !boxoffice.statuses.isFree(seat)"


def hold(live_server: LiveServer, event_id: str, seat: int) -> dict[str, Any]:
    seat_id = f"seat_{event_id.removeprefix('evt_')}_{seat}"
    selection = {"seatIds": [seat_id]}
    data = live_server.ask(
        RESERVE, {"input": {"eventId": event_id, "selection": selection}}, live_server.buyer
    )
    answer: dict[str, Any] = data["reserve"]
    assert "order" in answer, answer
    return answer


async def test_map_is_live_when_only_event_streams_are_allowed(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("Streams only")
    page = await open_page(f"/events/{event_id}?transport=sse")
    await map_ready(page)
    assert await page.evaluate("() => boxoffice.live.overEventStream") is True
    hold(live_server, event_id, 0)
    await until(page, TAKEN, 0)


async def test_event_streams_take_over_when_websockets_are_blocked(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("Blocked")
    page = await open_page("/")

    async def refuse(socket: WebSocketRoute) -> None:
        await socket.close(code=1011)

    await page.route_web_socket("**/graphql", refuse)
    await page.goto(f"{live_server.base_url}/events/{event_id}")
    await map_ready(page)
    hold(live_server, event_id, 3)
    await until(page, TAKEN, 3)
    assert await page.evaluate("() => boxoffice.live.overEventStream") is True


async def test_map_is_right_when_the_reader_comes_back_from_offline(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("In a tunnel")
    page = await open_page(f"/events/{event_id}")
    await map_ready(page)
    await page.context.set_offline(True)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "lost", timeout=5000)
    hold(live_server, event_id, 7)
    assert await page.evaluate("() => boxoffice.statuses.isFree(7)") is True
    await page.context.set_offline(False)
    await until(page, TAKEN, 7)
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")


async def test_loss_is_shown_within_five_seconds_when_the_connection_goes_silent(
    open_page: OpenPage, new_event: Callable[..., str], live_server: LiveServer
) -> None:
    event_id = new_event("Silence")
    page = await open_page("/")
    silent = False

    async def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: None if silent else server.send(message))
        server.on_message(lambda message: None if silent else socket.send(message))

    await page.route_web_socket("**/graphql", through)
    await page.goto(f"{live_server.base_url}/events/{event_id}")
    await map_ready(page)
    silent = True
    await expect(page.locator("#connection")).to_have_attribute("data-state", "lost", timeout=5000)
    silent = False
    hold(live_server, event_id, 9)
    await until(page, TAKEN, 9, seconds=20)

"""The states of every page, for axe and for the pictures in docs/."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.conftest import LiveServer, click_seat, introduce, map_ready, publish_event, until

CONFIGURE = """mutation ($input: ConfigureWaitingRoomInput!) {
  configureWaitingRoom(input: $input) { __typename } }"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit of a page: `page` is blank, `event_id` is an event on sale."""

    page: Page
    server: LiveServer
    event_id: str

    async def open(self, path: str) -> None:
        """Open the path."""
        await self.page.goto(self.server.base_url + path)

    async def open_event(self) -> None:
        """Open the event and wait for its map."""
        await self.open(f"/events/{self.event_id}")
        await map_ready(self.page)

    async def held(self) -> None:
        """Hold two seats."""
        await self.open_event()
        await self.page.click("#best")
        await introduce(self.page)
        await expect(self.page.locator("#checkout")).to_be_visible()

    async def booked(self) -> None:
        """Pay for held seats."""
        await self.held()
        await self.page.click("#pay")
        await expect(self.page.locator("#receipt")).to_be_visible(timeout=15_000)

    async def organising(self, path: str = "/organise") -> None:
        """Open the organiser's page with a token."""
        await self.open(path)
        await self.page.fill("#token", self.server.organiser)
        await self.page.click("#enter")


async def results(visit: Visit) -> None:
    await visit.open("/")
    await expect(visit.page.locator(".result").first).to_be_visible(timeout=15_000)


async def nothing_found(visit: Visit) -> None:
    await visit.open("/?q=qqqqxxxxzzzz")
    await expect(visit.page.get_by_role("heading", name="Nothing found")).to_be_visible()


async def search_failed(visit: Visit) -> None:
    await visit.page.route("**/graphql", lambda route: route.abort())
    await visit.open("/")
    await expect(visit.page.get_by_role("alert")).to_be_visible()


async def completions(visit: Visit) -> None:
    await results(visit)
    name = (await visit.page.locator(".result h3").first.inner_text())[:4]
    await visit.page.locator("#keyword").press_sequentially(name)
    await expect(visit.page.get_by_role("option").first).to_be_visible()
    await visit.page.keyboard.press("ArrowDown")


async def event_map(visit: Visit) -> None:
    await visit.open_event()
    await click_seat(visit.page, 0)
    await expect(visit.page.locator("#hold")).to_be_visible()


async def event_list(visit: Visit) -> None:
    await visit.open_event()
    await visit.page.click("#as-list")
    await visit.page.locator("summary").first.click()


async def event_unknown(visit: Visit) -> None:
    await visit.open("/events/evt_00000000000000000000000000")
    await expect(visit.page.get_by_role("alert")).to_be_visible()


async def guest(visit: Visit) -> None:
    await visit.open_event()
    await visit.page.click("#best")
    await expect(visit.page.locator("#guest-email")).to_be_visible()


async def hold(visit: Visit) -> None:
    await visit.held()


async def declined(visit: Visit) -> None:
    await visit.held()
    await visit.page.check("input[value=pm_card_chargeDeclined]")
    await visit.page.click("#pay")
    await expect(visit.page.locator("#problem")).to_be_visible()


async def bank(visit: Visit) -> None:
    await visit.held()
    await visit.page.check("input[value=pm_card_threeDSecure2Required]")
    await visit.page.click("#pay")
    await expect(visit.page.locator("#bank")).to_be_visible()


async def released(visit: Visit) -> None:
    await visit.held()
    await visit.open(f"/orders/{await visit.page.evaluate('() => boxoffice.purchase.order.id')}")
    await visit.page.click("#release")
    await expect(visit.page.locator("#ended, #best")).to_be_visible()


async def receipt(visit: Visit) -> None:
    await visit.booked()


async def refunded(visit: Visit) -> None:
    await visit.booked()
    order_id, ticket_id = await visit.page.evaluate(
        "() => [boxoffice.purchase.order.id, boxoffice.purchase.order.tickets[0].id]"
    )
    mutation = "mutation ($i: RefundOrderInput!) { refundOrder(input: $i) { __typename } }"
    visit.server.ask(mutation, {"i": {"orderId": order_id, "ticketIds": [ticket_id]}})
    await expect(visit.page.locator("#refund")).to_be_visible()


async def order(visit: Visit) -> None:
    await visit.booked()
    await visit.page.get_by_role("link", name="See the order").click()
    await expect(visit.page.locator("#receipt")).to_be_visible()


async def order_hidden(visit: Visit) -> None:
    await visit.open("/orders/ord_x")
    await expect(visit.page.locator("#token")).to_be_visible()


async def waiting_room(visit: Visit) -> None:
    await _queue(visit, admit_per_minute=600)
    await visit.open(f"/events/{visit.event_id}")
    await expect(visit.page.locator("#join")).to_be_visible()


async def queue_position(visit: Visit) -> None:
    """Wait behind two others, with one admission a minute and one allowed at once."""
    await _queue(visit, admit_per_minute=1)
    for name in ("first", "second"):
        _join(visit, name)
    await visit.open(f"/events/{visit.event_id}")
    await visit.page.click("#join")
    await introduce(visit.page)
    await expect(visit.page.locator(".queue-position")).to_be_visible()


async def organise_gate(visit: Visit) -> None:
    await visit.open("/organise")
    await expect(visit.page.locator("#enter")).to_be_visible()


async def organise_list(visit: Visit) -> None:
    await visit.organising()
    await expect(visit.page.locator("#own li").first).to_be_visible()


async def organise_dashboard(visit: Visit) -> None:
    await visit.organising(f"/organise?event={visit.event_id}")
    await expect(visit.page.locator("#dashboard")).to_be_visible()
    await until(visit.page, "() => Boolean(window.boxoffice) && boxoffice.statuses.version !== null")


async def graphiql(visit: Visit) -> None:
    await visit.open("/graphiql")
    await expect(visit.page.locator(".graphiql-execute-button")).to_be_visible(timeout=15_000)


async def _queue(visit: Visit, admit_per_minute: int) -> None:
    wanted = {"eventId": visit.event_id, "enabled": True, "admitPerMinute": admit_per_minute, "maxActive": 1}
    visit.server.ask(CONFIGURE, {"input": wanted})


def _join(visit: Visit, name: str) -> None:
    session = """mutation ($i: CreateGuestSessionInput!) { createGuestSession(input: $i) {
      ... on CreateGuestSessionSuccess { token } } }"""
    guest = visit.server.ask(session, {"i": {"email": f"{name}@example.com"}})["createGuestSession"]
    join = "mutation ($i: JoinQueueInput!) { joinQueue(input: $i) { __typename } }"
    visit.server.ask(join, {"i": {"eventId": visit.event_id}}, guest["token"])


Reach = Callable[[Visit], Awaitable[None]]
# The states by name, with the function that reaches each.
STATES: dict[str, Reach] = {
    "finder": results,
    "finder-completions": completions,
    "finder-empty": nothing_found,
    "finder-error": search_failed,
    "event-map": event_map,
    "event-list": event_list,
    "event-unknown": event_unknown,
    "guest": guest,
    "hold": hold,
    "declined": declined,
    "bank": bank,
    "released": released,
    "receipt": receipt,
    "refunded": refunded,
    "order": order,
    "order-hidden": order_hidden,
    "waiting-room": waiting_room,
    "queue-position": queue_position,
    "organise-gate": organise_gate,
    "organise-list": organise_list,
    "organise-dashboard": organise_dashboard,
    "graphiql": graphiql,
}


def own_event(server: LiveServer, state: str, **more: Any) -> str:
    """An event for one state."""
    return publish_event(server, f"For {state}", **more)

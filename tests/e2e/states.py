"""Every page in every state that a reader can meet: for axe, and for the pictures in docs/."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.conftest import LiveServer, click_seat, introduce, map_ready, publish_event, until

CONFIGURE = """mutation ($input: ConfigureWaitingRoomInput!) {
  configureWaitingRoom(input: $input) { __typename } }"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A page on its way to a state: `page` is blank, `event_id` is an event on sale."""

    page: Page
    server: LiveServer
    event_id: str

    async def open(self, path: str) -> None:
        """Go there."""
        await self.page.goto(self.server.base_url + path)

    async def open_event(self) -> None:
        """The event, its map drawn."""
        await self.open(f"/events/{self.event_id}")
        await map_ready(self.page)

    async def held(self) -> None:
        """Two seats held, not yet paid."""
        await self.open_event()
        await self.page.click("#best")
        await introduce(self.page)
        await expect(self.page.locator("#checkout")).to_be_visible()

    async def booked(self) -> None:
        """Paid."""
        await self.held()
        await self.page.click("#pay")
        await expect(self.page.locator("#receipt")).to_be_visible(timeout=15_000)

    async def organising(self, path: str = "/organise") -> None:
        """The organiser's desk, behind its token."""
        await self.open(path)
        await self.page.fill("#token", self.server.organiser)
        await self.page.click("#enter")


async def results(scene: Scene) -> None:
    await scene.open("/")
    await expect(scene.page.locator(".result").first).to_be_visible(timeout=15_000)


async def nothing_found(scene: Scene) -> None:
    await scene.open("/?q=qqqqxxxxzzzz")
    await expect(scene.page.get_by_role("heading", name="Nothing found")).to_be_visible()


async def search_failed(scene: Scene) -> None:
    await scene.page.route("**/graphql", lambda route: route.abort())
    await scene.open("/")
    await expect(scene.page.get_by_role("alert")).to_be_visible()


async def completions(scene: Scene) -> None:
    await results(scene)
    name = (await scene.page.locator(".result h3").first.inner_text())[:4]
    await scene.page.locator("#keyword").press_sequentially(name)
    await expect(scene.page.get_by_role("option").first).to_be_visible()
    await scene.page.keyboard.press("ArrowDown")


async def event_map(scene: Scene) -> None:
    await scene.open_event()
    await click_seat(scene.page, 0)
    await expect(scene.page.locator("#hold")).to_be_visible()


async def event_list(scene: Scene) -> None:
    await scene.open_event()
    await scene.page.click("#as-list")
    await scene.page.locator("summary").first.click()


async def event_unknown(scene: Scene) -> None:
    await scene.open("/events/evt_00000000000000000000000000")
    await expect(scene.page.get_by_role("alert")).to_be_visible()


async def guest(scene: Scene) -> None:
    await scene.open_event()
    await scene.page.click("#best")
    await expect(scene.page.locator("#guest-email")).to_be_visible()


async def hold(scene: Scene) -> None:
    await scene.held()


async def declined(scene: Scene) -> None:
    await scene.held()
    await scene.page.check("input[value=pm_card_chargeDeclined]")
    await scene.page.click("#pay")
    await expect(scene.page.locator("#problem")).to_be_visible()


async def bank(scene: Scene) -> None:
    await scene.held()
    await scene.page.check("input[value=pm_card_threeDSecure2Required]")
    await scene.page.click("#pay")
    await expect(scene.page.locator("#bank")).to_be_visible()


async def given_back(scene: Scene) -> None:
    await scene.held()
    await scene.open(f"/orders/{await scene.page.evaluate('() => boxoffice.purchase.order.id')}")
    await scene.page.click("#give-back")
    await expect(scene.page.locator("#ended, #best")).to_be_visible()


async def receipt(scene: Scene) -> None:
    await scene.booked()


async def order(scene: Scene) -> None:
    await scene.booked()
    await scene.page.get_by_role("link", name="See the order").click()
    await expect(scene.page.locator("#receipt")).to_be_visible()


async def order_hidden(scene: Scene) -> None:
    await scene.open("/orders/ord_x")
    await expect(scene.page.locator("#token")).to_be_visible()


async def line(scene: Scene) -> None:
    await _queue(scene, admit_per_minute=600)
    await scene.open(f"/events/{scene.event_id}")
    await expect(scene.page.locator("#join")).to_be_visible()


async def waiting(scene: Scene) -> None:
    """In the line, with nobody let in before the first minute is over and one place in the shop taken."""
    await _queue(scene, admit_per_minute=1)
    for name in ("first", "second"):
        _join(scene, name)
    await scene.open(f"/events/{scene.event_id}")
    await scene.page.click("#join")
    await introduce(scene.page)
    await expect(scene.page.locator(".line-place")).to_be_visible()


async def organise_gate(scene: Scene) -> None:
    await scene.open("/organise")
    await expect(scene.page.locator("#enter")).to_be_visible()


async def organise_list(scene: Scene) -> None:
    await scene.organising()
    await expect(scene.page.locator("#own li").first).to_be_visible()


async def organise_desk(scene: Scene) -> None:
    await scene.organising(f"/organise?event={scene.event_id}")
    await expect(scene.page.locator("#desk")).to_be_visible()
    await until(scene.page, "() => Boolean(window.boxoffice) && boxoffice.statuses.version !== null")


async def graphiql(scene: Scene) -> None:
    await scene.open("/graphiql")
    await expect(scene.page.locator(".graphiql-execute-button")).to_be_visible(timeout=15_000)


async def _queue(scene: Scene, admit_per_minute: int) -> None:
    wanted = {"eventId": scene.event_id, "enabled": True, "admitPerMinute": admit_per_minute, "maxActive": 1}
    scene.server.ask(CONFIGURE, {"input": wanted})


def _join(scene: Scene, name: str) -> None:
    session = """mutation ($i: CreateGuestSessionInput!) { createGuestSession(input: $i) {
      ... on CreateGuestSessionSuccess { token } } }"""
    guest = scene.server.ask(session, {"i": {"email": f"{name}@example.com"}})["createGuestSession"]
    join = "mutation ($i: JoinQueueInput!) { joinQueue(input: $i) { __typename } }"
    scene.server.ask(join, {"i": {"eventId": scene.event_id}}, guest["token"])


Reach = Callable[[Scene], Awaitable[None]]
# Name, how it is reached, and whether it changes the event for all others (then it gets one of its own).
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
    "given-back": given_back,
    "receipt": receipt,
    "order": order,
    "order-hidden": order_hidden,
    "line": line,
    "line-waiting": waiting,
    "organise-gate": organise_gate,
    "organise-list": organise_list,
    "organise-desk": organise_desk,
    "graphiql": graphiql,
}


def own_event(server: LiveServer, state: str, **more: Any) -> str:
    """An event for one state."""
    return publish_event(server, f"For {state}", **more)

"""axe finds nothing serious on any page in any state: light and dark, phone and desktop."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from tests.e2e.conftest import LiveServer
from tests.e2e.states import STATES, Visit, own_event

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
# Both themes and both widths, each pair once: colours do not depend on the width.
LOOKS: dict[Literal["light", "dark"], ViewportSize] = {"light": DESKTOP, "dark": PHONE}
# Elements of GraphiQL 3.8.3 itself: the editors' tab lists and CodeMirror's text fields.
NOT_OURS = {"graphiql": ["#graphiql .graphiql-container"]}
RUN = """async (excluded) => {
  await Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null)));
  const found = await axe.run({ include: [["html"]], exclude: excluded.map((one) => [one]) });
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html, any }) => [html, any[0]?.message ?? ""])]);
}"""


async def faults(page: Page, state: str) -> list[Any]:
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = await page.evaluate(RUN, NOT_OURS.get(state, []))
    return found


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci in web/")
@pytest.mark.parametrize("state", STATES)
async def test_axe_finds_nothing_serious_when_a_page_is_in_a_state(
    browser: Browser, live_server: LiveServer, state: str
) -> None:
    event_id = own_event(live_server, state)
    context = await browser.new_context(viewport=DESKTOP, locale="en-US", bypass_csp=True)
    page = await context.new_page()
    await STATES[state](Visit(page, live_server, event_id))
    found = {}
    for scheme, size in LOOKS.items():
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found[scheme] = await faults(page, state)
    await context.close()
    assert {look: serious for look, serious in found.items() if serious} == {}

"""A page of another origin uses the API in a real browser: requests, event streams, sockets."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.e2e.conftest import CHROMIUM, LiveServer, publish_event, serving

ASK = """async ([api, token, eventId]) => {
  const found = {};
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const query = "query ($id: ID!) { event(id: $id) { name } }";
  const body = JSON.stringify({ query, variables: { id: eventId } });
  const attempt = async (name, work) => {
    try { found[name] = await work(); } catch (fault) { found[name] = String(fault).slice(0, 40); }
  };
  await attempt("post", async () => {
    const answer = await fetch(`${api}/graphql`, { method: "POST", headers, body });
    return [(await answer.json()).data.event.name, answer.headers.get("x-request-id") !== null];
  });
  await attempt("get", async () => {
    const given = new URLSearchParams({ query: "{ __typename }" });
    const preflighted = { headers: { "apollo-require-preflight": "true" } };
    const answer = await fetch(`${api}/graphql?${given}`, preflighted);
    return [(await answer.json()).data.__typename, answer.headers.get("etag") !== null];
  });
  await attempt("refused", async () => {
    const bad = { ...headers, authorization: "Bearer bad" };
    const answer = await fetch(`${api}/graphql`, { method: "POST", headers: bad, body });
    return [answer.status, (await answer.json()).errors[0].extensions.code];
  });
  await attempt("reserved stream", async () => {
    const put = { method: "PUT", headers: { authorization: headers.authorization } };
    const answer = await fetch(`${api}/graphql`, put);
    return [answer.status];
  });
  const subscription = "subscription ($id: ID!) { seatAvailability(eventId: $id) { version } }";
  await attempt("event source", () => new Promise((resolve) => {
    const given = new URLSearchParams({ query: subscription, variables: JSON.stringify({ id: eventId }) });
    const source = new EventSource(`${api}/graphql?${given}`);
    source.addEventListener("next", (event) => {
      source.close();
      resolve(["version" in JSON.parse(event.data).data.seatAvailability]);
    });
    source.onerror = () => { source.close(); resolve("error"); };
  }));
  await attempt("socket", () => new Promise((resolve) => {
    const socket = new WebSocket(`${api.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init" }));
    socket.onmessage = (event) => { socket.close(); resolve([JSON.parse(event.data).type]); };
    socket.onerror = () => resolve("error");
    socket.onclose = () => resolve("closed");
  }));
  return found;
}"""
GRANTED = {
    "post": ["Across", True],
    "get": ["Query", True],
    "refused": [401, "UNAUTHENTICATED"],
    "reserved stream": [201],
    "event source": [True],
    "socket": ["connection_ack"],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server whose page is empty."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "index.html").write_text("<!doctype html><title>Shop</title>")
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def installation(shop: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    home: Path = tmp_path_factory.mktemp("granting")
    with serving(home, BOXOFFICE_ALLOWED_ORIGINS=f"http://127.0.0.1:{shop}") as server:
        yield server


async def asked_from(browser: Browser, page_url: str, server: LiveServer, event_id: str) -> dict[str, Any]:
    page = await browser.new_page()
    await page.goto(page_url)
    found: dict[str, Any] = await page.evaluate(ASK, [server.base_url, server.buyer, event_id])
    await page.close()
    return found


async def test_an_allowed_page_asks_reads_listens_and_opens_sockets(
    browser: Browser, shop: int, installation: LiveServer
) -> None:
    event_id = publish_event(installation, "Across")

    found = await asked_from(browser, f"http://127.0.0.1:{shop}/", installation, event_id)

    assert found == GRANTED


async def test_a_page_of_another_origin_gets_nothing(
    browser: Browser, shop: int, installation: LiveServer
) -> None:
    """The same server by another name is another origin."""
    event_id = publish_event(installation, "Across")

    found = await asked_from(browser, f"http://localhost:{shop}/", installation, event_id)

    failed = "TypeError: Failed to fetch"
    refused = dict.fromkeys(("post", "get", "refused", "reserved stream"), failed)
    assert found == {**refused, "event source": "error", "socket": found["socket"]}
    assert found["socket"] in ("closed", "error")

"""What stands at the doors: headers of every answer, origins of pages, trusted documents, forged requests."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from devservices.valkey import Valkey
from settings import SettingsError
from tests.apis import Api, api_on, app_on, new_token
from tests.transport.clients import listening
from transport import digest_of

PROTOCOLS = [Subprotocol("graphql-transport-ws")]
QUERY = "{ serverTime }"


@pytest.fixture(scope="module")
async def api(module_postgres_url: str, redis_server: Valkey) -> AsyncIterator[Api]:
    async with api_on(module_postgres_url, redis_server.url()) as api:
        yield api


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/graphql?query={serverTime}"),
        ("GET", "/graphql"),
        ("OPTIONS", "/graphql"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/seatmaps/nothing.json"),
        ("POST", "/webhooks/stripe"),
        ("GET", "/nothing/here"),
        ("GET", "/static/nothing.js"),
        ("GET", "/config.json"),
        ("GET", "/"),
        ("GET", "/events/evt_x"),
        ("GET", "/orders/ord_x"),
        ("GET", "/organise"),
        ("GET", "/graphiql"),
    ],
)
async def test_every_answer_forbids_what_it_does_not_need(api: Api, method: str, path: str) -> None:
    answer = await api.client.request(method, path)

    policy = answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "default-src 'self'" in policy or "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers
    # Any page may use the API in development, and nothing else.
    is_api = path.partition("?")[0] == "/graphql"
    assert answer.headers.get("access-control-allow-origin") == ("*" if is_api else None)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_no_page_of_another_origin_is_granted_anything_when_it_is_not_named(
    postgres_url: str, redis_url: str, method: str
) -> None:
    async with api_on(postgres_url, redis_url, allowed_origins="https://shop.example") as api:
        answer = await api.client.request(method, "/graphql", headers={"origin": "https://a.example"})

    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "set-cookie" not in answer.headers


async def test_browser_is_sent_strict_transport_security_in_production(
    postgres_url: str, redis_url: str
) -> None:
    production = {
        "environment": "production",
        "public_url": "https://tickets.example.com",
        "jwt_secret": secrets.token_hex(32),
        "stripe_api_key": "sk_live_1",
        "stripe_api_base": "",
        "stripe_webhook_secret": "whsec_1",
    }
    async with api_on(postgres_url, redis_url, **production) as api:
        answer = await api.client.get("/healthz")
        hidden = await api.ask("{ __schema { types { name } } }")
        ide = await api.client.get("/graphiql")
        inside = [await api.client.get(path) for path in ("/metrics", "/readyz")]

    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert hidden.code == "INTROSPECTION_DISABLED"
    assert ide.status_code == 404
    assert [each.status_code for each in inside] == [404, 404]


@pytest.mark.parametrize(
    ("allowed", "origin", "is_let_in"),
    [
        ("https://shop.example", "https://shop.example", True),
        ("https://shop.example", "https://evil.example", False),
        ("https://shop.example", "https://shop.example.evil.example", False),
        ("https://shop.example", "null", False),
        ("https://shop.example", "", True),
        ("*", "https://evil.example", True),
    ],
)
async def test_socket_is_opened_by_pages_of_allowed_origins_alone(
    postgres_url: str, redis_url: str, allowed: str, origin: str, is_let_in: bool
) -> None:
    async with app_on(postgres_url, redis_url, allowed_origins=allowed) as app, listening(app) as address:
        url, headers = f"ws://{address}/graphql", {"Origin": origin} if origin else {}
        async with connect(
            url, subprotocols=PROTOCOLS, additional_headers={"Origin": f"http://{address}"}
        ) as own:
            assert own.subprotocol == "graphql-transport-ws"
        if is_let_in:
            async with connect(url, subprotocols=PROTOCOLS, additional_headers=headers) as socket:
                assert socket.subprotocol == "graphql-transport-ws"
        else:
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, subprotocols=PROTOCOLS, additional_headers=headers)
            assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_nothing_runs_when_another_site_posts_what_a_page_may_post_anywhere(
    api: Api, content_type: str
) -> None:
    body = json.dumps({"query": QUERY}).encode()
    headers = {"content-type": content_type, "authorization": f"Bearer {new_token()}"}

    answer = await api.client.post("/graphql", content=body, headers=headers)

    assert answer.status_code == 415
    assert "data" not in answer.json()


async def test_mutation_is_not_run_when_it_comes_by_get(api: Api) -> None:
    query = 'mutation { createGuestSession(input: {email: "a@example.org"}) { __typename } }'

    answer = await api.client.get("/graphql", params={"query": query})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_only_the_manifests_documents_and_our_pages_run_when_it_is_configured(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({f"sha256:{digest_of(QUERY)}": QUERY}))
    page = (Path(__file__).parents[3] / "web" / "operations" / "Me.graphql").read_text()

    async with api_on(postgres_url, redis_url, trusted_documents=str(manifest)) as api:
        trusted = await api.ask(QUERY)
        of_a_page = await api.ask(page)
        other = await api.ask("{ me { id } }")

    assert trusted.data["serverTime"]
    assert "errors" not in of_a_page.body
    assert other.code == "DOCUMENT_NOT_TRUSTED"


@pytest.mark.parametrize("content", ["", "{", "7", '{"sha256:00": "{ serverTime }"}'])
async def test_start_is_refused_when_the_manifest_is_none(
    postgres_url: str, redis_url: str, tmp_path: Path, content: str
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(content)

    with pytest.raises(SettingsError, match="BOXOFFICE_TRUSTED_DOCUMENTS"):
        async with api_on(postgres_url, redis_url, trusted_documents=str(manifest)):
            pass

"""The pages are served from web/ alone, validated, compressed, and under a strict policy."""

from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from endpoints.pages import routes


@dataclass(frozen=True)
class Known:
    environment: str = "development"
    stripe_publishable_key: str = ""
    stripe_api_base: str = ""
    graphiql: bool = True


async def get(
    path: str, settings: Known | None = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=routes(settings or Known())))
    async with httpx.AsyncClient(transport=transport, base_url="http://pages") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("path", ["/", "/events/evt_x", "/orders/ord_x", "/organise", "/graphiql"])
async def test_page_is_a_shell_under_a_strict_policy_when_asked_for(path: str) -> None:
    answer = await get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert "<script>" not in answer.text


async def test_not_modified_when_the_client_has_the_file() -> None:
    first = await get("/static/styles/base.css")
    again = await get("/static/styles/base.css", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["content-encoding"] == "gzip"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/scripts/../package.json",
        "/static/scripts/%2e%2e/package.json",
        "/static/scripts/%2e%2e/%2e%2e/settings.py",
        "/static//etc/passwd",
        "/static/package.json",
        "/static/node_modules/typescript/package.json",
        "/static/index.html",
        "/static/scripts/nothing.js",
        "/static/scripts",
        "/static/scripts/a%00.js",
    ],
)
async def test_not_found_when_the_path_is_no_public_file(path: str) -> None:
    assert (await get(path)).status_code == 404


async def test_stripe_is_allowed_only_when_the_real_one_is_in_use() -> None:
    real = Known(environment="production", stripe_publishable_key="pk_live_x")
    assert "https://js.stripe.com" in (await get("/", real)).headers["content-security-policy"]
    assert "stripe.com" not in (await get("/")).headers["content-security-policy"]
    assert (await get("/config.json", real)).json() == {
        "environment": "production",
        "stripePublishableKey": "pk_live_x",
        "localStripe": None,
    }


async def test_local_stripe_may_be_called_when_in_development() -> None:
    local = Known(stripe_publishable_key="pk_test_local", stripe_api_base="http://127.0.0.1:4242/v1")
    page = await get("/", local)
    assert " http://127.0.0.1:4242;" in page.headers["content-security-policy"]
    assert (await get("/config.json", local)).json()["localStripe"] == "http://127.0.0.1:4242"


async def test_policy_names_no_host_when_the_host_header_is_hostile() -> None:
    page = await get("/", headers={"Host": "a.example; script-src *"})
    assert "a.example" not in page.headers["content-security-policy"]


async def test_ide_is_not_found_when_it_is_turned_off() -> None:
    assert (await get("/graphiql", Known(graphiql=False))).status_code == 404

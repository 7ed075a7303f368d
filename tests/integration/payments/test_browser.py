"""What Stripe.js does in a page: confirm with the client secret and a publishable key."""

import httpx
import pytest
import stripe

from tests.integration.payments import intents

PUBLISHABLE = "pk_test_boxoffice"
ORIGIN = "http://localhost:8000"


@pytest.fixture
def page(raw: httpx.AsyncClient) -> httpx.AsyncClient:
    del raw.headers["Authorization"]
    raw.headers["Origin"] = ORIGIN
    return raw


async def test_intent_is_authorised_when_a_page_confirms_it(
    sdk: stripe.StripeClient, page: httpx.AsyncClient
) -> None:
    intent = await intents.new(sdk, metadata={"order_id": "o-1"})

    answer = await page.post(
        f"/v1/payment_intents/{intent.id}/confirm",
        data={
            "key": PUBLISHABLE,
            "client_secret": intent.client_secret,
            "payment_method": "pm_card_visa",
            "payment_user_agent": "stripe.js",
        },
    )

    assert (answer.status_code, answer.json()["status"]) == (200, "requires_capture")
    assert "metadata" not in answer.json()
    assert answer.headers["access-control-allow-origin"] == ORIGIN


async def test_page_reads_the_intent_when_it_has_the_client_secret(
    sdk: stripe.StripeClient, page: httpx.AsyncClient
) -> None:
    intent = await intents.new(sdk)
    secret = {"client_secret": intent.client_secret or ""}

    answer = await page.get(
        f"/v1/payment_intents/{intent.id}",
        params=secret,
        headers={"Authorization": f"Bearer {PUBLISHABLE}"},
    )

    assert (answer.status_code, answer.json()["id"]) == (200, intent.id)


@pytest.mark.parametrize("secret", [None, "pi_x_secret_wrong", "é"])
async def test_nothing_happens_when_the_client_secret_is_wrong(
    sdk: stripe.StripeClient, page: httpx.AsyncClient, secret: str | None
) -> None:
    intent = await intents.new(sdk)
    form = {"key": PUBLISHABLE, "payment_method": "pm_card_visa"} | (
        {"client_secret": secret} if secret else {}
    )

    answer = await page.post(f"/v1/payment_intents/{intent.id}/confirm", data=form)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "requires_payment_method"


@pytest.mark.parametrize("path", ["capture", "cancel"])
async def test_page_is_refused_when_it_asks_for_more_than_confirming(
    sdk: stripe.StripeClient, page: httpx.AsyncClient, path: str
) -> None:
    intent = await intents.authorised(sdk)

    answer = await page.post(
        f"/v1/payment_intents/{intent.id}/{path}",
        data={"key": PUBLISHABLE, "client_secret": intent.client_secret},
    )

    assert answer.status_code == 403
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_foreign_page_gets_no_leave_when_it_asks(page: httpx.AsyncClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    asked = await page.options("/v1/payment_intents", headers=headers)
    posted = await page.post("/_control/faults", content="{}", headers={"Content-Type": "text/plain"})
    rebound = await page.get("/_control/ledger", headers={"Host": "evil.example"})

    assert "access-control-allow-origin" not in asked.headers
    assert posted.status_code == 415
    assert rebound.status_code == 400

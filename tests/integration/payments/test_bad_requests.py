"""Whatever comes in, the local Stripe answers in Stripe's shape and never with a fault of its own."""

import httpx
import pytest
import stripe

from tests.integration.payments import intents

PATHS = (
    "/v1/payment_intents",
    "/v1/payment_intents/{id}",
    "/v1/payment_intents/{id}/confirm",
    "/v1/payment_intents/{id}/capture",
    "/v1/payment_intents/{id}/cancel",
    "/v1/refunds",
)
BODIES = (
    b"",
    b"\xff\xfe",
    b"%00=%00",
    b"amount[\xc2\xb2]=1",
    b"a[" * 5000,
    b"a" + b"[b]" * 5000 + b"=1",
    b"expand[]=everything",
    b"expand[0][a]=1",
    b"metadata=text",
    b"metadata[a][b]=1",
    b"amount[]=1&currency[]=usd",
    b"amount=1e5&currency=usd",
    b"amount=" + b"9" * 400 + b"&currency=usd",
    b"payment_method[]=pm_card_visa",
    b"payment_intent[]=1",
    b"payment_intent=pi_none&amount=-1",
    b"amount_to_capture=0",
    b"amount_to_capture=%EF%BC%91",
    b"cancellation_reason=boredom",
    b'{"amount": 100}',
)


@pytest.mark.parametrize("body", BODIES, ids=[repr(body[:24]) for body in BODIES])
@pytest.mark.parametrize("path", PATHS)
async def test_refusal_is_a_4xx_in_stripes_shape_when_the_body_is_bad(
    sdk: stripe.StripeClient, raw: httpx.AsyncClient, path: str, body: bytes
) -> None:
    intent = await intents.new(sdk)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await raw.post(path.format(id=intent.id), content=body, headers=headers)

    if answer.status_code != 200:
        assert 400 <= answer.status_code < 500
        assert answer.json()["error"]["message"]
    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.status in ("requires_payment_method", "canceled")
    assert after.amount == 5000


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit[]=1",
        "starting_after=pi_none",
        "created=x",
        "created[gt]=x",
        "created[near]=5",
        "expand[]=data.nothing",
        "colour=red",
        "types[a]=1",
    ],
)
@pytest.mark.parametrize("path", ["payment_intents", "refunds", "events", "charges"])
async def test_list_is_refused_when_its_filter_is_bad(raw: httpx.AsyncClient, path: str, query: str) -> None:
    answer = await raw.get(f"/v1/{path}?{query}")

    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_nothing_happens_when_expand_is_refused(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk)

    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.payment_intents.capture_async(intent.id, {"expand": ["everything"]})

    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_body_is_refused_when_it_is_above_a_megabyte(raw: httpx.AsyncClient) -> None:
    answer = await raw.post("/v1/payment_intents", content=b"a" * 1_000_001)

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/_control/faults", "{"),
        ("POST", "/_control/faults", "[[]]"),
        ("POST", "/_control/faults", '{"kind": "api.hang", "params": {"seconds": "x"}}'),
        ("POST", "/_control/challenges/pi_none", '{"outcome": "complete"}'),
        ("POST", "/_control/challenges/pi_none", '{"outcome": "maybe"}'),
        ("POST", "/_control/challenges/pi_none", "[]"),
        ("POST", "/_control/intents/pi_none/expire", "{}"),
        ("POST", "/_control/events/evt_none/resend", "{}"),
        ("POST", "/_control/idempotency/prune", '{"older_than_seconds": "x"}'),
        ("PUT", "/_control/webhook", '{"url": 5}'),
    ],
)
async def test_control_refuses_when_the_wish_makes_no_sense(
    raw: httpx.AsyncClient, method: str, path: str, body: str
) -> None:
    answer = await raw.request(method, path, content=body, headers={"Content-Type": "application/json"})

    assert 400 <= answer.status_code < 500

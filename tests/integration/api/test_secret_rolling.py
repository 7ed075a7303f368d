"""Secrets are rolled without a cut: what the previous one signed is good, what another signed is not."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import jwt
import pytest

from devservices.valkey import Valkey
from domain.ids import user_id_of
from domain.viewer import Viewer
from kit.clock import utc_now
from services.identity.tokens import SecretTokens
from tests.apis import Api, api_on

NEW, OLD, OTHER = (secrets.token_hex(32) for _ in range(3))
WEBHOOK_NEW, WEBHOOK_OLD, WEBHOOK_OTHER = (f"whsec_{secrets.token_hex(16)}" for _ in range(3))


@pytest.fixture(scope="module")
async def api(module_postgres_url: str, redis_server: Valkey) -> AsyncIterator[Api]:
    rolling = {
        "jwt_secret": NEW,
        "jwt_secret_previous": OLD,
        "stripe_webhook_secret": WEBHOOK_NEW,
        "stripe_webhook_secret_previous": WEBHOOK_OLD,
    }
    async with api_on(module_postgres_url, redis_server.url(), **rolling) as api:
        yield api


def token_signed_with(secret: str) -> str:
    viewer = Viewer(user_id_of("ann"), "ann", "ann@example.org", "Ann", frozenset({"buy"}))
    return SecretTokens(secret).mint(viewer, utc_now() + timedelta(minutes=5))


@pytest.mark.parametrize("secret", [NEW, OLD], ids=["new", "previous"])
async def test_token_is_good_when_the_new_or_the_previous_secret_signed_it(api: Api, secret: str) -> None:
    answer = await api.ask("{ me { email } }", token=token_signed_with(secret))

    assert answer.data == {"me": {"email": "ann@example.org"}}


async def test_token_is_refused_when_another_secret_signed_it(api: Api) -> None:
    answer = await api.ask("{ me { email } }", token=token_signed_with(OTHER))

    assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")


async def test_guests_get_tokens_of_the_new_secret_alone(api: Api) -> None:
    made = await api.mutate(
        "createGuestSession",
        {"email": "guest@example.org"},
        answer="... on CreateGuestSessionSuccess { token }",
    )

    assert jwt.decode(made["token"], NEW, algorithms=["HS256"])["email"] == "guest@example.org"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(made["token"], OLD, algorithms=["HS256"])


@pytest.mark.parametrize(
    ("secret", "status"),
    [(WEBHOOK_NEW, 200), (WEBHOOK_OLD, 200), (WEBHOOK_OTHER, 400)],
    ids=["new", "previous", "another"],
)
async def test_webhook_is_taken_when_the_new_or_the_previous_secret_signed_it(
    api: Api, secret: str, status: int
) -> None:
    body = json.dumps(
        {
            "id": f"evt_{secrets.token_hex(8)}",
            "object": "event",
            "type": "customer.created",
            "created": int(time.time()),
            "data": {"object": {"id": "cus_1", "object": "customer"}},
        }
    ).encode()
    now = int(time.time())
    signature = hmac.new(secret.encode(), b"%d.%s" % (now, body), hashlib.sha256).hexdigest()

    answer = await api.client.post(
        "/webhooks/stripe", content=body, headers={"stripe-signature": f"t={now},v1={signature}"}
    )

    assert answer.status_code == status

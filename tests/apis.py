"""The whole API in this process, called over HTTP like a client does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
from starlette.applications import Starlette

from app import create_app
from devservices.stripe.webhook_sender import signature
from domain.ids import user_id_of
from domain.viewer import Viewer
from kit.clock import utc_now
from kit.seeds import new_seed
from parts import build_parts
from services.identity.tokens import SecretTokens
from services.ordering.outbox import deliver
from settings import Settings

TICKET_KEY = new_seed()
SECRET = "a secret of the tests, long enough to be one"
WEBHOOK_SECRET = "whsec_local_test"


def token_of(subject: str, *scopes: str, seconds: float = 600) -> str:
    """A bearer token signed with the tests' secret."""
    viewer = Viewer(user_id_of(subject), subject, f"{subject}@example.org", subject, frozenset(scopes))
    return SecretTokens(SECRET).mint(viewer, utc_now() + timedelta(seconds=seconds))


def new_token(*scopes: str) -> str:
    """A token of a new person, with scope buy by default."""
    return token_of(f"test-{uuid4().hex}", *(scopes or ("buy",)))


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as a client gets it."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The data of a response without errors."""
        assert "errors" not in self.body, self.body["errors"]
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors of a response that has some."""
        errors: list[dict[str, Any]] = self.body["errors"]
        assert errors
        return errors

    @property
    def code(self) -> str:
        """The first error's code."""
        code: str = self.errors[0]["extensions"]["code"]
        return code

    @property
    def message(self) -> str:
        """The first error's message."""
        message: str = self.errors[0]["message"]
        return message


class Api:
    """A client of the API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def ask(self, query: str, variables: dict[str, Any] | None = None, token: str = "") -> Answer:
        """One operation by POST."""
        headers = {"accept": "application/graphql-response+json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        response = await self.client.post(
            "/graphql", json={"query": query, "variables": variables or {}}, headers=headers
        )
        return Answer(response.status_code, response.json())

    async def mutate(
        self, field: str, given: dict[str, Any], token: str = "", answer: str = ""
    ) -> dict[str, Any]:
        """One mutation; `answer` is the selection beside an error's code and message."""
        name = f"{field[0].upper()}{field[1:]}Input"
        if field in {"publishEvent", "cancelEvent"}:
            name = "EventIdInput"
        query = (
            f"mutation ($input: {name}!) {{ {field}(input: $input) {{ __typename {answer}"
            " ... on UserError { code message } } }"
        )
        result: dict[str, Any] = (await self.ask(query, {"input": given}, token)).data[field]
        return result


def settings_on(postgres_url: str, redis_url: str, **changes: str) -> Settings:
    """The settings of an API on these parts; `changes` by their name in lower case."""
    values = {
        "database_url": postgres_url,
        "redis_url": redis_url,
        "jwt_secret": SECRET,
        "ticket_key": TICKET_KEY,
        "stripe_api_key": "sk_test_local",
        "stripe_api_base": "http://127.0.0.1:9",
        "stripe_webhook_secret": WEBHOOK_SECRET,
    } | changes
    return Settings.load({f"BOXOFFICE_{name.upper()}": value for name, value in values.items()}, None)


@asynccontextmanager
async def api_on(postgres_url: str, redis_url: str, **changes: str) -> AsyncIterator[Api]:
    """The API on these parts; `changes` are settings by their name in lower case."""
    async with app_on(postgres_url, redis_url, **changes) as app, client_of(app) as api:
        yield api


@asynccontextmanager
async def app_on(postgres_url: str, redis_url: str, **changes: str) -> AsyncIterator[Starlette]:
    """The same as a started ASGI application."""
    app = create_app(settings_on(postgres_url, redis_url, **changes))
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def client_of(app: Starlette) -> AsyncIterator[Api]:
    """A client of an application in this process."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://boxoffice.test") as client:
        yield Api(client)


async def stripe_webhook(api: Api, kind: str, intent_id: str) -> None:
    """A webhook of Stripe's of this type, about what belongs to an intent."""
    now = int(utc_now().timestamp())
    event = {"id": f"evt_{uuid4().hex}", "object": "event", "type": kind, "created": now}
    subject = {"object": kind.rpartition(".")[0], "payment_intent": intent_id}
    body = orjson.dumps({**event, "data": {"object": subject}})
    headers = {"Stripe-Signature": signature(WEBHOOK_SECRET, body, now)}
    answer = await api.client.post("/webhooks/stripe", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def deliver_outbox(settings: Settings) -> None:
    """Do the outbox's tasks that are due, as the worker does."""
    parts = build_parts(settings)
    await parts.channels.open()
    try:
        while await deliver(parts.context):
            pass
    finally:
        await parts.close()

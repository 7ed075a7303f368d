"""Answers that people share: nobody is handed what another was allowed to see."""

from collections.abc import AsyncIterator

import pytest

from devservices.valkey import Valkey
from tests.apis import Api, api_on, token_of
from tests.integration.reading.events import create_event


@pytest.fixture(scope="module")
async def api(module_postgres_url: str, redis_server: Valkey) -> AsyncIterator[Api]:
    async with api_on(module_postgres_url, redis_server.url()) as api:
        yield api


@pytest.mark.parametrize("scopes", [("organise",), ("buy",), ("buy", "organise")])
async def test_draft_stays_hidden_when_its_organiser_has_just_looked_at_it(
    api: Api, scopes: tuple[str, ...]
) -> None:
    """A token without the scope organise reads what everybody reads: its answers are shared."""
    person = f"organiser-with-{'-'.join(scopes)}"
    draft = await create_event(api, token_of(person, "organise"), name="Not yet announced")
    params = {"query": f'{{ event(id: "{draft}") {{ name }} }}'}

    seen = await api.client.get(
        "/graphql", params=params, headers={"authorization": f"Bearer {token_of(person, *scopes)}"}
    )
    unseen = await api.client.get("/graphql", params=params)

    assert unseen.json() == {"data": {"event": None}}
    if "organise" in scopes:
        assert seen.json() == {"data": {"event": {"name": "Not yet announced"}}}
        assert "public" not in seen.headers["cache-control"]

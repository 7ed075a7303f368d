"""/schema.graphql: the served schema, in production too, and cacheable."""

from pathlib import Path

from graphql import build_schema

from tests.apis import api_on

SNAPSHOT = Path(__file__).parents[3] / "schema" / "schema.graphql"


async def test_the_file_is_the_schema_with_its_descriptions(postgres_url: str, redis_url: str) -> None:
    async with api_on(postgres_url, redis_url, introspection="no") as api:
        answer = await api.client.get("/schema.graphql")
        hidden = (await api.ask("{ __schema { queryType { name } } }")).errors

    assert answer.status_code == 200
    assert answer.text.strip() == SNAPSHOT.read_text().strip()
    event = build_schema(answer.text).type_map["Event"]
    assert event.description
    assert hidden


async def test_the_file_is_cacheable_and_readable_from_any_page(postgres_url: str, redis_url: str) -> None:
    async with api_on(postgres_url, redis_url) as api:
        first = await api.client.get("/schema.graphql", headers={"accept-encoding": "gzip"})
        plain = await api.client.get("/schema.graphql", headers={"accept-encoding": "identity"})
        same = await api.client.get(
            "/schema.graphql",
            headers={
                "accept-encoding": "gzip",
                "if-none-match": first.headers["etag"],
                "origin": "https://a.example",
            },
        )

    assert first.headers["cache-control"] == "public, max-age=300"
    assert (first.headers["vary"], first.headers["content-encoding"]) == ("accept-encoding", "gzip")
    assert (plain.text, plain.headers["etag"]) == (first.text, plain.headers["etag"])
    assert plain.headers["etag"] != first.headers["etag"]
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["access-control-allow-origin"] == "*"

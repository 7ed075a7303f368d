"""Every operation is answered when fields fail beside others that wait for the same rows."""

import asyncio

from devservices.valkey import Valkey
from tests.apis import Api, api_on, new_token
from tests.integration.reading.events import publish_event

FAILING_PLACES = (
    'event(id: "%s") { venue { name } performers { name } places(after: "bm90aGluZw") { totalCount } }'
)
BOTH = '{ a: %s b: event(id: "%s") { venue { name } performers { name } } }'
ANSWER_SECONDS = 10


async def test_the_other_branch_is_answered_when_a_field_fails_and_nothing_was_read_before(
    api: Api, module_postgres_url: str, redis_server: Valkey
) -> None:
    event_id = await publish_event(api, new_token("organise"))

    for _ in range(5):
        async with api_on(module_postgres_url, redis_server.url()) as cold, asyncio.timeout(ANSWER_SECONDS):
            answer = await cold.ask(BOTH % (FAILING_PLACES % event_id, event_id))

        assert answer.body["data"]["a"] is None
        assert answer.body["data"]["b"]["venue"]["name"]
        assert [error["extensions"]["code"] for error in answer.errors] == ["BAD_USER_INPUT"]

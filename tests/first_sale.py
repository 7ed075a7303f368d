"""A first sale on an installation: published, and reserved as soon as its stores answer."""

import asyncio

from tests.apis import Api, new_token
from tests.integration.reading.events import publish_event

DEADLINE_SECONDS = 20
_RESERVE = "mutation ($input: ReserveInput!) { reserve(input: $input) { __typename } }"


async def reserve_first_seat(api: Api, deadline_seconds: float = DEADLINE_SECONDS) -> str:
    """Publish an event, and return what `reserve` answers for its first seat when Redis is there.

    Raises:
        TimeoutError: Redis is not there in time.
    """
    event_id = await publish_event(api, new_token("organise"))
    seat = f"seat_{event_id.removeprefix('evt_')}_0"
    given = {"eventId": event_id, "selection": {"seatIds": [seat]}}
    token = new_token()
    async with asyncio.timeout(deadline_seconds):
        while True:
            answer = await api.ask(_RESERVE, {"input": given}, token)
            if "errors" not in answer.body:
                return str(answer.data["reserve"]["__typename"])
            assert answer.code == "UNAVAILABLE", answer.body
            await asyncio.sleep(0.1)

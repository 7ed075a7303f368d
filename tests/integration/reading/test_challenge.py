"""Guest sessions and joins behind a proof of work."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import services.identity.challenges as challenges
from devservices.valkey import Valkey
from services.identity.proof_of_work import BASE_NUMBER, MOST_NUMBER
from tests.apis import Api, api_on, app_on, new_token
from tests.challenges import CHALLENGE, challenge_of, solution
from tests.integration.reading.events import publish_event

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "clients.md").read_text(encoding="utf-8")
GUEST = "... on CreateGuestSessionSuccess { token user { email } }"
ENTRY = "... on JoinQueueSuccess { entry { id state } }"
MISSING = "Solve a challenge first: ask for `challenge`, and send its solution as challengeSolution."
REPLAYED = "This solution was used before; please solve a new challenge."


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that the test may stop."""
    server = Valkey(tmp_path, password="test")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def api(postgres_url: str, redis_url: str) -> AsyncIterator[Api]:
    """An API that asks for a proof of work."""
    async with api_on(postgres_url, redis_url, challenge="pow") as api:
        yield api


async def guest(api: Api, answer: str | None) -> dict[str, Any]:
    given = {"email": "guest@example.org", "challengeSolution": answer}
    return await api.mutate("createGuestSession", given, answer=GUEST)


async def with_waiting_room(api: Api) -> str:
    organiser = new_token("organise")
    event_id = await publish_event(api, organiser)
    await api.mutate("configureWaitingRoom", {"eventId": event_id, "enabled": True}, organiser)
    return event_id


def refused(message: str) -> dict[str, str]:
    return {"__typename": "RequestRefused", "code": "CHALLENGE_REQUIRED", "message": message}


async def test_challenge_is_null_when_the_installation_asks_for_none(
    postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        assert (await api.ask(CHALLENGE)).data == {"challenge": None}
        assert (await guest(api, None))["user"] == {"email": "guest@example.org"}


async def test_guest_session_is_given_once_when_the_solution_is_right(api: Api) -> None:
    answer = await solution(api)

    first, again = await guest(api, answer), await guest(api, answer)

    assert first["user"] == {"email": "guest@example.org"}
    assert again == refused(REPLAYED)


async def test_one_session_is_given_when_one_solution_is_sent_many_times_at_once(api: Api) -> None:
    answer = await solution(api)

    given = await asyncio.gather(*(guest(api, answer) for _ in range(10)))

    assert sorted(each["__typename"] for each in given).count("CreateGuestSessionSuccess") == 1
    assert [each for each in given if "token" not in each] == [refused(REPLAYED)] * 9


async def test_guest_session_is_refused_when_nothing_is_solved(api: Api) -> None:
    assert await guest(api, None) == refused(MISSING)
    assert await guest(api, "") == refused(MISSING)
    assert (await guest(api, "bm8="))["code"] == "CHALLENGE_REQUIRED"


async def test_solution_is_kept_when_the_address_is_refused(api: Api) -> None:
    answer = await solution(api)
    given = {"email": "nobody", "challengeSolution": answer}

    wrong = await api.mutate("createGuestSession", given, answer=GUEST)

    assert wrong["code"] == "INVALID_INPUT"
    assert "token" in await guest(api, answer)


async def test_solution_counts_once_when_two_processes_get_it(postgres_url: str, redis_url: str) -> None:
    async with (
        api_on(postgres_url, redis_url, challenge="pow") as one,
        api_on(postgres_url, redis_url, challenge="pow") as other,
    ):
        answer = await solution(one)

        assert "token" in await guest(other, answer)
        assert await guest(one, answer) == refused(REPLAYED)


async def test_solution_counts_once_in_a_process_when_redis_is_away(
    postgres_url: str, own_redis: Valkey
) -> None:
    async with api_on(postgres_url, own_redis.url(), challenge="pow") as api:
        before = await solution(api)
        assert "token" in await guest(api, before)
        await asyncio.to_thread(own_redis.stop)

        answer = await solution(api)

        assert "token" in await guest(api, answer)
        assert await guest(api, answer) == refused(REPLAYED)
        assert await guest(api, before) == refused(REPLAYED)


async def test_join_is_refused_when_nothing_is_solved(api: Api) -> None:
    event_id, token = await with_waiting_room(api), new_token()

    answer = await api.mutate("joinQueue", {"eventId": event_id}, token, ENTRY)

    assert answer == refused(MISSING)
    query = "query ($id: ID!) { queueEntry(eventId: $id) { id } event(id: $id) { waitingRoom { waiting } } }"
    seen = (await api.ask(query, {"id": event_id}, token)).data
    assert seen == {"queueEntry": None, "event": {"waitingRoom": {"waiting": 0}}}


async def test_place_is_answered_again_when_a_join_is_repeated(api: Api) -> None:
    event_id, token = await with_waiting_room(api), new_token()
    given = {"eventId": event_id, "challengeSolution": await solution(api)}

    first = await api.mutate("joinQueue", given, token, ENTRY)
    repeated = await api.mutate("joinQueue", given, token, ENTRY)
    unsolved = await api.mutate("joinQueue", {"eventId": event_id}, token, ENTRY)
    stranger = await api.mutate("joinQueue", given, new_token(), ENTRY)

    assert first["entry"]["state"] in {"WAITING", "ADMITTED"}
    assert repeated["entry"]["id"] == unsolved["entry"]["id"] == first["entry"]["id"]
    assert stranger == refused(REPLAYED)


async def test_challenge_is_never_stored_when_it_is_asked_for_by_get(api: Api) -> None:
    responses = [await api.client.get("/graphql", params={"query": CHALLENGE}) for _ in range(2)]

    salts = {response.json()["data"]["challenge"]["salt"] for response in responses}
    directives = {response.headers["cache-control"] for response in responses}
    assert len(salts) == 2
    assert all("no-store" in each for each in directives), directives


async def test_challenge_is_harder_when_a_network_asks_often(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenges, "NETWORK_STEP", 4)
    async with app_on(postgres_url, redis_url, challenge="pow") as app:

        async def hardest(address: str, times: int) -> int:
            transport = httpx.ASGITransport(app=app, client=(address, 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://boxoffice.test") as client:
                numbers = [(await challenge_of(Api(client)))["maxNumber"] for _ in range(times)]
            return int(numbers[-1])

        first = await hardest("5.6.7.8", 1)
        later = await hardest("::ffff:5.6.7.8", 8)
        elsewhere = await hardest("5.6.7.9", 1)

    assert BASE_NUMBER < first == elsewhere < 2 * BASE_NUMBER
    assert 2 * first < later <= MOST_NUMBER


async def test_challenge_is_harder_when_many_solutions_were_accepted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenges, "LOAD_STEP", 1)
    usual = (await challenge_of(api))["maxNumber"]

    await guest(api, await solution(api))
    await guest(api, await solution(api))

    # Two were accepted and four asked for; a little less where a new minute has begun.
    hardest = round(3 * BASE_NUMBER * (1 + 4 / challenges.NETWORK_STEP))
    assert usual == round(BASE_NUMBER * (1 + 1 / challenges.NETWORK_STEP))
    assert 2 * usual < (await challenge_of(api))["maxNumber"] <= hardest


async def test_clients_example_solves_the_challenge_as_it_stands_on_the_page(api: Api) -> None:
    example = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(example, names)

    answer = names["solve"](await challenge_of(api))

    assert "token" in await guest(api, answer)

"""RATE_LIMIT_PER_MINUTE: counted a user over all processes, refused with a code and Retry-After."""

from tests.apis import api_on, somebody


async def test_request_is_refused_when_a_user_is_over_the_limit(postgres_url: str, redis_url: str) -> None:
    settings = {"rate_limit_per_minute": "3"}
    async with (
        api_on(postgres_url, redis_url, **settings) as one,
        api_on(postgres_url, redis_url, **settings) as other,
    ):
        hasty, patient = somebody(), somebody()
        answers = [await api.ask("{ serverTime }", token=hasty) for api in (one, other, one, other)]

        assert [answer.status for answer in answers[:3]] == [200, 200, 200]
        assert (answers[3].status, answers[3].code) == (429, "RATE_LIMITED")
        assert (await one.ask("{ serverTime }", token=patient)).status == 200

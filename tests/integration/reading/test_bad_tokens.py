"""Tokens that are none, and none at all: refused, never taken for nobody."""

import pytest

from tests.apis import SECRET, Api, token_of

EVENT = "evt_01jd3x8k2m9q4r5s6t7v8w9x0y"
ORDER = "ord_01jd3x8k2m9q4r5s6t7v8w9x0y"

BAD_TOKENS = {
    "nothing like one": "nonsense",
    "two parts": "a.b",
    "expired": token_of("late", "buy", seconds=-60),
    "another signature": token_of("somebody", "buy")[:-4] + "AAAA",
    "no algorithm": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4IiwiZXhwIjo0MTAyNDQ0ODAwfQ.",
    "endless": "a" * 10_000,
}


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_bad_token_is_refused_and_never_taken_for_nobody(api: Api, name: str) -> None:
    answer = await api.ask("{ me { id } }", token=BAD_TOKENS[name])

    assert answer.status == 401
    assert answer.code == "UNAUTHENTICATED"
    assert SECRET not in answer.message

"""Solves challenges as a client does, by the solver of ALTCHA's library."""

from typing import Any

from altcha.v1 import Payload, solve_challenge

from tests.apis import Api

CHALLENGE = "{ challenge { algorithm challenge salt maxNumber signature } }"


async def challenge_of(api: Api) -> dict[str, Any]:
    """A new challenge."""
    challenge: dict[str, Any] = (await api.ask(CHALLENGE)).data["challenge"]
    return challenge


def solved(challenge: dict[str, Any]) -> str:
    """ALTCHA's payload of a challenge."""
    text, salt = challenge["challenge"], challenge["salt"]
    found = solve_challenge(text, salt, "SHA-256", challenge["maxNumber"], 0)
    assert found is not None
    return Payload("SHA-256", text, found.number, salt, challenge["signature"]).to_base64()


async def solution(api: Api) -> str:
    """The solution of a new challenge."""
    return solved(await challenge_of(api))

"""The proof of work: what is accepted, what is refused, and in which words."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from altcha.v1 import ChallengeOptions, create_challenge, solve_challenge

from domain.challenge import Challenge
from domain.errors import ChallengeRequired
from services.identity.proof_of_work import BASE_NUMBER, LIFETIME_SECONDS, MOST_NUMBER, ProofOfWork

SECRET = "a secret of the tests, long enough to be one"
MALFORMED = "The solution has to be ALTCHA's base64 payload; please solve a new challenge."
FOREIGN = "This is no solution of a challenge of ours; please solve a new one."
EXPIRED = "The challenge has expired; please solve a new one."


class Clock:
    """A clock that a test moves."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def number_of(challenge: Challenge) -> int:
    """The number that solves a challenge, found by the library's own solver."""
    found = solve_challenge(challenge.challenge, challenge.salt, "SHA-256", challenge.max_number, 0)
    assert found is not None
    return found.number


def payload(issued: Challenge, /, **changes: Any) -> str:
    """ALTCHA's payload of a solved challenge, as its widget writes it."""
    fields: dict[str, Any] = asdict(issued)
    del fields["max_number"]
    fields |= {"number": number_of(issued)} | changes
    return encoded({name: value for name, value in fields.items() if value is not None})


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def refusal(provider: ProofOfWork, solution: str) -> str:
    with pytest.raises(ChallengeRequired) as refused:
        provider.check(solution)
    return refused.value.message


def test_solution_is_accepted_when_it_is_right() -> None:
    provider = ProofOfWork([SECRET])
    challenge = provider.issue(1)

    solved = provider.check(payload(challenge))

    assert (
        hashlib.sha256(f"{challenge.salt}{number_of(challenge)}".encode()).hexdigest() == challenge.challenge
    )
    assert solved.identity == challenge.challenge
    assert LIFETIME_SECONDS - 5 <= solved.expires_in_seconds <= LIFETIME_SECONDS + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"number": -1},
        {"salt": "00?expires=9999999999&"},
        {"signature": "0" * 64},
        {"challenge": "0" * 64},
        {"salt": "\ud800"},
    ],
)
def test_solution_is_refused_when_a_field_was_changed(changes: dict[str, Any]) -> None:
    provider = ProofOfWork([SECRET])

    assert refusal(provider, payload(provider.issue(1), **changes)) == FOREIGN


@pytest.mark.parametrize(
    "solution",
    [
        "",
        "no base64!",
        "A" * 3000,
        encoded([]),
        encoded({}),
        encoded("x"),
        *(base64.b64encode(raw).decode() for raw in (b"[" * 1400, b"\xff\xfe")),
    ],
)
def test_solution_is_refused_when_it_is_no_payload(solution: str) -> None:
    assert refusal(ProofOfWork([SECRET]), solution) == MALFORMED


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "SHA-1"},
        {"number": "7"},
        {"number": True},
        {"number": 1.5},
        {"salt": 7},
        *({name: None} for name in ("algorithm", "challenge", "salt", "signature")),
    ],
)
def test_solution_is_refused_when_a_field_has_another_type(changes: dict[str, Any]) -> None:
    provider = ProofOfWork([SECRET])

    assert refusal(provider, payload(provider.issue(1), **changes)) == MALFORMED


def test_solution_is_refused_when_another_secret_signed_it() -> None:
    challenge = ProofOfWork(["another secret"]).issue(1)

    assert refusal(ProofOfWork([SECRET]), payload(challenge)) == FOREIGN


def test_solution_is_refused_when_the_secret_itself_signed_it() -> None:
    made = create_challenge(ChallengeOptions(max_number=10, hmac_key=SECRET, number=3))
    challenge = Challenge(made.algorithm, made.challenge, made.salt, made.max_number, made.signature)

    assert refusal(ProofOfWork([SECRET]), payload(challenge)) == FOREIGN


def test_solution_is_accepted_when_the_secret_is_being_retired() -> None:
    challenge = ProofOfWork(["the old secret"]).issue(1)

    assert ProofOfWork([SECRET, "the old secret"]).check(payload(challenge)).identity == challenge.challenge
    assert refusal(ProofOfWork([SECRET, ""]), payload(challenge)) == FOREIGN


def test_solution_is_refused_when_the_challenge_has_expired() -> None:
    clock = Clock()
    provider = ProofOfWork([SECRET], clock)
    solution = payload(provider.issue(1))

    clock.now += LIFETIME_SECONDS - 1
    assert provider.check(solution).expires_in_seconds == 1
    clock.now += 1
    assert refusal(provider, solution) == EXPIRED


def test_expiry_cannot_be_moved_when_the_number_is_spliced_into_the_salt() -> None:
    clock = Clock()
    provider = ProofOfWork([SECRET], clock)
    challenge = provider.issue(1)
    number = str(number_of(challenge))
    clock.now += LIFETIME_SECONDS

    spliced = payload(challenge, salt=challenge.salt.removesuffix("&") + "9&", number=int(number[1:] or 0))

    assert refusal(provider, spliced) == FOREIGN


@pytest.mark.parametrize(
    ("pressure", "most"),
    [(0.1, BASE_NUMBER), (1, BASE_NUMBER), (3, 3 * BASE_NUMBER), (1000, MOST_NUMBER)],
)
def test_challenge_is_harder_when_the_pressure_is_higher(pressure: float, most: int) -> None:
    assert ProofOfWork([SECRET]).issue(pressure).max_number == most


def test_challenges_differ_when_they_are_issued_together() -> None:
    issue: Callable[[float], Challenge] = ProofOfWork([SECRET]).issue

    assert len({issue(1).salt for _ in range(100)}) == 100

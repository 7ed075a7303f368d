"""Challenges in ALTCHA's first format (SHA-256), made and checked by the `altcha` library."""

import base64
import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from altcha.v1 import ChallengeOptions, Payload, create_challenge, verify_solution

from domain.challenge import Challenge, Solution
from domain.errors import ChallengeRequired

LIFETIME_SECONDS = 300
BASE_NUMBER = 50_000
"""A solution takes 25,000 hashes on average: a quarter of a second on a phone's one worker."""
MOST_NUMBER = 1_000_000
"""The hardest challenge: some seconds on a phone. A whole hall behind one address never waits longer."""
_LONGEST_SOLUTION = 2_048
_ALGORITHM = "SHA-256"
_PURPOSE = b"boxoffice challenge v1"


class ProofOfWork:
    """Signs challenges and checks solutions; keeps nothing.

    Args:
        secrets: The installation's secret first, then those that are being retired; none is used as it is.
        clock: Unix seconds.
    """

    def __init__(self, secrets: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._keys = [_key_of(secret) for secret in secrets if secret]
        self._clock = clock

    def issue(self, pressure: float) -> Challenge:
        """See `ChallengeProvider.issue`."""
        expires = datetime.fromtimestamp(math.ceil(self._clock()) + LIFETIME_SECONDS, UTC)
        most = min(MOST_NUMBER, round(BASE_NUMBER * max(pressure, 1.0)))
        made = create_challenge(
            ChallengeOptions(max_number=most, salt_length=16, hmac_key=self._keys[0], expires=expires)
        )
        return Challenge(_ALGORITHM, made.challenge, made.salt, made.max_number, made.signature)

    def check(self, solution: str) -> Solution:
        """See `ChallengeProvider.check`."""
        payload = _payload(solution)
        if not any(_verifies(payload, key) for key in self._keys):
            raise ChallengeRequired("This is no solution of a challenge of ours; please solve a new one.")
        # The signature covers the salt, so the time in it is ours.
        _, expires_at, _ = payload.parse_salt()
        left = (expires_at or 0) - self._clock()
        if left <= 0:
            raise ChallengeRequired("The challenge has expired; please solve a new one.")
        return Solution(payload.challenge, math.ceil(left))


def _key_of(secret: str) -> bytes:
    """A key of its own, so that a challenge's signature is good for nothing else."""
    return hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)


def _payload(solution: str) -> Payload:
    """The fields of ALTCHA's base64 payload, each with its type. Raises ChallengeRequired."""
    wrong = ChallengeRequired("The solution has to be ALTCHA's base64 payload; please solve a new challenge.")
    if len(solution) > _LONGEST_SOLUTION:
        raise wrong
    try:
        payload = Payload.from_dict(json.loads(base64.b64decode(solution, validate=True)))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise wrong from None
    texts = (payload.challenge, payload.salt, payload.signature)
    if payload.algorithm != _ALGORITHM or type(payload.number) is not int:
        raise wrong
    if not all(isinstance(each, str) for each in texts):
        raise wrong
    return payload


def _verifies(payload: Payload, key: bytes) -> bool:
    try:
        fits, _ = verify_solution(payload, key, check_expires=False)
    except ValueError:  # characters that no encoding has
        return False
    return fits

"""A proof of work: a client shows that it spent computing time, which no sale can make free."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Challenge:
    """ALTCHA's first format: find `number` so that hex(sha256(salt + number)) is `challenge`."""

    algorithm: str
    challenge: str
    salt: str
    max_number: int
    """The largest `number` to try; a solution takes half as many hashes on average."""
    signature: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution that is right and has not expired."""

    identity: str
    """The same for every form in which one solution can be sent."""
    expires_in_seconds: int

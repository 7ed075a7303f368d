"""What a client has to solve before it takes a guest session or a place in a waiting room."""

from typing import Protocol

from domain.challenge import Challenge, Solution
from domain.errors import ChallengeRequired
from kit.networks import counted_network
from pubsub.single_use import SingleUse
from pubsub.sliding_counters import SlidingCounters

LOAD_STEP = 600
"""So many accepted solutions of the installation within a minute make the next challenge twice as hard."""
NETWORK_STEP = 60
"""So many challenges of one network within a minute make its next one twice as hard."""
_ACCEPTED = "solutions"


class ChallengeProvider(Protocol):
    """Makes challenges and checks solutions; another provider than the proof of work fits here."""

    def issue(self, pressure: float) -> Challenge:
        """Return a new challenge, `pressure` times (1 or more) as hard as usual, within a bound."""

    def check(self, solution: str) -> Solution:
        """Return what a solution solves.

        Raises:
            ChallengeRequired: It is malformed, wrong, not of this installation, or expired.
        """


class Challenges:
    """The challenges of one installation; without a provider nothing is asked.

    Args:
        private_networks: Whether the requests of private addresses are counted by network.
    """

    def __init__(
        self,
        provider: ChallengeProvider | None,
        counters: SlidingCounters,
        used: SingleUse,
        *,
        private_networks: bool = True,
    ) -> None:
        self._provider = provider
        self._counters = counters
        self._used = used
        self._private_networks = private_networks

    async def issue(self, address: str) -> Challenge | None:
        """Return a challenge for a client of this address; None where the installation asks for none."""
        if self._provider is None:
            return None
        accepted = await self._counters.count(_ACCEPTED, 0)
        network = counted_network(address, private_networks=self._private_networks)
        asked = await self._counters.count(f"challenges:{network}") if network else 0
        return self._provider.issue((1 + accepted / LOAD_STEP) * (1 + asked / NETWORK_STEP))

    async def redeem(self, solution: str | None) -> None:
        """Accept a solution, once.

        Raises:
            ChallengeRequired: There is none, it is wrong, it has expired, or it was accepted before.
        """
        if self._provider is None:
            return
        if not solution:
            raise ChallengeRequired
        solved = self._provider.check(solution)
        if not await self._used.first(f"solution:{solved.identity}", solved.expires_in_seconds):
            raise ChallengeRequired("This solution was used before; please solve a new challenge.")
        await self._counters.count(_ACCEPTED)

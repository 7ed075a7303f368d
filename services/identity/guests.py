"""Guest checkout: a token for a buyer without an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from db.queries.users import UserRow
from domain.errors import SlowDown
from domain.ids import user_id_of
from domain.text_input import email as email_address
from domain.text_input import optional_name
from domain.viewer import GUEST_SUBJECT, Scope, Viewer
from kit.clock import Clock, utc_now
from kit.networks import counted_network
from pubsub.budgets import Budgets
from services.identity.challenges import Challenges
from services.identity.tokens import Tokens

SESSION = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class GuestSession:
    """A guest, and the token that is valid until `expires_at`."""

    token: str
    expires_at: datetime
    user: UserRow


class GuestSessions:
    """Creates guests. A guest lives in the token alone; the first order writes the user.

    Args:
        per_minute: Sessions of one network within a minute, 0 for no such limit.
        private_networks: Whether private addresses are networks with a limit.
    """

    def __init__(
        self,
        tokens: Tokens,
        challenges: Challenges,
        budgets: Budgets,
        *,
        per_minute: int = 0,
        private_networks: bool = True,
        clock: Clock = utc_now,
    ) -> None:
        self._tokens = tokens
        self._challenges = challenges
        self._budgets = budgets
        self._per_minute = per_minute
        self._private_networks = private_networks
        self._clock = clock

    async def create(self, email: str, name: str | None, solution: str | None, address: str) -> GuestSession:
        """Create a guest with a two-hour token for buying; each call creates another guest.

        Raises:
            InvalidInput: The address or the name is malformed.
            ChallengeRequired: The installation asks for a challenge, and the solution is not accepted.
            SlowDown: The network of `address` has created too many guests within this minute.
            Unavailable: Redis does not answer.
        """
        mail = email_address(email, "email")
        guest_name = optional_name(name, "name")
        subject = f"{GUEST_SUBJECT}{uuid4()}"
        viewer = Viewer(user_id_of(subject), subject, mail, guest_name, frozenset({Scope.BUY.value}))
        expires_at = (self._clock() + SESSION).replace(microsecond=0)
        token = self._tokens.mint(viewer, expires_at)
        # In this order, a client that solves nothing cannot use up the sessions of its network.
        await self._challenges.redeem(solution)
        await self._count(address)
        return GuestSession(token, expires_at, UserRow(viewer.user_id, mail, guest_name))

    async def _count(self, address: str) -> None:
        network = counted_network(address, private_networks=self._private_networks)
        if not (self._per_minute and network):
            return
        spending = await self._budgets.spend(f"guest_sessions:{network}", 1, self._per_minute)
        if not spending.fits:
            message = "Too many guests came from your network within this minute; please wait a moment."
            raise SlowDown(spending.reset_seconds, message)

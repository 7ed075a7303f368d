"""Where a fault strikes: the installation, the local Stripe's control, the crowd, and the dice."""

import random
from dataclasses import dataclass
from typing import Any

import httpx

from faults.buyers import Crowd
from faults.house import House
from faults.shop import Shop


@dataclass(slots=True)
class Scene:
    """What a fault may touch."""

    house: House
    shop: Shop
    crowd: Crowd
    dice: random.Random
    client: httpx.AsyncClient
    stored_failures: bool = False
    """Whether Stripe was made to answer 500 to what it had done."""

    async def stripe_fault(self, kind: str, count: int | None = None, **more: Any) -> None:
        """Ask the local Stripe for a fault; see devservices/stripe/injected_faults.py."""
        self.stored_failures = self.stored_failures or kind == "api.error"
        wanted = {"kind": kind, "count": count, **more}
        await self.client.post(f"{self.house.stripe_url}/_control/faults", json=wanted)

    async def heal_stripe(self) -> None:
        """No faults from now on."""
        await self.client.delete(f"{self.house.stripe_url}/_control/faults")

    async def hurry_stripe(self) -> None:
        """What waits at Stripe is due now."""
        await self.client.post(f"{self.house.stripe_url}/_control/hurry", json={})

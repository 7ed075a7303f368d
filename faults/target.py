"""The target of a fault: the installation, the local Stripe's control endpoints, and the workload."""

import random
from dataclasses import dataclass
from typing import Any

import httpx

from faults.buyers import Workload
from faults.client import RecordingClient
from faults.installation import Installation


@dataclass(slots=True)
class Target:
    """Everything that a fault can change."""

    installation: Installation
    api: RecordingClient
    workload: Workload
    rng: random.Random
    client: httpx.AsyncClient
    stored_failures: bool = False
    """Whether Stripe has answered 500 after an operation succeeded."""

    async def stripe_fault(self, kind: str, count: int | None = None, **more: Any) -> None:
        """Injects a fault into the local Stripe; see devservices/stripe/injected_faults.py."""
        self.stored_failures = self.stored_failures or kind == "api.error"
        wanted = {"kind": kind, "count": count, **more}
        await self.client.post(f"{self.installation.stripe_url}/_control/faults", json=wanted)

    async def heal_stripe(self) -> None:
        """Removes all faults from the local Stripe."""
        await self.client.delete(f"{self.installation.stripe_url}/_control/faults")

    async def hurry_stripe(self) -> None:
        """Makes all pending work of the local Stripe due now."""
        await self.client.post(f"{self.installation.stripe_url}/_control/hurry", json={})

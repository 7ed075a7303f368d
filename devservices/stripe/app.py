"""The components of a running local Stripe, and the loop of its background work."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from devservices.stripe import transitions
from devservices.stripe.api import Api
from devservices.stripe.calls import Call
from devservices.stripe.injected_faults import InjectedFaults
from devservices.stripe.ledger import Ledger
from devservices.stripe.store import Store
from devservices.stripe.webhook_sender import WebhookSender

log = logging.getLogger("devservices.stripe")

LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of a local Stripe."""

    public_url: str
    webhook_url: str | None
    webhook_secret: str
    api_key: str | None = None
    later_seconds: float = 1.0
    other_hosts: tuple[str, ...] = ()
    """Names beside loopback's by which requests may ask for it."""


class App:
    """Store, injected faults, API and webhook sender of one local Stripe."""

    def __init__(self, store: Store, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.config = config
        self.clock = clock
        self.faults = InjectedFaults(store)
        self.webhooks = WebhookSender(store, config.webhook_url, config.webhook_secret, clock)
        self.api = Api(store, self.faults, self.ledger, self.wake)

    def ledger(self, call: Call | None = None) -> Ledger:
        """The ledger at this time; events refer to the call that caused them."""
        return Ledger(
            self.store,
            self.faults,
            self.clock(),
            self.config.public_url,
            self.config.later_seconds,
            call.request_id if call else None,
            call.idempotency_key if call else None,
        )

    @contextmanager
    def transaction(self) -> Iterator[Ledger]:
        """One transaction outside the API."""
        with self.store.transaction():
            yield self.ledger()
        self.wake()

    def wake(self) -> None:
        """Wakes the loop because something may be due."""
        self.webhooks.wakeup.set()

    async def run(self) -> None:
        """Runs due transitions and deliveries until cancelled."""
        while True:
            self.webhooks.wakeup.clear()
            try:
                with self.store.transaction():
                    transitions.run_due(self.ledger())
                self.webhooks.start_due()
            except Exception:
                log.exception("a background step failed")
                await asyncio.sleep(1)
            await self._wait_until_due()

    async def _wait_until_due(self) -> None:
        due = [one for one in (transitions.next_due(self.store), self.webhooks.next_due()) if one is not None]
        seconds = min([LONGEST_WAIT_SECONDS, *(one - self.clock() for one in due)])
        try:
            await asyncio.wait_for(self.webhooks.wakeup.wait(), max(seconds, 0))
        except TimeoutError:
            return

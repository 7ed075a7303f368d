"""How long people's data is stored, and the work that ends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.queries.personal_data import accounts_by_id
from db.queries.retention import (
    guests_of_past_events,
    remove_claims,
    remove_idempotency_keys,
    remove_networks,
    remove_queue_entries,
    remove_webhook_ids,
)
from db.session import Database
from domain.idempotency import KEPT
from services.context import reading
from services.identity.personal_data import erase_person


@dataclass(frozen=True, slots=True)
class Retention:
    """Days for each kind of data; 0 stores it for good."""

    guest_days: int = 0
    """Guests, after the last event that they have an order for."""
    queue_days: int = 0
    """Queue entries, after their event."""
    network_days: int = 0
    """The network of an order, after its event."""
    webhook_days: int = 0
    """The ids of webhook events, after they were received."""
    claim_days: int = 0
    """Claims of holds that lapsed or were cancelled, after their event."""


async def remove_outdated(database: Database, retention: Retention, now: datetime) -> int:
    """Remove one batch of each kind, used idempotency keys included, and return how much was removed.

    Raises:
        Unavailable: The database does not answer.
    """
    removed = await reading(remove_idempotency_keys(database, now - KEPT))
    for days, remove in (
        (retention.queue_days, remove_queue_entries),
        (retention.network_days, remove_networks),
        (retention.webhook_days, remove_webhook_ids),
        (retention.claim_days, remove_claims),
        (retention.guest_days, _erase_guests),
    ):
        if days:
            removed += await reading(remove(database, now - timedelta(days=days)))
    return removed


async def _erase_guests(database: Database, before: datetime) -> int:
    erased = 0
    for guest_id in await guests_of_past_events(database, before):
        accounts = await accounts_by_id(database, guest_id)
        erased += (await erase_person(database, accounts, before)).accounts if accounts else 0
    return erased

"""A person's data: found by account or address, exported, and erased."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from db.queries.personal_data import (
    AccountRow,
    InUse,
    PersonalCounts,
    accounts_by_address,
    accounts_by_id,
    delete_accounts,
    in_use,
    lock_accounts,
    move_to_anonymous,
    personal_counts,
    personal_records,
)
from db.session import Database
from domain.errors import InvalidInput, NotFound
from domain.ids import Kind, parse_id, user_id_of
from domain.person import normal_address
from services.context import reading


async def find_accounts(database: Database, *, user: str | None, email: str | None) -> list[AccountRow]:
    """Return the accounts of a person.

    Args:
        user: A public id (usr_...) or the subject of the person's tokens.
        email: An address; guests and signed-in users who gave any form of it are found.

    Raises:
        NotFound: Nothing is stored about such a person.
        Unavailable: The database does not answer.
    """
    if user is not None:
        key = parse_id(user, Kind.USER) if user.startswith(f"{Kind.USER}_") else user_id_of(user)
        found = await reading(accounts_by_id(database, key))
    else:
        found = await reading(accounts_by_address(database, normal_address(email or "")))
    if not found:
        raise NotFound("Nothing is stored about this person.")
    return found


async def export_person(database: Database, accounts: Sequence[AccountRow]) -> dict[str, Any]:
    """Return everything that PostgreSQL stores about accounts, by table.

    Raises:
        Unavailable: The database does not answer.
    """
    ids = [account.id for account in accounts]
    records = await reading(personal_records(database, ids))
    return {"accounts": [asdict(account) for account in accounts], **records}


async def count_person(database: Database, accounts: Sequence[AccountRow]) -> PersonalCounts:
    """Return how much an erasure changes.

    Raises:
        Unavailable: The database does not answer.
    """
    return await reading(personal_counts(database, [account.id for account in accounts]))


async def erase_person(database: Database, accounts: Sequence[AccountRow], now: datetime) -> PersonalCounts:
    """Delete accounts and their queue entries; their orders and past events stay without a person.

    Raises:
        InvalidInput: An unpaid order, a running event or a place in line still needs its owner.
        Unavailable: The database does not answer; nothing was erased.
    """
    return await reading(_erase(database, accounts, now))


async def _erase(database: Database, accounts: Sequence[AccountRow], now: datetime) -> PersonalCounts:
    ids = [account.id for account in accounts]
    async with database.transaction() as connection:
        await lock_accounts(connection, ids)
        _check_unused(await in_use(connection, ids, now))
        counts = await personal_counts(connection, ids)
        for user_id in ids:
            await move_to_anonymous(connection, user_id, uuid4())
        await delete_accounts(connection, ids)
    return counts


def _check_unused(use: InUse) -> None:
    reasons = [
        (use.unpaid_orders, "unpaid orders, which end with their hold"),
        (use.running_events, "events that are neither over nor cancelled"),
        (use.places_in_line, "places in waiting rooms of running sales"),
    ]
    left = [f"{count} {what}" for count, what in reasons if count]
    if left:
        raise InvalidInput(f"Nothing was erased: this person still has {', and '.join(left)}.")

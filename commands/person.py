"""`boxoffice person`: print or erase what is stored about one person."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from commands.configuration import settings_of_running
from commands.output import line
from commands.steps import run
from db.queries.personal_data import AccountRow, PersonalCounts
from db.session import Database
from domain.ids import Kind, public_id
from kit.clock import utc_now
from services.identity.personal_data import count_person, erase_person, export_person, find_accounts

DONE, NOT_CONFIRMED = 0, 1
_KINDS = {
    "accounts": Kind.USER,
    "orders": Kind.ORDER,
    "payments": Kind.PAYMENT,
    "organised_events": Kind.EVENT,
    "user_id": Kind.USER,
    "order_id": Kind.ORDER,
    "event_id": Kind.EVENT,
    "payment_id": Kind.PAYMENT,
}
"""Of a table's own ids, and of columns that name another table's."""


def export(data_dir: str | None, *, user: str | None, email: str | None) -> int:
    """Print everything that is stored about a person as JSON."""
    return run(_with_database(data_dir, _export, user, email))


def erase(data_dir: str | None, *, user: str | None, email: str | None, yes: bool, dry_run: bool) -> int:
    """Erase a person after a confirmation; the exit status is 1 where it was not given."""

    async def work(database: Database, accounts: Sequence[AccountRow]) -> int:
        show(accounts, await count_person(database, accounts))
        if dry_run:
            line("Dry run: nothing was erased.")
            return DONE
        if not yes and not confirmed():
            line("Nothing was erased.")
            return NOT_CONFIRMED
        counts = await erase_person(database, accounts, utc_now())
        line(f"Erased {counts.accounts} accounts; {counts.orders} orders stay without a person.")
        return DONE

    return run(_with_database(data_dir, work, user, email))


async def _with_database(data_dir: str | None, work: Any, user: str | None, email: str | None) -> int:
    settings = settings_of_running(data_dir).require("database_url")
    database = Database(settings.session_url, most=2)
    try:
        status: int = await work(database, await find_accounts(database, user=user, email=email))
        return status
    finally:
        await database.close()


async def _export(database: Database, accounts: Sequence[AccountRow]) -> int:
    records = await export_person(database, accounts)
    readable = {name: [_readable(name, row) for row in rows] for name, rows in records.items()}
    line(json.dumps(readable, ensure_ascii=False, indent=2))
    return DONE


def show(accounts: Sequence[AccountRow], counts: PersonalCounts) -> None:
    """Print whose data it is and how much."""
    for account in accounts:
        kind = "guest" if account.guest else "user"
        line(f"{public_id(Kind.USER, account.id)} {kind} {account.email or '-'} {account.name or '-'}")
    line(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in asdict(counts).items()))


def confirmed() -> bool:
    """Ask on the terminal; without one there is no confirmation."""
    if not sys.stdin.isatty():
        line("Give --yes to erase without a question.")
        return False
    return input("Erase all of this for ever? Type yes: ").strip().lower() == "yes"


def _readable(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(table, name, value) for name, value in row.items()}


def _value(table: str, name: str, value: object) -> object:
    if isinstance(value, UUID):
        kind = _KINDS.get(table if name == "id" else name)
        return public_id(kind, value) if kind else str(value)
    return value.isoformat() if isinstance(value, datetime) else value

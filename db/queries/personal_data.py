"""What is stored about a person: read for an export, made anonymous by an erasure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.queries.columns import columns_of
from db.session import Connection, Database
from domain.person import normal_address

Source = Database | Connection

# As domain.person.normal_address writes it, where all letters are ASCII; it judges the others itself.
_MAY_BE_ADDRESS = (
    r"regexp_replace(lower(email), '^([^@+]+)\+[^@]*@', '\1@') = $1 OR email ~* '[^\x01-\x7f]|xn--'"
)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of `users`."""

    id: UUID
    subject: str
    email: str | None
    name: str | None
    guest: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InUse:
    """What still needs the accounts, each as a number."""

    unpaid_orders: int
    running_events: int
    places_in_line: int


@dataclass(frozen=True, slots=True)
class PersonalCounts:
    """The rows that belong to accounts."""

    accounts: int
    orders: int
    events: int
    queue_entries: int


async def accounts_by_id(source: Source, user_id: UUID) -> list[AccountRow]:
    """The account with this id; a list of at most one."""
    return await _accounts(source, "id = $1", user_id)


async def accounts_by_address(source: Source, wanted: str) -> list[AccountRow]:
    """The accounts of guests and of signed-in users with an address, in whatever form they gave it."""
    found = await _accounts(source, _MAY_BE_ADDRESS, wanted)
    return [account for account in found if normal_address(account.email or "") == wanted]


async def _accounts(source: Source, condition: str, argument: object) -> list[AccountRow]:
    columns = columns_of(AccountRow)
    records = await source.fetch(
        f"SELECT {columns} FROM users WHERE {condition} ORDER BY created_at, id", argument
    )
    return [AccountRow(*record) for record in records]


async def personal_counts(source: Source, ids: Sequence[UUID]) -> PersonalCounts:
    """How much belongs to accounts."""
    record = await source.fetchrow(
        "SELECT (SELECT count(*) FROM users WHERE id = ANY($1)),"
        " (SELECT count(*) FROM orders WHERE user_id = ANY($1)),"
        " (SELECT count(*) FROM events WHERE organiser_id = ANY($1)),"
        " (SELECT count(*) FROM queue_entries WHERE user_id = ANY($1))",
        list(ids),
    )
    assert record is not None, "counts are one row"
    return PersonalCounts(*record)


async def in_use(source: Source, ids: Sequence[UUID], now: datetime) -> InUse:
    """What cannot be cut off from its owner yet."""
    record = await source.fetchrow(
        "SELECT (SELECT count(*) FROM orders WHERE user_id = ANY($1) AND state IN ('RESERVED', 'PAYING')),"
        " (SELECT count(*) FROM events WHERE organiser_id = ANY($1) AND state <> 'CANCELLED'"
        "  AND coalesce(ends_at, starts_at) > $2),"
        " (SELECT count(*) FROM queue_entries entry JOIN events ON events.id = entry.event_id"
        "  WHERE entry.user_id = ANY($1) AND entry.state IN ('W', 'A') AND events.waiting_room_enabled"
        "  AND events.state <> 'CANCELLED' AND coalesce(ends_at, starts_at) > $2)",
        list(ids),
        now,
    )
    assert record is not None, "counts are one row"
    return InUse(*record)


async def personal_records(source: Source, ids: Sequence[UUID]) -> dict[str, list[dict[str, Any]]]:
    """What belongs to accounts, by table, each row as a dict."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, statement in _RECORDS.items():
        found[name] = [dict(record) for record in await source.fetch(statement, list(ids))]
    return found


_RECORDS = {
    "orders": "SELECT orders.*, events.name AS event FROM orders JOIN events ON events.id = event_id"
    " WHERE user_id = ANY($1) ORDER BY orders.created_at, orders.id",
    "tickets": "SELECT claims.* FROM claims JOIN orders ON orders.id = order_id"
    " WHERE user_id = ANY($1) ORDER BY claims.id",
    "payments": "SELECT payments.* FROM payments JOIN orders ON orders.id = order_id"
    " WHERE user_id = ANY($1) ORDER BY payments.created_at, payments.id",
    "refunds": "SELECT refunds.* FROM refunds JOIN payments ON payments.id = payment_id"
    " JOIN orders ON orders.id = order_id WHERE user_id = ANY($1) ORDER BY refunds.created_at, refunds.id",
    "disputes": "SELECT disputes.* FROM disputes JOIN payments ON payments.id = payment_id"
    " JOIN orders ON orders.id = order_id WHERE user_id = ANY($1) ORDER BY disputes.created_at, disputes.id",
    "queue_entries": "SELECT * FROM queue_entries WHERE user_id = ANY($1) ORDER BY event_id, user_id",
    "idempotency_keys": "SELECT operation, key, created_at FROM idempotency_keys"
    " WHERE user_id = ANY($1) ORDER BY created_at, key",
    "organised_events": "SELECT id, name, state, starts_at FROM events"
    " WHERE organiser_id = ANY($1) ORDER BY id",
}


async def lock_accounts(connection: Connection, ids: Sequence[UUID]) -> None:
    """Keep other transactions from writing orders of these accounts until this one ends."""
    await connection.fetch("SELECT id FROM users WHERE id = ANY($1) ORDER BY id FOR UPDATE", list(ids))


async def move_to_anonymous(connection: Connection, user_id: UUID, anonymous_id: UUID) -> None:
    """Give the orders and events of an account to a new one that nothing connects with a person.

    What the buyer wrote or what was derived from them (keys, network, admission, reasons of refunds that
    were sent, the names of tickets' holders) goes; totals, tickets and payments stay.
    """
    await connection.execute(
        "INSERT INTO users (id, subject) SELECT $2::uuid, 'erased:' || $2::uuid::text"
        " WHERE EXISTS (SELECT FROM orders WHERE user_id = $1)"
        " OR EXISTS (SELECT FROM events WHERE organiser_id = $1)",
        user_id,
        anonymous_id,
    )
    await _forget_details(connection, user_id)
    await connection.execute(
        "UPDATE orders SET user_id = $2, idempotency_key = NULL, input_hash = NULL, admission_jti = NULL,"
        " person_key = NULL, address_key = NULL, network = NULL WHERE user_id = $1",
        user_id,
        anonymous_id,
    )
    await connection.execute(
        "UPDATE events SET organiser_id = $2 WHERE organiser_id = $1", user_id, anonymous_id
    )


async def _forget_details(connection: Connection, user_id: UUID) -> None:
    """Remove from an account's payments, refunds, card attempts and tickets what names or knows the buyer."""
    await connection.execute(
        "UPDATE payments SET idempotency_key = NULL, input_hash = NULL"
        " FROM orders WHERE orders.id = order_id AND user_id = $1",
        user_id,
    )
    await connection.execute(
        "UPDATE refunds SET reason = NULL FROM payments JOIN orders ON orders.id = order_id"
        " WHERE payments.id = payment_id AND user_id = $1 AND refunds.state <> 'DECIDED'",
        user_id,
    )
    await connection.execute(
        "UPDATE card_attempts SET person_key = NULL, network = NULL"
        " FROM orders WHERE orders.id = order_id AND user_id = $1",
        user_id,
    )
    await connection.execute(
        "UPDATE claims SET holder_name = NULL, holder_email = NULL"
        " FROM orders WHERE orders.id = order_id AND user_id = $1"
        " AND (holder_name IS NOT NULL OR holder_email IS NOT NULL)",
        user_id,
    )


async def delete_accounts(connection: Connection, ids: Sequence[UUID]) -> None:
    """Delete accounts that own nothing any more, with their queue entries and their idempotency keys."""
    await connection.execute("DELETE FROM queue_entries WHERE user_id = ANY($1)", list(ids))
    await connection.execute("DELETE FROM idempotency_keys WHERE user_id = ANY($1)", list(ids))
    await connection.execute("DELETE FROM users WHERE id = ANY($1)", list(ids))

"""Orders and their claims."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db.queries.columns import columns_of
from db.queries.pages import TimePage, binder
from db.session import Connection, Database
from db.sql import statement
from db.violations import LimitReached, violations_by_constraint
from domain.states import SalesChannel, TicketLimit, check_transitions
from domain.ticket_limits import LimitKeys
from kit.ids import new_uuid

Source = Database | Connection


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as stored; amounts are minor units of `currency`."""

    id: UUID
    reference: str
    event_id: UUID
    user_id: UUID
    state: str
    currency: str
    subtotal_minor: int
    fees_minor: int
    total_minor: int
    idempotency_key: str | None
    input_hash: str | None
    expires_at: datetime
    extended: bool
    admission_jti: str | None
    created_at: datetime
    updated_at: datetime
    booked_at: datetime | None = None
    channel: str = SalesChannel.WEB


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim of an order, live or ended."""

    order_id: UUID
    event_id: UUID
    place: int
    state: str
    price_level: int
    price_minor: int
    fee_minor: int
    ticket_id: UUID = field(default_factory=new_uuid)
    refund_id: UUID | None = None
    generation: int = 1
    holder_name: str | None = None
    holder_email: str | None = None


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to insert, with its buyer and its claims."""

    row: OrderRow
    subject: str
    email: str | None
    name: str | None
    claims: tuple[ClaimRow, ...]
    keys: LimitKeys = field(default_factory=LimitKeys)
    unpaid_per_network: int = 0
    """The most unpaid tickets of its network, where `keys` names one."""

    def with_reference(self, reference: str) -> "NewOrder":
        """The same order under another reference."""
        return replace(self, row=replace(self.row, reference=reference))


_ORDER = columns_of(OrderRow)


async def order_by_id(source: Source, order_id: UUID) -> OrderRow | None:
    """One order."""
    row = await source.fetchrow(f"SELECT {_ORDER} FROM orders WHERE id = $1", order_id)
    return OrderRow(**row) if row else None


async def order_by_reference(source: Source, reference: str) -> OrderRow | None:
    """The order with a reference, as `domain.references` writes it."""
    row = await source.fetchrow(f"SELECT {_ORDER} FROM orders WHERE reference = $1", reference)
    return OrderRow(**row) if row else None


async def lock_order(connection: Connection, order_id: UUID) -> OrderRow | None:
    """One order, locked until the transaction ends."""
    row = await connection.fetchrow(f"SELECT {_ORDER} FROM orders WHERE id = $1 FOR UPDATE", order_id)
    return OrderRow(**row) if row else None


async def lock_booked_orders(connection: Connection, order_ids: Sequence[UUID]) -> list[UUID]:
    """Lock the booked ones of these orders that nobody else has locked, until the transaction ends."""
    rows = await connection.fetch(
        """
        SELECT id FROM orders WHERE id = ANY ($1) AND state = 'BOOKED' ORDER BY id FOR UPDATE SKIP LOCKED
        """,
        list(order_ids),
    )
    return [row["id"] for row in rows]


async def orders_of_user(source: Source, user_id: UUID, page: TimePage) -> list[OrderRow]:
    """A page of a user's orders, newest first."""
    arguments: list[Any] = [user_id, page.most]
    limits = page.conditions("created_at", "id", binder(arguments), descending=True)
    rows = await source.fetch(
        f"""
        SELECT {_ORDER} FROM orders WHERE {" AND ".join(["user_id = $1", *limits])}
        ORDER BY {page.order("created_at", "id", descending=True)} LIMIT $2
        """,
        *arguments,
    )
    return page.in_order([OrderRow(**row) for row in rows])


async def count_orders_of_user(source: Source, user_id: UUID) -> int:
    """The number of a user's orders."""
    return int(await source.fetchval("SELECT count(*) FROM orders WHERE user_id = $1", user_id))


async def claims_of_orders(source: Source, order_ids: Sequence[UUID]) -> list[ClaimRow]:
    """The claims of many orders, live and ended, by place."""
    rows = await source.fetch(
        f"SELECT {columns_of(ClaimRow)} FROM claims WHERE order_id = ANY ($1) ORDER BY order_id, place",
        list(order_ids),
    )
    return [ClaimRow(**row) for row in rows]


async def claim_by_ticket(source: Source, ticket_id: UUID) -> ClaimRow | None:
    """The claim that has this ticket."""
    row = await source.fetchrow(
        f"SELECT {columns_of(ClaimRow)} FROM claims WHERE ticket_id = $1 AND order_id IS NOT NULL", ticket_id
    )
    return ClaimRow(**row) if row else None


async def place_orders(source: Source, orders: Sequence[NewOrder]) -> list[int | LimitReached]:
    """Insert orders with their claims, all or nothing; see db/sql/place_orders.sql.

    Returns the number of claims of each: 0 where it existed already, or its event is not published. An order
    that a limit refused has a LimitReached instead; it may fit alone where earlier orders were refused too.

    Raises:
        PlaceTaken: a place of one of them has another live claim.
        ReferenceTaken: another order has the reference of one of them.
    """
    written: list[int | LimitReached] = [0] * len(orders)
    with violations_by_constraint():
        rows = await source.fetch(statement("place_orders"), *_columns(orders))
    for number, claims, reached, most, have, own in rows:
        written[number - 1] = claims
        if reached is not None:
            of_network = reached == TicketLimit.NETWORK
            written[number - 1] = LimitReached(of_network=of_network, most=most, have=have, own=own)
    return written


async def lock_buyer(connection: Connection, order: NewOrder) -> None:
    """Take the locks of an order's person and network, before any lock of a row."""
    row = order.row
    await connection.fetch(
        "SELECT FROM count_live_tickets($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6)",
        *([value] for value in (row.event_id, row.user_id, *_buyer_columns(order))),
        row.created_at,
    )


def _buyer_columns(order: NewOrder) -> tuple[UUID | None, UUID | None, str | None]:
    return order.keys.person, order.keys.address, order.keys.network


def _earlier_tickets(orders: Sequence[NewOrder]) -> list[tuple[int, int]]:
    """The tickets of each order's person and network in the orders before it."""
    of_person: Counter[tuple[UUID, UUID]] = Counter()
    of_network: Counter[tuple[UUID, str]] = Counter()
    earlier = []
    for order in orders:
        event_id, (person, address, network) = order.row.event_id, _buyer_columns(order)
        persons = [(event_id, key) for key in (person, address) if key is not None]
        networks = [(event_id, network)] if network is not None else []
        earlier.append(
            (max((of_person[key] for key in persons), default=0), sum(of_network[key] for key in networks))
        )
        of_person.update(dict.fromkeys(persons, len(order.claims)))
        of_network.update(dict.fromkeys(networks, len(order.claims)))
    return earlier


def _columns(orders: Sequence[NewOrder]) -> list[list[Any]]:
    """The arguments of place_orders.sql: an array for each column of the orders, then of their claims."""
    rows = [
        (
            new.row.id,
            new.row.event_id,
            new.row.user_id,
            new.subject,
            new.email,
            new.name,
            new.row.reference,
            new.row.currency,
            new.row.subtotal_minor,
            new.row.fees_minor,
            new.row.idempotency_key,
            new.row.input_hash,
            new.row.expires_at,
            new.row.created_at,
            new.row.admission_jti,
            *_buyer_columns(new),
            new.unpaid_per_network,
            len(new.claims),
            *earlier,
        )
        for new, earlier in zip(orders, _earlier_tickets(orders), strict=True)
    ]
    claims = [
        (number, claim.place, claim.price_level, claim.price_minor, claim.fee_minor, claim.ticket_id)
        for number, new in enumerate(orders, 1)
        for claim in new.claims
    ]
    return [list(column) for column in (*zip(*rows, strict=True), *zip(*claims, strict=True))]


async def set_order_state(
    connection: Connection, order_id: UUID, state: str, *, leaving: Sequence[str], now: datetime
) -> bool:
    """Set an order's state where it is in one of the states `leaving`; returns whether it was.

    Raises:
        ValueError: `ORDER_TRANSITIONS` does not have this transition.
    """
    check_transitions(leaving, state)
    tag = await connection.execute(
        """
        UPDATE orders SET state = $2, updated_at = $4,
          booked_at = CASE WHEN $2 = 'BOOKED' THEN $4 ELSE booked_at END
        WHERE id = $1 AND state = ANY ($3)
        """,
        order_id,
        state,
        list(leaving),
        now,
    )
    return bool(tag == "UPDATE 1")


async def touch_order(connection: Connection, order_id: UUID, now: datetime) -> None:
    """Lock an order and note that something of it changed besides its state, such as a refund."""
    await connection.execute("UPDATE orders SET updated_at = $2 WHERE id = $1", order_id, now)


async def extend_order(connection: Connection, order_id: UUID, deadline: datetime, now: datetime) -> None:
    """Set a RESERVED order to PAYING and move its deadline, once."""
    await connection.execute(
        """
        UPDATE orders SET state = 'PAYING', expires_at = $2, extended = true, updated_at = $3
        WHERE id = $1 AND state = 'RESERVED' AND NOT extended
        """,
        order_id,
        deadline,
        now,
    )


async def book_claims(connection: Connection, order_id: UUID, now: datetime) -> int:
    """Set an order's held claims to BOOKED, which issues their tickets; returns how many."""
    tag = await connection.execute(
        "UPDATE claims SET state = 'BOOKED', issued_at = $2 WHERE order_id = $1 AND state = 'HELD'",
        order_id,
        now,
    )
    return int(tag.split()[1])


async def end_claims(
    connection: Connection,
    order_ids: Sequence[UUID],
    places: Sequence[int] | None = None,
    refund_id: UUID | None = None,
) -> list[int]:
    """End the live claims of orders, or only those on `places`; returns the places that they freed.

    `refund_id` is the refund that pays for them.
    """
    rows = await connection.fetch(
        """
        UPDATE claims SET state = 'ENDED', refund_id = $3
        WHERE order_id = ANY ($1) AND state <> 'ENDED' AND ($2::int[] IS NULL OR place = ANY ($2))
        RETURNING place
        """,
        list(order_ids),
        None if places is None else list(places),
        refund_id,
    )
    return [row["place"] for row in rows]


async def end_lapsed_on_places(
    connection: Connection, event_id: UUID, places: Sequence[int], now: datetime
) -> list[UUID]:
    """Expire the lapsed orders that hold these places, and end their claims; returns the orders."""
    rows = await connection.fetch(statement("end_lapsed_on_places"), event_id, list(places), now)
    ended = [row["id"] for row in rows]
    if ended:
        await end_claims(connection, ended)
    return ended


async def expire_orders(connection: Connection, now: datetime, most: int) -> list[tuple[UUID, UUID]]:
    """Expire RESERVED orders past their deadline and end their claims; returns (order, event) pairs."""
    rows = await connection.fetch(statement("expire_orders"), now, most)
    if rows:
        await end_claims(connection, [row["id"] for row in rows])
    return [(row["id"], row["event_id"]) for row in rows]


async def lapsed_orders_with_payment(source: Source, now: datetime, most: int) -> list[UUID]:
    """Orders with a payment past their deadline, oldest first; the gateway is asked before they end."""
    rows = await source.fetch(
        """
        SELECT id FROM orders
        WHERE expires_at <= $1 AND (
          state = 'PAYING'
          OR state = 'RESERVED' AND EXISTS (SELECT FROM payments WHERE payments.order_id = orders.id)
        )
        ORDER BY expires_at LIMIT $2
        """,
        now,
        most,
    )
    return [row["id"] for row in rows]


async def cancelled_events_with_orders(source: Source) -> list[UUID]:
    """Cancelled events with a live order that was placed during the cancellation."""
    rows = await source.fetch(
        """
        SELECT DISTINCT event_id FROM orders JOIN events ON events.id = event_id
        WHERE orders.state IN ('RESERVED', 'PAYING') AND events.state = 'CANCELLED'
        """
    )
    return [row["event_id"] for row in rows]


async def live_orders_of_event(source: Source, event_id: UUID, most: int) -> list[OrderRow]:
    """The first orders of an event that still have claims, in the order of the index that has only these."""
    rows = await source.fetch(
        f"""
        SELECT {_ORDER} FROM orders
        WHERE event_id = $1 AND state IN ('RESERVED', 'PAYING', 'BOOKED')
        ORDER BY state, created_at, id LIMIT $2
        """,
        event_id,
        most,
    )
    return [OrderRow(**row) for row in rows]

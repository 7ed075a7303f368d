"""Orders and users; viewers see their own."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.events import EventRow
from db.queries.orders import (
    OrderRow,
    count_orders_of_user,
    order_by_id,
    orders_of_user,
)
from db.queries.payments import PaymentRow
from db.queries.users import UserRow, users_by_id
from domain.ids import Kind, public_id
from domain.money import Money
from domain.states import OrderState
from domain.viewer import Scope, Viewer
from resolvers.connections import Connection, PageArguments, connect, time_cursor
from resolvers.context import RequestContext
from resolvers.events import requested_id
from services.identity.authorisation import buyer_of, order_reader_of
from services.ordering.next_step import NextStep, next_step

_LISTING = "orders"
_HOLDING = frozenset({OrderState.RESERVED.value, OrderState.PAYING.value})


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order at a time: a hold whose deadline has passed is shown as EXPIRED at once."""

    row: OrderRow
    now: datetime

    @property
    def public_id(self) -> str:
        """E.g. ord_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.ORDER, self.row.id)

    @property
    def reference(self) -> str:
        """The short name that people use."""
        return self.row.reference

    @property
    def lapsed(self) -> bool:
        """Whether an unpaid hold is past its deadline. A payment under way ends at the gateway first."""
        return self.row.state == OrderState.RESERVED and self.now >= self.row.expires_at

    @property
    def status(self) -> str:
        """The state at `now`."""
        return OrderState.EXPIRED.value if self.lapsed else self.row.state

    @property
    def subtotal(self) -> Money:
        """The tickets without fees."""
        return Money(self.row.subtotal_minor, self.row.currency)

    @property
    def fees(self) -> Money:
        """All fees."""
        return Money(self.row.fees_minor, self.row.currency)

    @property
    def total(self) -> Money:
        """The tickets with fees."""
        return Money(self.row.total_minor, self.row.currency)

    @property
    def created_at(self) -> datetime:
        """The time at which the seats were held."""
        return self.row.created_at

    @property
    def updated_at(self) -> datetime:
        """The time of the last change of its state or its refunds; of an unpaid hold's end by the clock."""
        return self.row.expires_at if self.lapsed else self.row.updated_at

    @property
    def booked_at(self) -> datetime | None:
        """The time at which it was booked."""
        return self.row.booked_at

    @property
    def channel(self) -> str:
        """Where it was made."""
        return self.row.channel

    @property
    def expires_at(self) -> datetime | None:
        """The deadline of the hold; None when nothing is held."""
        return self.row.expires_at if self.status in _HOLDING else None


@dataclass(frozen=True, slots=True)
class BuyerView:
    """Whom an order is for."""

    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment of an order."""

    row: PaymentRow
    order: OrderView

    @property
    def public_id(self) -> str:
        """E.g. pay_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.PAYMENT, self.row.id)

    @property
    def status(self) -> str:
        """Where the money is."""
        return self.row.state

    @property
    def amount(self) -> Money:
        """The order's total."""
        return Money(self.row.amount_minor, self.row.currency)

    @property
    def failure_code(self) -> str | None:
        """Why the last card was declined."""
        return self.row.failure_code


def order_view(context: RequestContext, row: OrderRow) -> OrderView:
    """Return an order at the present time, or at the request's start if that is later."""
    return OrderView(row, max(context.now, context.services.clock()))


def order_reader(context: RequestContext) -> Viewer | None:
    """Return the viewer, if they may read orders at all; None without a token.

    Raises:
        Forbidden: the token has neither the scope buy nor the scope organise.
    """
    return None if context.viewer is None else order_reader_of(context.viewer)


async def visible_order(context: RequestContext, order_id: UUID) -> OrderView | None:
    """Return an order that the viewer may read: their own, or one for their own event; None for others.

    Raises:
        Forbidden: as `order_reader`.
    """
    viewer = order_reader(context)
    row = None if viewer is None else await order_by_id(context.services.database, order_id)
    if viewer is None or row is None:
        return None
    if Scope.BUY in viewer.scopes and row.user_id == viewer.user_id:
        return order_view(context, row)
    if Scope.ORGANISE not in viewer.scopes:
        return None
    event = await context.loaders.events.load(row.event_id)
    return order_view(context, row) if event is not None and event.organiser_id == viewer.user_id else None


async def order_by_public_id(context: RequestContext, text: str) -> OrderView | None:
    """The order with a public id, as `visible_order`; None for nobody."""
    return await visible_order(context, requested_id(text, Kind.ORDER))


async def event_of(context: RequestContext, order: OrderView) -> EventRow:
    """Return the event of an order."""
    event = await context.loaders.events.load(order.row.event_id)
    assert event is not None, "a foreign key holds the event"
    return event


async def buyer_of_order(context: RequestContext, order: OrderView) -> BuyerView:
    """Return the person an order is for; without name and address once they were erased."""
    user = await context.loaders.users.load(order.row.user_id)
    return BuyerView(None, None) if user is None else BuyerView(user.name, user.email)


async def payment_of(context: RequestContext, order: OrderView) -> PaymentView | None:
    """Return an order's payment; None before it has started."""
    payment = await context.loaders.payments.load(order.row.id)
    return None if payment is None else PaymentView(payment, order)


async def next_step_of(context: RequestContext, payment: PaymentView) -> NextStep | None:
    """Return the next step of a payment that waits for its buyer; None to everybody else.

    Raises:
        Unavailable: the gateway does not answer.
    """
    viewer, order = context.viewer, payment.order.row
    if viewer is None or viewer.user_id != order.user_id or Scope.BUY not in viewer.scopes:
        return None
    return await next_step(context.services, order, payment.row)


def user_of(viewer: Viewer) -> UserRow:
    """Return the viewer as a user, from the token: a user who has not bought yet has no row."""
    return UserRow(viewer.user_id, viewer.email, viewer.name)


async def user_by_id(context: RequestContext, user_id: UUID) -> UserRow | None:
    """Return the viewer, if the id is theirs: viewers cannot read another's name and address."""
    viewer = context.viewer
    if viewer is None or viewer.user_id != user_id:
        return None
    if viewer.email is None and viewer.name is None:
        return (await users_by_id(context.services.database, [user_id])).get(user_id, user_of(viewer))
    return user_of(viewer)


async def me(context: RequestContext) -> UserRow | None:
    """Return the viewer; None without a token."""
    return None if context.viewer is None else await user_by_id(context, context.viewer.user_id)


async def orders_of(context: RequestContext, user: UserRow, page: PageArguments) -> Connection[OrderView]:
    """Return a page of the user's orders, newest first.

    Raises:
        Forbidden: the token lacks the scope buy. Without a token only a guest of this very request is seen.
    """
    if context.viewer is not None:
        buyer_of(context.viewer)
    database = context.services.database
    rows = await orders_of_user(database, user.id, page.by_time(_LISTING))

    def count() -> Awaitable[int]:
        return count_orders_of_user(database, user.id)

    def cursor_of(order: OrderView) -> str:
        return time_cursor(_LISTING, order.row.created_at, order.row.id)

    views = [order_view(context, row) for row in rows]
    return connect(views, page.size(), cursor_of, count, page)

"""Orders, their payments and their users."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from domain.price_lines import PriceLine as OrderLine
from domain.states import OrderState, PaymentState
from resolvers import events as resolve_events
from resolvers import orders as resolve
from resolvers.connections import Connection, PageArguments
from resolvers.disputes import DisputeView, dispute_of
from resolvers.orders import BuyerView, OrderView, PaymentView
from resolvers.refunds import RefundView, lines_of, refunded_of, refunds_of, tickets_of_refund
from resolvers.tickets import TicketDocuments as TicketDocumentsView
from resolvers.tickets import TicketView, code_of_ticket, documents_of_ticket, tickets_of
from resolvers.views import EventRow, NextStep, UserRow
from schema.context import Info
from schema.enums import DisputeStatus, PriceLineKind, RefundStatus, SalesChannel, TicketStatus
from schema.events import Event, EventConnection
from schema.fields import BEFORE, LAST, OWN_ID, field
from schema.layouts import Seat, Section
from schema.nodes import Money, MoneyAmount, Node, PageInfo


@strawberry.type(
    description="What a buyer does next so that the payment goes on. Secret: it is good for "
    "the payment of this order alone"
)
class PaymentStep:
    client_secret: str = strawberry.field(
        description="For Stripe.js: to give a card, or to answer the bank (handleNextAction)"
    )
    redirect_url: str | None = strawberry.field(
        description="The bank's page (3-D Secure), which comes back to the order's page; null without one"
    )


@strawberry.type(description="How an order is paid: one payment, however many cards are tried")
class Payment:
    public_id: strawberry.ID = strawberry.field(name="id", description=OWN_ID)
    status: PaymentState = strawberry.field(description="Where the money is")
    amount: Money = strawberry.field(description="The order's total")
    failure_code: str | None = strawberry.field(
        description="Why the last card was declined, in the gateway's words"
    )

    @field(
        graphql_type=PaymentStep | None,
        description="While the payment waits for its buyer, after a reload too; null otherwise, and to "
        "everybody but the buyer. Read from the payment gateway",
    )
    @staticmethod
    async def next_step(root: strawberry.Parent[PaymentView], info: Info) -> NextStep | None:
        return await resolve.next_step_of(info.context, root)


@strawberry.type(
    description="Addresses that need no other sign-in: each carries its own secret and ends with the "
    "ticket's generation"
)
class TicketDocuments:
    pdf_url: str = strawberry.field(description="One page, to print or show")
    qr_url: str = strawberry.field(description="The entry code as a QR code, SVG")
    calendar_url: str = strawberry.field(description="The event for a calendar, iCalendar")
    apple_wallet_url: str | None = strawberry.field(description="A pass; null where passes are not set up")
    google_wallet_url: str | None = strawberry.field(description="A link; null where it is not set up")


@strawberry.type(
    description="What one order has of a place. Its id is its own for ever: a place that is sold again "
    "gets a new ticket. Its buyer and the event's organiser see it"
)
class Ticket(Node):
    order: Annotated["Order", strawberry.lazy("schema.orders")] | None = strawberry.field(
        description="Null to readers whom the order does not concern"
    )
    event: Event = strawberry.field(description="What it is for")
    section: Section = strawberry.field(description="Where in the house")
    seat: Seat | None = strawberry.field(description="Null in general admission")
    place_id: strawberry.ID = strawberry.field(description="The Place that it stands for")
    price: Money = strawberry.field(description="What is paid for it, without the fee")
    fee: Money = strawberry.field(description="What is added to its price")
    status: TicketStatus = strawberry.field(description="At this moment; an unpaid hold ends by the clock")
    generation: int = strawberry.field(
        description="Rises whenever the ticket is issued anew; a code of an earlier generation is void"
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, TicketView)

    @field(
        description="What a scanner reads, signed and checkable without a network. Null unless ISSUED. "
        "Secret: the first person who shows it is let in"
    )
    @staticmethod
    def code(root: strawberry.Parent[TicketView], info: Info) -> str | None:
        return code_of_ticket(info.context, root)

    @field(
        graphql_type=TicketDocuments | None,
        description="Null unless ISSUED. Secret: the addresses need no other sign-in",
    )
    @staticmethod
    def documents(root: strawberry.Parent[TicketView], info: Info) -> TicketDocumentsView | None:
        return documents_of_ticket(info.context, root)


@strawberry.type(description="Whom an order is for; null once the person was erased")
class Buyer:
    name: str | None = strawberry.field(description="As the buyer's token said")
    email: str | None = strawberry.field(description="As the buyer's token said")


@strawberry.type(description="Money that goes back to the buyer")
class Refund:
    public_id: strawberry.ID = strawberry.field(name="id", description=OWN_ID)
    amount: Money = strawberry.field(description="Fees included")
    status: RefundStatus = strawberry.field(description="What has become of it")
    reason: str | None = strawberry.field(
        description="What the organiser wrote; of a refund made by hand, the gateway's word for it"
    )
    created_at: datetime = strawberry.field(description="When it was decided")

    @field(
        graphql_type=list[Ticket],
        description="The tickets that it pays back; empty where it was made at the payment gateway by hand",
    )
    @staticmethod
    async def tickets(root: strawberry.Parent[RefundView], info: Info) -> Sequence[TicketView]:
        return await tickets_of_refund(info.context, root)


@strawberry.type(
    description="A cardholder asks the bank for the money back. It is answered at the payment gateway"
)
class Dispute:
    gateway_id: str = strawberry.field(description="The payment gateway's id of it")
    status: DisputeStatus = strawberry.field(description="Where it stands; one that is won is not shown")
    amount: Money = strawberry.field(description="What the cardholder wants back")
    reason: str = strawberry.field(description="The cardholder's reason, in the gateway's words")
    respond_by: datetime | None = strawberry.field(
        description="When an answer is due at the gateway; null once the bank has decided"
    )
    created_at: datetime = strawberry.field(description="When it began")


@strawberry.type(description="A part of an order's total")
class PriceLine:
    kind: PriceLineKind = strawberry.field(description="What it is for")
    name: str = strawberry.field(description="The price level's name, or what is charged beside it")
    amount: Money = strawberry.field(description="Of all tickets of the line together")


@strawberry.type(description="A purchase, from the hold on. Its buyer and the event's organiser see it")
class Order(Node):
    reference: str = strawberry.field(description="Short and readable, for people")
    status: OrderState = strawberry.field(description="At this moment; an unpaid hold ends by the clock")
    subtotal: Money = strawberry.field(description="The tickets without fees")
    fees: Money = strawberry.field(description="All fees")
    total: Money = strawberry.field(description="Subtotal and fees")
    created_at: datetime = strawberry.field(description="When the places were held")
    expires_at: datetime | None = strawberry.field(
        description="When the hold lapses; null once nothing is held"
    )
    booked_at: datetime | None = strawberry.field(description="When it was booked; null before")
    updated_at: datetime = strawberry.field(description="The last change of its status or its refunds")
    channel: SalesChannel = strawberry.field(description="Where it was made")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, OrderView)

    @field(graphql_type=Event, description="What it is for")
    @staticmethod
    async def event(root: strawberry.Parent[OrderView], info: Info) -> EventRow:
        return await resolve.event_of(info.context, root)

    @field(
        graphql_type=list[Ticket],
        description="Every ticket of the order, those given back or refunded included: Ticket.status tells",
    )
    @staticmethod
    async def tickets(root: strawberry.Parent[OrderView], info: Info) -> Sequence[TicketView]:
        return await tickets_of(info.context, root)

    @field(graphql_type=Buyer, description="The person it is for")
    @staticmethod
    async def buyer(root: strawberry.Parent[OrderView], info: Info) -> BuyerView:
        return await resolve.buyer_of_order(info.context, root)

    @field(graphql_type=list[Refund], description="Oldest first, with those made at the gateway by hand")
    @staticmethod
    async def refunds(root: strawberry.Parent[OrderView], info: Info) -> Sequence[RefundView]:
        return await refunds_of(info.context, root)

    @field(graphql_type=Money, description="The sum of the refunds, without those that failed")
    @staticmethod
    async def refunded(root: strawberry.Parent[OrderView], info: Info) -> MoneyAmount:
        return await refunded_of(info.context, root)

    @field(
        graphql_type=list[PriceLine],
        description="What makes up the total, a line each; the lines add up to it",
    )
    @staticmethod
    async def lines(root: strawberry.Parent[OrderView], info: Info) -> Sequence[OrderLine]:
        return await lines_of(info.context, root)

    @field(
        graphql_type=Dispute | None,
        description="For the event's organiser; null to everybody else, without one, and once it is won",
    )
    @staticmethod
    async def dispute(root: strawberry.Parent[OrderView], info: Info) -> DisputeView | None:
        return await dispute_of(info.context, root)

    @field(graphql_type=Payment | None, description="Null before `pay`")
    @staticmethod
    async def payment(root: strawberry.Parent[OrderView], info: Info) -> PaymentView | None:
        return await resolve.payment_of(info.context, root)


@strawberry.type(description="An order on a page")
class OrderEdge:
    node: Order = strawberry.field(description="The order")
    cursor: str = strawberry.field(description="Where it stands, to pass as `after`")


@strawberry.type(description="A page of orders (Relay)")
class OrderConnection:
    edges: list[OrderEdge] = strawberry.field(description="The orders of this page")
    page_info: PageInfo = strawberry.field(description="How to go on")

    @field(description="How many there are in all; counted only when asked for")
    @staticmethod
    async def total_count(root: strawberry.Parent[Connection[OrderView]]) -> int:
        return await root.count()


@strawberry.type(description="A buyer or an organiser. Everybody sees themselves alone")
class User(Node):
    email: str | None = strawberry.field(description="As the token says")
    name: str | None = strawberry.field(description="As the token says")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, UserRow)

    @field(graphql_type=OrderConnection, description="Newest first. Needs the scope buy")
    @staticmethod
    async def orders(
        root: strawberry.Parent[UserRow],
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="1 to 100")] = 20,
        after: Annotated[str | None, strawberry.argument(description="The cursor to go on from")] = None,
        last: Annotated[int | None, strawberry.argument(description=LAST)] = None,
        before: Annotated[str | None, strawberry.argument(description=BEFORE)] = None,
    ) -> Connection[OrderView]:
        return await resolve.orders_of(info.context, root, PageArguments(first, after, last, before))

    @field(
        graphql_type=EventConnection,
        description="The events that this user organises, drafts and past ones included, the one made last "
        "first. Needs the scope organise",
    )
    @staticmethod
    async def organised_events(
        root: strawberry.Parent[UserRow],
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="1 to 100")] = 20,
        after: Annotated[str | None, strawberry.argument(description="The cursor to go on from")] = None,
        last: Annotated[int | None, strawberry.argument(description=LAST)] = None,
        before: Annotated[str | None, strawberry.argument(description=BEFORE)] = None,
    ) -> Connection[EventRow]:
        page = PageArguments(first, after, last, before)
        return await resolve_events.organised_events(info.context, root.id, page)

"""Tickets: an event's places as things to buy."""

from collections.abc import Sequence

import strawberry

from domain.money import Money as MoneyAmount
from resolvers.connections import Connection, Edge
from resolvers.connections import PageInfo as PageInfoView
from resolvers.layouts import SeatView, SectionView
from resolvers.tickets import TicketView
from schema.enums import SeatStatus
from schema.layouts import Seat, Section
from schema.nodes import Money, Node, PageInfo


@strawberry.type(description="One place at one event")
class Ticket(Node):
    section: SectionView = strawberry.field(graphql_type=Section, description="Where in the house")
    seat: SeatView | None = strawberry.field(
        graphql_type=Seat | None, description="Null in general admission"
    )
    price: MoneyAmount = strawberry.field(
        graphql_type=Money, description="Without the fee; in an order, what was agreed"
    )
    fee: MoneyAmount = strawberry.field(
        graphql_type=Money, description="Added to the price; in an order, what was agreed"
    )
    status: SeatStatus = strawberry.field(
        description="In an order: HELD or BOOKED while the order has it, AVAILABLE once it was given back"
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, TicketView)


@strawberry.type(description="A ticket on a page")
class TicketEdge:
    node: TicketView = strawberry.field(graphql_type=Ticket, description="The ticket")
    cursor: str = strawberry.field(description="Where it stands, to pass as `after`")


@strawberry.type(description="A page of tickets (Relay)")
class TicketConnection:
    edges: Sequence[Edge[TicketView]] = strawberry.field(
        graphql_type=list[TicketEdge], description="The tickets of this page"
    )
    page_info: PageInfoView = strawberry.field(graphql_type=PageInfo, description="How to go on")

    @strawberry.field(description="How many there are in all; counted only when asked for")
    @staticmethod
    async def total_count(root: strawberry.Parent[Connection[TicketView]]) -> int:
        return await root.count()

"""Tickets: the places of an event."""

import strawberry

from resolvers.connections import Connection
from resolvers.tickets import TicketView
from schema.enums import SeatStatus
from schema.fields import field
from schema.layouts import Seat, Section
from schema.nodes import Money, Node, PageInfo


@strawberry.type(description="One place at one event")
class Ticket(Node):
    section: Section = strawberry.field(description="Where in the house")
    seat: Seat | None = strawberry.field(description="Null in general admission")
    price: Money = strawberry.field(description="Without the fee; in an order, what was agreed")
    fee: Money = strawberry.field(description="Added to the price; in an order, what was agreed")
    status: SeatStatus = strawberry.field(
        description="In an order: HELD or BOOKED while the order has it, AVAILABLE once it was given back"
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, TicketView)


@strawberry.type(description="A ticket on a page")
class TicketEdge:
    node: Ticket = strawberry.field(description="The ticket")
    cursor: str = strawberry.field(description="Where it stands, to pass as `after`")


@strawberry.type(description="A page of tickets (Relay)")
class TicketConnection:
    edges: list[TicketEdge] = strawberry.field(description="The tickets of this page")
    page_info: PageInfo = strawberry.field(description="How to go on")

    @field(description="How many there are in all; counted only when asked for")
    @staticmethod
    async def total_count(root: strawberry.Parent[Connection[TicketView]]) -> int:
        return await root.count()

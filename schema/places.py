"""Places: what can be sold of an event."""

import strawberry

from resolvers.connections import Connection
from resolvers.places import PlaceView
from schema.enums import SeatStatus
from schema.fields import field
from schema.layouts import Seat, Section
from schema.nodes import Money, Node, PageInfo


@strawberry.type(description="What can be sold: a numbered seat, or one place of a general-admission section")
class Place(Node):
    section: Section = strawberry.field(description="Where in the house")
    seat: Seat | None = strawberry.field(description="Null in general admission")
    price: Money = strawberry.field(description="What a ticket for it costs now, without the fee")
    fee: Money = strawberry.field(description="What is added to the price now")
    status: SeatStatus = strawberry.field(description="At this moment; it names nobody")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        return isinstance(value, PlaceView)


@strawberry.type(description="A place on a page")
class PlaceEdge:
    node: Place = strawberry.field(description="The place")
    cursor: str = strawberry.field(description="Where it stands, to pass as `after`")


@strawberry.type(description="A page of places (Relay)")
class PlaceConnection:
    edges: list[PlaceEdge] = strawberry.field(description="The places of this page")
    page_info: PageInfo = strawberry.field(description="How to go on")

    @field(description="How many there are in all; counted only when asked for")
    @staticmethod
    async def total_count(root: strawberry.Parent[Connection[PlaceView]]) -> int:
        return await root.count()

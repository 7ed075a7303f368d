"""Interfaces and shapes that other types use."""

import strawberry

from domain.money import Money as MoneyAmount
from schema.enums import UserErrorCode
from schema.scalars import MinorUnits


@strawberry.interface(description="Anything that has a global id and can be read again by it")
class Node:
    public_id: strawberry.ID = strawberry.field(
        name="id", description="Opaque, global, stable; `node(id:)` reads the same thing again"
    )


@strawberry.interface(description="A refusal that a client can act on")
class UserError:
    code: UserErrorCode = strawberry.field(description="Stable, for programs")
    message: str = strawberry.field(description="A sentence a person can be shown")


@strawberry.type(description="A page's edges and how to go on (Relay)")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after endCursor")
    has_previous_page: bool = strawberry.field(description="Whether there is something before startCursor")
    start_cursor: str | None = strawberry.field(description="The first edge's cursor; null on an empty page")
    end_cursor: str | None = strawberry.field(
        description="The last edge's cursor, to pass as `after`; null on an empty page"
    )


@strawberry.type(description="An amount of one currency")
class Money:
    amount: MinorUnits = strawberry.field(description="Minor units (cents, won): 4550 USD is $45.50")
    currency: str = strawberry.field(description="ISO 4217")
    digits: int = strawberry.field(
        description="Decimal places of the currency as ISO 4217 has them, never a display locale's: 2 for "
        "HUF, 0 for KRW, 3 for KWD"
    )


__all__ = ["Money", "MoneyAmount", "Node", "PageInfo", "UserError"]

"""The waiting room."""

from datetime import datetime

import strawberry

from schema.enums import QueueState, WaitingRoomPhase
from schema.fields import OWN_ID


@strawberry.type(description="The line in front of an event's sale")
class WaitingRoom:
    enabled: bool = strawberry.field(description="Whether reserve and pay want an admission")
    phase: WaitingRoomPhase = strawberry.field(description="What the room is doing now")
    waiting: int = strawberry.field(description="People not yet admitted")
    admit_per_minute: int = strawberry.field(description="The most that are let in within a minute")
    pre_queue_seconds: int = strawberry.field(description="How long before the sale the line may be joined")
    commitment: str | None = strawberry.field(
        description="Published before the draw: the digest of the seed that it will be made with"
    )
    seed: str | None = strawberry.field(
        description="Published after the draw: with it anyone can check the order"
    )


@strawberry.type(description="Bound to this user and event; reserve and pay check it")
class Admission:
    token: str = strawberry.field(description="What `reserve` takes as queueToken")
    expires_at: datetime = strawberry.field(description="When it runs out and the next in line is let in")


@strawberry.type(description="Where the caller stands in one event's waiting room")
class QueueEntry:
    public_id: strawberry.ID = strawberry.field(name="id", description=OWN_ID)
    state: QueueState = strawberry.field(description="Waiting, shopping, or gone")
    position: int | None = strawberry.field(
        description=(
            "1 is next; null before the draw, after admission, and while others may still come before: for a"
            " late arrival of a crowded network, and for a second admission, which comes after everybody who"
            " has had none"
        )
    )
    ahead: int | None = strawberry.field(description="People who are let in before the caller")
    eta_seconds: int | None = strawberry.field(
        description="Seconds, estimated from the measured admission rate"
    )
    admission: Admission | None = strawberry.field(description="There once the caller may shop")

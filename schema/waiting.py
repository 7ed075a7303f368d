"""The waiting room."""

import strawberry

from datetime import datetime

from resolvers.waiting import AdmissionView
from schema.enums import QueueState, WaitingRoomPhase


@strawberry.type(description="The line in front of an event's sale")
class WaitingRoom:
    enabled: bool = strawberry.field(description="Whether reserve and pay want an admission")
    phase: WaitingRoomPhase = strawberry.field(description="What the room is doing now")
    waiting: int = strawberry.field(description="People not yet admitted")
    admit_per_minute: int = strawberry.field(description="The most that are let in within a minute")


@strawberry.type(description="Bound to this user and event; reserve and pay check it")
class Admission:
    token: str = strawberry.field(description="What `reserve` takes as queueToken")
    expires_at: datetime = strawberry.field(description="When it runs out and the next in line is let in")


@strawberry.type(description="Where the caller stands in one event's waiting room")
class QueueEntry:
    public_id: strawberry.ID = strawberry.field(name="id", description="Opaque and global")
    state: QueueState = strawberry.field(description="Waiting, shopping, or gone")
    position: int | None = strawberry.field(
        description="1 is next; null before the draw and after admission"
    )
    ahead: int | None = strawberry.field(description="People who are let in before the caller")
    eta_seconds: int | None = strawberry.field(
        description="Seconds, estimated from the measured admission rate"
    )
    admission: AdmissionView | None = strawberry.field(
        graphql_type=Admission | None, description="There once the caller may shop"
    )

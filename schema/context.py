"""What the fields of the schema find in `info.context`, made anew for each operation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

import strawberry

from domain.updates import SeatAvailabilityUpdate
from domain.viewer import Viewer
from pubsub.channels import Channels
from resolvers.context import Context as ResolverContext
from resolvers.context import Services
from services.waiting_room import Entry


class SeatStream(Protocol):
    """The seats of events, live (subscriptions.seat_availability)."""

    def stream(
        self, event_id: UUID, since_version: int | None = None
    ) -> AsyncIterator[SeatAvailabilityUpdate]:
        """A snapshot or a replay, then every change."""


class QueueStream(Protocol):
    """Places in lines, live."""

    def stream(self, viewer: Viewer | None, event_id: UUID) -> AsyncIterator[Entry]:
        """Where the viewer stands, now and on every change."""


@dataclass(frozen=True, slots=True)
class Streams:
    """What the subscriptions of one process share."""

    seats: SeatStream
    queue: QueueStream
    channels: Channels


class Context(ResolverContext):
    """A resolver's context, and the streams of the process."""

    __slots__ = ("streams",)

    def __init__(
        self, services: Services, streams: Streams, viewer: Viewer | None, address: str = ""
    ) -> None:
        super().__init__(services, viewer, address)
        self.streams = streams


Info: TypeAlias = strawberry.Info[Context, None]

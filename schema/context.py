"""What the fields of the schema find in `info.context`, made anew for each operation."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from domain.viewer import Viewer
from pubsub.channels import Channels
from resolvers.context import RequestContext, Services
from subscriptions.queue_positions import WaitingRoomHub
from subscriptions.seat_availability import SeatHub


@dataclass(frozen=True, slots=True)
class Streams:
    """What the subscriptions of one process share."""

    seats: SeatHub
    queue: WaitingRoomHub
    channels: Channels


class GraphQLContext(RequestContext):
    """A resolver's context, and the streams of the process."""

    __slots__ = ("streams",)

    def __init__(
        self, services: Services, streams: Streams, viewer: Viewer | None, address: str = ""
    ) -> None:
        super().__init__(services, viewer, address)
        self.streams = streams


Info: TypeAlias = strawberry.Info[GraphQLContext, None]

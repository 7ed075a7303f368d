"""The context of one operation, which fields find in `info.context`."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from domain.viewer import Viewer
from pubsub.channels import Channels
from resolvers.context import RequestContext, Services
from subscriptions.event_updates import EventHub
from subscriptions.queue_positions import WaitingRoomHub
from subscriptions.seat_availability import SeatHub


@dataclass(frozen=True, slots=True)
class Streams:
    """The subscription hubs of one process."""

    seats: SeatHub
    queue: WaitingRoomHub
    events: EventHub
    channels: Channels


class GraphQLContext(RequestContext):
    """A request's context with the subscription hubs."""

    __slots__ = ("streams",)

    def __init__(
        self, services: Services, streams: Streams, viewer: Viewer | None, address: str = ""
    ) -> None:
        super().__init__(services, viewer, address)
        self.streams = streams


Info: TypeAlias = strawberry.Info[GraphQLContext, None]

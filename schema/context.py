"""What the fields of the schema find in `info.context`, made anew for each operation."""

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from domain.viewer import Viewer
from pubsub.channels import Channels
from resolvers.context import Context as ResolverContext
from services.office import Office
from services.tokens import Tokens
from subscriptions.seat_availability import SeatHub


@dataclass(frozen=True, slots=True)
class Streams:
    """What subscriptions of one process share."""

    seats: SeatHub
    channels: Channels


class Context(ResolverContext):
    """A resolver's context, and the streams of the process."""

    __slots__ = ("streams",)

    def __init__(self, office: Office, tokens: Tokens, streams: Streams, viewer: Viewer | None) -> None:
        super().__init__(office, tokens, viewer)
        self.streams = streams


Info: TypeAlias = strawberry.Info[Context, None]

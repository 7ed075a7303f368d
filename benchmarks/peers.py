"""The servers that our API is compared with: python -m benchmarks.peers NAME PORT FOLDER

FOLDER holds the answers of our own server as NAME.json, so that every peer sends the same bytes.
"""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JSON = "application/json; charset=utf-8"


def prepared(folder: Path) -> Starlette:
    """A1: Starlette returning prepared bytes."""

    def route(path: Path) -> Route:
        body = path.read_bytes()

        async def answer(_request: Request) -> Response:
            return Response(body, media_type=JSON)

        return Route(f"/{path.stem}", answer, methods=["GET", "POST"])

    return Starlette(routes=[route(path) for path in sorted(folder.glob("*.json"))])


def naive(_folder: Path) -> Any:
    """The same schema, resolvers and parts behind Strawberry's own view; settings from the environment."""
    from strawberry.asgi import GraphQL

    from parts import build_parts
    from pubsub.channels import Channels
    from resolvers.context import Services
    from schema.context import GraphQLContext, Streams
    from schema.schema import schema
    from settings import Settings
    from subscriptions.event_updates import EventHub
    from subscriptions.queue_positions import WaitingRoomHub
    from subscriptions.seat_availability import SeatHub

    parts = build_parts(Settings.load(dotenv=None))
    channels: Channels = parts.channels
    streams = Streams(
        SeatHub(parts.context, channels),
        WaitingRoomHub(parts.waiting_rooms, channels),
        EventHub(parts.context),
        channels,
    )
    services = Services(parts.context, parts.guests, parts.challenges, parts.waiting_rooms, parts.search)

    class View(GraphQL[GraphQLContext, None]):
        async def get_context(self, request: Any, response: Any) -> GraphQLContext:
            given = request.headers.get("authorization")
            viewer = await parts.tokens.verify(given.partition(" ")[2]) if given else None
            return GraphQLContext(services, streams, viewer)

    return View(schema, graphql_ide=None)


SERVERS = {"prepared": prepared, "naive": naive}


def main() -> None:
    """Serve one of them, with uvicorn set as `commands.serve` sets it."""
    name, port, folder = sys.argv[1:]
    config = uvicorn.Config(
        SERVERS[name](Path(folder)),
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()

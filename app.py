"""The composition root: builds every client once from the settings, and mounts the routes.

Nothing connects at import, and a process starts while its parts are still on their way.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from db.queries.events import EventRow
from db.queries.performers import PerformerRow
from db.queries.venues import VenueRow
from domain.errors import Unauthenticated, Unavailable
from domain.money import Money
from domain.viewer import Scope, Viewer
from endpoints.health import Readiness, alive_route, operations_routes
from endpoints.limiting import RequestLimiter
from endpoints.observing import RequestObserver, operation_watch
from endpoints.pages import routes as page_routes
from endpoints.probes import probes_of
from endpoints.schema_file import PATH as SCHEMA_PATH
from endpoints.schema_file import schema_route
from endpoints.scraping import Scrape, Sources
from endpoints.seat_statuses import seat_status_routes
from endpoints.seatmaps import seat_map_routes
from endpoints.stripe_webhook import webhook_route
from endpoints.trust import from_allowed_origin, trusted_documents
from kit.current_request import request_within
from kit.tasks import stopped, unending
from parts import Parts, build_parts
from pubsub.bus import ChannelBus
from pubsub.document_store import RedisDocuments
from pubsub.keys import EVENTS_CHANNEL
from pubsub.latency_probe import PubSubLatencyProbe
from pubsub.network_connections import NetworkConnections
from pubsub.open_streams import OpenStreams
from pubsub.process_metrics import ProcessMetrics
from resolvers.context import Services
from schema.cache_hints import CACHE_HINTS
from schema.context import GraphQLContext, Streams
from schema.costs import ENGINE_FIELDS, LIST_SIZES, MOST_ENGINE_FIELDS, WEIGHTS
from schema.errors import public_error
from schema.schema import schema, sdl
from services.identity.tokens import Tokens
from settings import Settings
from subscriptions.event_updates import EventHub
from subscriptions.queue_positions import WaitingRoomHub
from subscriptions.seat_availability import SeatHub
from telemetry.exposition import CONTENT_TYPE
from telemetry.transport_meters import TransportMeters
from telemetry.waiting_room_meters import EstimateErrors
from transport import (
    CacheHint,
    ConnectionInfo,
    CostModel,
    CrossOrigin,
    GraphQLServer,
    LayeredDocumentStore,
    Limits,
    LoadLimits,
    LoadShedder,
    MemoryDocumentStore,
    MessageBus,
    Operation,
    Pipeline,
    ServerOptions,
    admit_all,
)
from transport import Unauthenticated as TokenRefused

GOODBYE_SECONDS = 3.0
CLOSE_SECONDS = 3.0
GRAPHQL_PATH = "/graphql"


@dataclass(frozen=True, slots=True)
class ApiProcess:
    """The API of one process, from its start to its end."""

    parts: Parts
    shedder: LoadShedder
    server: GraphQLServer
    streams: Streams
    background: dict[str, Callable[[], Coroutine[Any, Any, None]]]
    """Its work beside requests, by name"""

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Run the background work while requests are served, then close every part."""
        await self.parts.channels.open()
        self.shedder.lag.start()
        tasks = [asyncio.create_task(unending(work, name)) for name, work in self.background.items()]
        try:
            yield
        finally:
            await asyncio.gather(*(stopped(task) for task in tasks))
            self.shedder.lag.stop()
            await self.server.aclose()
            self.streams.seats.close()
            self.streams.queue.close()
            self.streams.events.close()
            await self.parts.close(CLOSE_SECONDS)

    async def drain(self) -> None:
        """Let balancers look away, then send subscribers elsewhere; requests go on being answered."""
        self.shedder.draining = True
        await asyncio.sleep(self.parts.settings.drain_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.server.aclose()


def create_app(settings: Settings) -> Starlette:
    """The API of one process."""
    parts = build_parts(settings, "api")
    instruments = parts.instruments
    streams = _streams(parts)
    open_streams = OpenStreams(parts.runner)
    meters = TransportMeters(instruments.own, instruments.common, open_streams)
    metrics = parts.process_metrics()
    shedder = LoadShedder(_load_limits(settings), meters)
    pipeline = _pipeline(parts, shedder)
    connections = NetworkConnections(parts.runner, settings.max_connections_per_network)
    server = graphql_server(parts, streams, meters, shedder, connections)
    background = _background(parts, streams, open_streams, connections, metrics)
    process = ApiProcess(parts, shedder, server, streams, background)
    readiness = _readiness(parts, shedder)
    sources = Sources(parts.context, parts.waiting_rooms, readiness, meters, metrics)
    operations = operations_routes(readiness, Scrape(instruments, sources), CONTENT_TYPE)
    app = Starlette(
        routes=_routes(parts, server, operations if settings.has_public_operations else []),
        middleware=[Middleware(pipeline.around)],
        lifespan=process.lifespan,
    )
    app.state.drain, app.state.pipeline = process.drain, pipeline
    app.state.fast_path = server.fast_path(pipeline, GRAPHQL_PATH)
    app.state.operations = Starlette(routes=[alive_route(), *operations])
    return app


def _streams(parts: Parts) -> Streams:
    instruments = parts.instruments
    hub = SeatHub(parts.context, parts.channels, instruments.fanout.sent)
    queue_hub = WaitingRoomHub(parts.waiting_rooms, parts.channels)
    EstimateErrors(instruments.own, queue_hub.eta_errors)
    instruments.fanout.watch_topics(lambda: hub.topics)
    return Streams(hub, queue_hub, EventHub(parts.context), parts.channels)


def _readiness(parts: Parts, shedder: LoadShedder) -> Readiness:
    settings = parts.settings
    return Readiness(
        probes_of(
            parts.context,
            parts.runner,
            parts.search,
            engine_url=settings.meilisearch_url,
            stripe_url=settings.stripe_api_base,
            is_stopping=lambda: shedder.draining,
        )
    )


def _pipeline(parts: Parts, shedder: LoadShedder) -> Pipeline:
    settings, instruments = parts.settings, parts.instruments
    return Pipeline(
        shedder,
        lambda count: request_within(settings.request_seconds, count),
        RequestObserver(instruments.requests, instruments.tracer),
        cross_origin=CrossOrigin(settings.origins, (GRAPHQL_PATH, SCHEMA_PATH)),
        strict_transport=settings.environment == "production",
    )


def _load_limits(settings: Settings) -> LoadLimits:
    return LoadLimits(
        in_flight=settings.max_in_flight,
        exempt=frozenset({"/healthz", "/readyz", "/metrics"}),
        first=frozenset({"/webhooks/stripe"}),
        message="The box office is very busy; please try again in a moment.",
    )


def _background(
    parts: Parts,
    streams: Streams,
    open_streams: OpenStreams,
    connections: NetworkConnections,
    metrics: ProcessMetrics,
) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """The background work of an API process, by name."""
    instruments = parts.instruments
    probe = PubSubLatencyProbe(parts.channels, instruments.name, instruments.dependencies.pubsub_delay)
    return {
        "hearing of changed events": partial(_hear_of_events, parts, streams.events),
        "publishing open streams": open_streams.keep_publishing,
        "exchanging counts of connections": connections.keep_exchanging,
        "publishing metrics": metrics.keep_publishing,
        "measuring the loop's lag": instruments.process.measure_lag,
        "probing pub/sub latency": probe.run,
    }


def _routes(parts: Parts, server: GraphQLServer, operations: list[Route]) -> list[BaseRoute]:
    settings = parts.settings
    return [
        Route(GRAPHQL_PATH, endpoint=server),
        WebSocketRoute(GRAPHQL_PATH, endpoint=server),
        Mount(GRAPHQL_PATH, app=server),
        alive_route(),
        *operations,
        schema_route(sdl()),
        webhook_route(parts.context, settings.webhook_secrets),
        *seat_map_routes(parts.context, parts.tokens),
        *seat_status_routes(parts.context, parts.limiter.spend_of_network),
        *page_routes(settings),
    ]


def graphql_server(
    parts: Parts,
    streams: Streams,
    meters: TransportMeters,
    shedder: LoadShedder,
    connections: NetworkConnections,
) -> GraphQLServer:
    """The GraphQL endpoint over HTTP, WebSocket and event streams."""
    bus: MessageBus = ChannelBus(parts.channels)
    return GraphQLServer(
        schema,
        _context_factory(parts, streams),
        error_mapper=public_error,
        documents=LayeredDocumentStore(MemoryDocumentStore(), RedisDocuments(parts.runner)),
        bus=bus,
        hints={name: CacheHint(*hint) for name, hint in CACHE_HINTS.items()},
        meters=meters,
        limits=Limits(connections_per_network=parts.settings.max_connections_per_network),
        options=_server_options(parts, meters, shedder, connections),
    )


def _context_factory(
    parts: Parts, streams: Streams
) -> Callable[[ConnectionInfo], GraphQLContext | Awaitable[GraphQLContext]]:
    services = Services(parts.context, parts.guests, parts.challenges, parts.waiting_rooms, parts.search)

    def context_of(info: ConnectionInfo) -> GraphQLContext | Awaitable[GraphQLContext]:
        token = _bearer(info)
        viewer = None if token is None else parts.tokens.known(token)
        if token is None or viewer is not None:
            return GraphQLContext(services, streams, viewer, info.client or "")
        return verified(token, info)

    async def verified(token: str, info: ConnectionInfo) -> GraphQLContext:
        return GraphQLContext(services, streams, await _viewer(parts.tokens, token), info.client or "")

    return context_of


def _server_options(
    parts: Parts, meters: TransportMeters, shedder: LoadShedder, connections: NetworkConnections
) -> ServerOptions:
    settings = parts.settings
    limiter = parts.limiter
    requests = RequestLimiter(limiter, meters)
    return ServerOptions(
        introspection=settings.introspection,
        suggestions=settings.introspection,
        rights=_rights,
        event_rights=_event_rights,
        admit=requests.admit if limiter.limited else admit_all,
        charge=requests.charge,
        check=requests.check,
        opening=requests.open_connection,
        network=requests.network,
        connection_counts=connections,
        expires_at=_expires_at,
        slot=shedder.slot,
        event_context=_fresh,
        true_seconds=_true_seconds,
        data_version=lambda context, *_: context.revision,
        compiled=True,
        costs=CostModel(
            WEIGHTS, LIST_SIZES, scarce_fields=ENGINE_FIELDS, most_scarce_fields=MOST_ENGINE_FIELDS
        ),
        immutable_types=frozenset({EventRow, VenueRow, PerformerRow, Money}),
        trusted_documents_only=bool(settings.trusted_documents),
        trusted_documents=trusted_documents(settings.trusted_documents),
        origin_allowed=from_allowed_origin(settings.origins),
        watch=operation_watch(parts.instruments.requests),
    )


def _expires_at(context: GraphQLContext) -> float | None:
    return context.viewer.expires_at if context.viewer else None


def _bearer(info: ConnectionInfo) -> str | None:
    """Return the bearer token, None of an anonymous request. Raises: TokenRefused for other schemes."""
    given = info.headers.get("authorization") or _parameter(info)
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("The authorization has to be a bearer token.")
    return token.strip()


async def _viewer(tokens: Tokens, token: str) -> Viewer:
    """Verify a token. Raises: TokenRefused."""
    try:
        return await tokens.verify(token)
    except Unauthenticated as error:
        raise TokenRefused(error.message) from error


def _parameter(info: ConnectionInfo) -> str | None:
    for name, value in info.params.items():
        if name.lower() == "authorization" and value is not None:
            return str(value)
    return None


def _rights(context: GraphQLContext) -> str | None:
    """The rights of all callers but organisers, whose answers may hold their own drafts."""
    viewer = context.viewer
    return "public" if viewer is None or Scope.ORGANISE not in viewer.scopes else None


def _event_rights(_context: GraphQLContext, operation: Operation) -> str | None:
    """The rights of seat availability, which is the same for all subscribers."""
    return "everybody" if operation.root_fields == ("seatAvailability",) else None


def _true_seconds(context: GraphQLContext) -> float:
    """Until the clock changes a status that this context read."""
    until = context.true_until
    return inf if until is None else (until - context.services.now()).total_seconds()


def _fresh(context: GraphQLContext) -> GraphQLContext:
    context.refresh()
    return context


async def _hear_of_events(parts: Parts, watched: EventHub) -> None:
    """Invalidate the cached rows of events that other processes change, and tell who watches them."""
    while True:
        with contextlib.suppress(Unavailable):
            async with parts.channels.subscribe(EVENTS_CHANNEL) as mailbox:
                parts.context.revision.number += 1  # changes may have been missed while not subscribed
                watched.changed(None)
                while True:
                    message = await mailbox.get()
                    if message is None:
                        parts.context.revision.number += 1
                        watched.changed(None)
                        continue
                    parts.context.forget_event(UUID(message))
                    parts.waiting_rooms.forget(UUID(message))
                    watched.changed(UUID(message))
        await asyncio.sleep(1)

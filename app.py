"""The composition root: builds every client once from the settings, and mounts the routes.

Nothing connects at import, and a process starts while its parts are still on their way.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from db.queries.events import EventRow
from db.queries.performers import PerformerRow
from db.queries.venues import VenueRow
from db.session import Database
from domain.channels import EVENTS_CHANNEL
from domain.errors import Unauthenticated, Unavailable
from domain.viewer import Scope, Viewer
from endpoints.health import Probe, health_routes
from endpoints.line_metrics import watch_lines
from endpoints.metrics import PrometheusMeters, watch_search
from endpoints.pages import routes as page_routes
from endpoints.seatmaps import seat_map_routes
from endpoints.stripe_webhook import webhook_route
from kit.clock import utc_now
from kit.current_request import request_within
from kit.lua import CommandBatcher
from payments.stripe_gateway import StripeGateway
from pubsub.bus import ChannelBus
from pubsub.channels import Channels
from pubsub.document_store import RedisDocuments
from pubsub.heartbeat import Heartbeat
from pubsub.open_streams import OpenStreams
from pubsub.redis_backend import RedisBackend
from pubsub.request_counts import RequestCounts
from reservations.connection import Client, batcher, connect
from reservations.store import SeatStore
from resolvers.context import Services
from schema.cache_hints import CACHE_HINTS
from schema.context import Context, Streams
from schema.errors import public_error
from schema.schema import schema
from search.meilisearch import MeilisearchIndex
from services.layouts import LayoutCache
from services.line_keeping import LineKeeper
from services.office import Office, sale_cache
from services.placing import OrderDesk
from services.queue_tokens import QueueTokens
from services.searching import EventSearch, Freshness, database_index
from services.tokens import IssuerTokens, SecretTokens, Tokens, keys_at
from services.truth import truth_loader
from services.waiting_room import WaitingRooms
from settings import Settings
from subscriptions.queue_positions import QueueHub
from subscriptions.seat_availability import SeatHub
from transport import (
    Admission,
    AdmissionGate,
    CacheHint,
    ConnectionInfo,
    GateLimits,
    GraphQLServer,
    LayeredDocumentStore,
    MemoryDocumentStore,
    Operation,
    RateLimited,
    SecurityHeaders,
    ServerOptions,
)
from transport import Unauthenticated as TokenRefused
from transport.options import admit_all
from transport.ports import MessageBus
from transport.security_headers import security_headers
from waiting_room.room import Room
from workers.admission import admission_loop
from workers.indexing import indexing_loops, search_engine
from workers.loops import Loop
from workers.main import run_loops
from workers.ordering import ordering_loops

log = logging.getLogger("boxoffice")

GOODBYE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The clients of one process, and what is built on them."""

    settings: Settings
    database: Database
    redis: Client
    runner: CommandBatcher
    channels: Channels
    gateway: StripeGateway
    tokens: Tokens
    rooms: WaitingRooms
    keeper: LineKeeper
    office: Office
    search: EventSearch

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Close every client; what is in use of the database has `grace_seconds` to finish."""
        await self.channels.close()
        await self.search.close()
        await self.gateway.close()
        await self.database.close(grace_seconds)
        await self.redis.aclose()


def build_parts(settings: Settings) -> Parts:
    """Every client and service, from the settings."""
    database = Database(settings.database_url, most=settings.database_pool_size)
    redis = connect(settings.redis_url, settings.redis_pool_size)
    runner = batcher(redis)
    channels = Channels(RedisBackend(redis))
    gateway = StripeGateway(settings.stripe_api_key, api_base=settings.stripe_api_base or None)
    room = Room(runner)
    keeper = LineKeeper(database, room, channels)
    rooms = WaitingRooms(database, room, QueueTokens(_queue_secret(settings)), keeper)
    layouts = LayoutCache(database)
    office = Office(
        database=database,
        desk=OrderDesk(database),
        seats=SeatStore(runner, truth_loader(database, layouts)),
        layouts=layouts,
        sales=sale_cache(database),
        gateway=gateway,
        gate=rooms,
        announcer=channels,
        clock=utc_now,
        hold_time=timedelta(seconds=settings.hold_seconds),
        payment_time=timedelta(seconds=settings.payment_seconds),
        public_url=f"http://{settings.host}:{settings.port}",
    )
    search = EventSearch(_search_index(settings), database_index(database), Freshness(database), office.clock)
    return Parts(
        settings, database, redis, runner, channels, gateway, _tokens(settings), rooms, keeper, office, search
    )


def _search_index(settings: Settings) -> MeilisearchIndex | None:
    if not settings.meilisearch_url:
        return None
    return MeilisearchIndex(settings.meilisearch_url, settings.meilisearch_key)


def _tokens(settings: Settings) -> Tokens:
    if settings.jwks_url:
        return IssuerTokens(keys_at(settings.jwks_url), settings.jwt_issuer, settings.jwt_audience)
    return SecretTokens(settings.jwt_secret)


def _queue_secret(settings: Settings) -> str:
    """What admission tokens are signed with; every process of an installation has the same."""
    return settings.jwt_secret or settings.stripe_webhook_secret


def create_app(settings: Settings) -> Starlette:
    """The API of one process."""
    parts = build_parts(settings)
    registry = CollectorRegistry()
    watch_search(registry, parts.search.standing)
    hub = SeatHub(parts.office, parts.channels)
    queue_hub = QueueHub(parts.rooms, parts.channels)
    streams = Streams(hub, queue_hub, parts.channels)
    refresh_lines = watch_lines(registry, parts.rooms, queue_hub)
    open_streams = OpenStreams(parts.runner)
    meters = PrometheusMeters(registry, open_streams)
    services = Services(parts.office, parts.tokens, parts.rooms, parts.search)
    admission = Admission(_gate_limits(settings), meters)
    server = graphql_server(parts, services, streams, meters, admission)

    async def refresh_metrics() -> None:
        await meters.refresh()
        await refresh_lines()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await parts.channels.open()
        admission.lag.start()
        tasks = [
            asyncio.create_task(_hear_of_events(parts)),
            asyncio.create_task(open_streams.keep_telling()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            admission.lag.stop()
            await server.aclose()
            hub.close()
            queue_hub.close()
            await parts.close()

    async def drain() -> None:
        """Let balancers look away, then send subscribers elsewhere; requests go on being answered."""
        admission.draining = True
        await asyncio.sleep(settings.drain_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await server.aclose()

    routes = _routes(parts, server, registry, admission, refresh_metrics)
    app = Starlette(routes=routes, middleware=_middleware(settings, admission), lifespan=lifespan)
    app.state.drain, app.state.admission = drain, admission
    app.state.direct = server.direct(security_headers(settings.environment == "production"))
    return app


def _middleware(settings: Settings, admission: Admission) -> list[Middleware]:
    return [
        Middleware(SecurityHeaders, strict_transport=settings.environment == "production"),
        Middleware(
            AdmissionGate,
            admission,
            lambda count: request_within(settings.request_seconds, count),
        ),
    ]


def _gate_limits(settings: Settings) -> GateLimits:
    return GateLimits(
        in_flight=settings.max_in_flight,
        exempt=frozenset({"/healthz", "/readyz", "/metrics"}),
        first=frozenset({"/webhooks/stripe"}),
    )


def _routes(
    parts: Parts,
    server: GraphQLServer,
    registry: CollectorRegistry,
    admission: Admission,
    refresh_metrics: Callable[[], Awaitable[None]],
) -> list[BaseRoute]:
    settings = parts.settings
    return [
        Route("/graphql", endpoint=server),
        WebSocketRoute("/graphql", endpoint=server),
        Mount("/graphql", app=server),
        *health_routes(_probes(parts, admission), registry, refresh_metrics),
        webhook_route(parts.office, [settings.stripe_webhook_secret]),
        *seat_map_routes(parts.office),
        *page_routes(settings),
    ]


def _probes(parts: Parts, admission: Admission) -> Mapping[str, Probe]:
    async def api() -> None:
        if admission.draining:
            raise Unavailable("This process is stopping.")

    async def database() -> None:
        await parts.database.fetchval("SELECT 1")

    async def redis() -> None:
        await parts.runner.run("PING")

    probes = {"api": Probe(api, needed=True)}
    probes |= {"postgres": Probe(database, needed=True), "redis": Probe(redis, needed=True)}
    if parts.settings.meilisearch_url:
        probes["search"] = Probe(parts.search.check, needed=False)
    if parts.settings.stripe_api_base:
        probes["stripe"] = Probe(lambda: _reach(parts.settings.stripe_api_base), needed=False)
    probes["worker"] = Probe(Heartbeat(parts.runner).check, needed=False)
    return probes


async def _reach(address: str) -> None:
    """Connect, and hang up."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.close()


def graphql_server(
    parts: Parts, services: Services, streams: Streams, meters: PrometheusMeters, admission: Admission
) -> GraphQLServer:
    """The GraphQL endpoint over HTTP, WebSocket and event streams."""
    settings = parts.settings

    def context_of(info: ConnectionInfo) -> Context | Awaitable[Context]:
        token = _bearer(info)
        viewer = None if token is None else parts.tokens.known(token)
        if token is None or viewer is not None:
            return Context(services, streams, viewer, info.client or "")
        return verified(token, info)

    async def verified(token: str, info: ConnectionInfo) -> Context:
        return Context(services, streams, await _viewer(parts.tokens, token), info.client or "")

    documents = LayeredDocumentStore(MemoryDocumentStore(), RedisDocuments(parts.runner))
    bus: MessageBus = ChannelBus(parts.channels)
    return GraphQLServer(
        schema,
        context_of,
        error_mapper=public_error,
        documents=documents,
        bus=bus,
        hints={name: CacheHint(*hint) for name, hint in CACHE_HINTS.items()},
        meters=meters,
        options=ServerOptions(
            introspection=settings.introspection,
            suggestions=settings.introspection,
            rights=_rights,
            event_rights=_event_rights,
            admit=_limiter(parts) if settings.rate_limit_per_minute else admit_all,
            slot=admission.slot,
            event_context=_fresh,
            data_version=lambda *_: parts.office.revision.number,
            compiled=True,
            immutable_types=frozenset({EventRow, VenueRow, PerformerRow}),
        ),
    )


def _limiter(parts: Parts) -> Callable[[Context, Operation, int], Awaitable[None]]:
    """What lets an operation run: so many a minute for each user, or address where nobody is signed in."""
    counts, most = RequestCounts(parts.runner), parts.settings.rate_limit_per_minute

    async def admit(context: Context, _operation: Operation, _cost: int) -> None:
        who = str(context.viewer.user_id) if context.viewer else f"address:{context.address}"
        count, seconds = await counts.add(who)
        if count > most:
            raise RateLimited(f"More than {most} requests within a minute.", retry_after_seconds=seconds)

    return admit


def _bearer(info: ConnectionInfo) -> str | None:
    """The token that was sent; none is nobody's, anything but a bearer token is refused."""
    given = info.headers.get("authorization") or _parameter(info)
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("The authorization has to be a bearer token.")
    return token.strip()


async def _viewer(tokens: Tokens, token: str) -> Viewer:
    """Who asks; a token that is not good is refused."""
    try:
        return await tokens.verify(token)
    except Unauthenticated as error:
        raise TokenRefused(error.message) from error


def _parameter(info: ConnectionInfo) -> str | None:
    for name, value in info.params.items():
        if name.lower() == "authorization" and value is not None:
            return str(value)
    return None


def _rights(context: Context) -> str | None:
    """What is public is the same for all but organisers, who see their own drafts among it."""
    viewer = context.viewer
    return "public" if viewer is None or Scope.ORGANISE not in viewer.scopes else None


def _event_rights(_context: Context, operation: Operation) -> str | None:
    """A seat map is the same for everybody who watches it."""
    return "everybody" if operation.root_fields == ("seatAvailability",) else None


def _fresh(context: Context) -> Context:
    context.refresh()
    return context


async def _hear_of_events(parts: Parts) -> None:
    """Forget what this process remembers of an event that another process has changed."""
    while True:
        with contextlib.suppress(Unavailable):
            async with parts.channels.subscribe(EVENTS_CHANNEL) as mailbox:
                while True:
                    message = await mailbox.get()
                    if message is None:
                        parts.office.revision.number += 1
                        continue
                    parts.office.forget_event(UUID(message))
                    parts.rooms.forget(UUID(message))
        await asyncio.sleep(1)


async def run_worker(settings: Settings) -> None:
    """The worker process: every loop, until SIGTERM or SIGINT."""
    parts = build_parts(settings)
    await parts.channels.open()
    loops = [
        *ordering_loops(parts.office),
        admission_loop(parts.keeper),
        Loop("heartbeat", Heartbeat(parts.runner).beat, 2.0),
        *indexing_loops(parts.database, search_engine(settings)),
    ]
    listening = asyncio.create_task(_listen(parts.database, loops))
    try:
        await run_loops(loops)
    finally:
        listening.cancel()
        # The loops have ended; what is still held are the sessions of leaders.
        await parts.close(grace_seconds=0.2)


async def _listen(database: Database, loops: list[Loop]) -> None:
    """Let a commit that wrote to the outbox wake the loop that empties it."""
    outbox = next(loop for loop in loops if loop.name == "outbox")
    await database.listen("boxoffice_outbox", outbox.wake.set)

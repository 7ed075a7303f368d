"""Builds the clients and services of one process from the settings. Nothing connects here."""

import asyncio
import os
import socket
from dataclasses import dataclass
from datetime import timedelta

from db.session import Database
from domain.ticket_keys import TicketKeys
from domain.ticket_limits import HELD_PER_NETWORK, NetworkLimit
from kit.clock import utc_now
from kit.seeds import new_seed
from payments.gateway import PaymentGateway
from payments.instrumented_gateway import InstrumentedGateway
from payments.stripe_gateway import StripeGateway
from pubsub.budgets import Budgets
from pubsub.channels import Channels
from pubsub.process_metrics import ProcessMetrics
from pubsub.redis_backend import RedisBackend
from pubsub.single_use import SingleUse
from pubsub.sliding_counters import SlidingCounters
from reservations.address_check import address_fault
from reservations.connection import Client, Runner, batcher, connect
from reservations.store import SeatStore
from search.meilisearch import MeilisearchIndex
from services.caches import LayoutCache, SaleCache
from services.context import ServiceContext
from services.identity.challenges import Challenges
from services.identity.guests import GuestSessions
from services.identity.proof_of_work import ProofOfWork
from services.identity.rate_limits import RateLimiter, RateLimits
from services.identity.tokens import IssuerTokens, IssuerTokensAndGuests, SecretTokens, Tokens, keys_at
from services.ordering.order_writer import OrderWriter
from services.ordering.seat_rebuild import seat_source_loader
from services.search.find_events import EventSearch, Freshness, database_index, venues_around
from services.waiting_room.admission_controller import AdmissionController
from services.waiting_room.queue_tokens import QueueTokens
from services.waiting_room.waiting_rooms import WaitingRooms
from settings import Settings, SettingsError
from telemetry.exposition import packed
from telemetry.instruments import Instruments
from telemetry.tracing import tracer_for
from waiting_room.store import WaitingRoomStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The clients of one process, and the services that use them."""

    settings: Settings
    database: Database
    redis: Client
    runner: Runner
    channels: Channels
    gateway: PaymentGateway
    tokens: Tokens
    challenges: Challenges
    guests: GuestSessions
    limiter: RateLimiter
    waiting_rooms: WaitingRooms
    admission_controller: AdmissionController
    context: ServiceContext
    search: EventSearch
    instruments: Instruments

    def process_metrics(self) -> ProcessMetrics:
        """Return what publishes this process's own metrics, for whichever process is scraped."""
        return ProcessMetrics(self.runner, self.instruments.name, lambda: packed(self.instruments.own))

    async def close(self, grace_seconds: float = 5.0) -> None:
        """Close every client; running statements have `grace_seconds` to finish."""
        await self.channels.close()
        await self.search.close()
        await self.gateway.close()
        await self.database.close(grace_seconds)
        await self.runner.drain()
        await self.redis.aclose()
        await asyncio.to_thread(self.instruments.tracer.close)


def build_parts(settings: Settings, role: str = "command") -> Parts:
    """Build every client and service from the settings."""
    name = settings.process_name or f"{role}-{socket.gethostname()}-{os.getpid()}"
    instruments = Instruments(name, role, tracer_for(os.environ, name))
    database = Database(
        settings.database_url, direct_url=settings.database_direct_url, most=settings.database_pool_size
    )
    instruments.dependencies.watch_pool(lambda: database.pool_use)
    redis = connect(settings.redis_url, settings.redis_pool_size)
    runner = batcher(redis, instruments.dependencies.round_trip)
    channels = Channels(RedisBackend(redis))
    store = WaitingRoomStore(runner)
    controller = AdmissionController(database, store, channels, claim_seconds=settings.claim_seconds)
    waiting_rooms = WaitingRooms(database, store, QueueTokens(*_signing_secrets(settings)), controller)
    context = _context(settings, instruments, database, runner, channels, waiting_rooms)
    tokens, challenges = _tokens(settings), _challenges(settings, runner)
    return Parts(
        settings=settings,
        database=database,
        redis=redis,
        runner=runner,
        channels=channels,
        gateway=context.gateway,
        tokens=tokens,
        challenges=challenges,
        guests=_guests(settings, tokens, challenges, runner),
        limiter=_limiter(settings, runner),
        waiting_rooms=waiting_rooms,
        admission_controller=controller,
        context=context,
        search=_search(settings, database),
        instruments=instruments,
    )


async def check_redis(settings: Settings) -> None:
    """Ask whether Redis takes our address.

    Raises:
        SettingsError: It answers, and does not.
    """
    fault = await address_fault(settings.redis_url)
    if fault is not None:
        raise SettingsError(f"BOXOFFICE_REDIS_URL {fault}.")


def _limiter(settings: Settings, runner: Runner) -> RateLimiter:
    rates = RateLimits(
        settings.rate_limit_per_minute,
        settings.rate_limit_cost_per_minute,
        settings.rate_limit_key_cost_per_minute,
        settings.rate_limit_network_per_minute,
        settings.rate_limit_address_cost_per_minute,
    )
    return RateLimiter(Budgets(runner), rates, private_networks=settings.limit_private_networks)


def _context(
    settings: Settings,
    instruments: Instruments,
    database: Database,
    runner: Runner,
    channels: Channels,
    waiting_rooms: WaitingRooms,
) -> ServiceContext:
    layouts = LayoutCache(database)
    stripe = StripeGateway(settings.stripe_api_key, api_base=settings.stripe_api_base or None)
    return ServiceContext(
        database=database,
        orders=OrderWriter(database),
        seats=SeatStore(runner, seat_source_loader(database, layouts)),
        layouts=layouts,
        sales=SaleCache(database),
        gateway=InstrumentedGateway(stripe, instruments.dependencies.gateway),
        admissions=waiting_rooms,
        publisher=channels,
        clock=utc_now,
        hold_time=timedelta(seconds=settings.hold_seconds),
        payment_time=timedelta(seconds=settings.payment_seconds),
        refund_pause=timedelta(seconds=1 / settings.stripe_refunds_per_second),
        public_url=settings.base_url,
        ticket_keys=_ticket_keys(settings),
        network_limit=_network_limit(settings),
        meters=instruments.sale,
        tracer=instruments.tracer,
    )


def _ticket_keys(settings: Settings) -> TicketKeys:
    """The configured keys; a command that shows no ticket may have none, and gets a key for itself."""
    return TicketKeys.parse(settings.ticket_key or new_seed(), settings.ticket_key_previous)


def _network_limit(settings: Settings) -> NetworkLimit:
    """The limit of unpaid tickets: unless it is set, private addresses do not count."""
    most = settings.max_held_per_network
    return NetworkLimit(HELD_PER_NETWORK) if most == "" else NetworkLimit(most, private_too=True)


def _search(settings: Settings, database: Database) -> EventSearch:
    index = None
    if settings.meilisearch_url:
        index = MeilisearchIndex(settings.meilisearch_url, settings.meilisearch_key, venues_around(database))
    return EventSearch(
        index,
        database_index(database),
        Freshness(database),
        utc_now,
        private_networks=settings.limit_private_networks,
    )


def _tokens(settings: Settings) -> Tokens:
    if settings.jwks_url:
        issuer = IssuerTokens(keys_at(settings.jwks_url), settings.jwt_issuer, settings.jwt_audience)
        secret, previous = _signing_secrets(settings)
        return IssuerTokensAndGuests(issuer, secret, previous=previous)
    return SecretTokens(settings.jwt_secret, previous=settings.jwt_secret_previous)


def _challenges(settings: Settings, runner: Runner) -> Challenges:
    provider = ProofOfWork(_signing_secrets(settings)) if settings.challenge == "pow" else None
    return Challenges(
        provider,
        SlidingCounters(runner),
        SingleUse(runner),
        private_networks=settings.limit_private_networks,
    )


def _guests(settings: Settings, tokens: Tokens, challenges: Challenges, runner: Runner) -> GuestSessions:
    return GuestSessions(
        tokens,
        challenges,
        Budgets(runner),
        per_minute=settings.rate_limit_guest_sessions_per_minute,
        private_networks=settings.limit_private_networks,
    )


def _signing_secrets(settings: Settings) -> tuple[str, str]:
    """Return the key of admission tokens and challenges, which all processes share, and the previous one."""
    if settings.jwt_secret:
        return settings.jwt_secret, settings.jwt_secret_previous
    return settings.stripe_webhook_secret, settings.stripe_webhook_secret_previous

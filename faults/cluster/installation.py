"""The installation of many nodes, as the campaign uses an installation."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from redis.asyncio import Redis

from devservices.credentials import Credentials, credentials_of
from devservices.data_dir import publish_settings
from devservices.local_stripe import LocalStripe
from devservices.meilisearch import Meilisearch, find_binary
from devservices.part import Part, PartError
from devservices.ports import HOST, free_port, is_listening
from devservices.process import Command
from devservices.up import with_search_key
from faults.cluster.balancer import Balancer
from faults.cluster.other_host import OtherHost
from faults.cluster.postgres_pair import PostgresPair
from faults.cluster.valkey_nodes import ValkeyCluster
from faults.installation import HOLD_SECONDS, PAYMENT_SECONDS, Installation, inherited_environment
from faults.launch import WITHOUT
from faults.proxy import Proxy
from settings import Settings

APIS, WORKERS = 3, 2
_WATCH_SECONDS = 0.2
_STOP_SECONDS = 20.0


class Process(Command):
    """One of Boxoffice's processes, started by `faults.launch`, perhaps without a guard."""

    def __init__(self, home: Path, name: str, words: Sequence[str], settings: Settings, without: str) -> None:
        super().__init__(home, name, words, settings)
        self._without = without
        self.elsewhere: OtherHost | None = None
        """The other host that it runs on."""

    def command(self) -> Sequence[str]:
        words = [*super().command()[:1], "-m", "faults.launch", *self.words]
        return self.elsewhere.on_it(words) if self.elsewhere else words

    def environment(self) -> Mapping[str, str]:
        return {**super().environment(), WITHOUT: self._without}

    def inherited(self) -> Mapping[str, str]:
        return inherited_environment()

    def is_ready(self) -> bool:
        return "serve" not in self.words or is_listening(self.port)


@dataclass(slots=True)
class ClusterInstallation(Installation):
    """A running installation of many nodes. Parts that end are started again, unless they are held."""

    parts: dict[str, Part] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    """Names of parts that stay dead for now."""
    cluster: ValkeyCluster | None = None
    pair: PostgresPair | None = None
    credentials: Credentials | None = None
    other_host: OtherHost | None = None
    """Where the first Valkey primary and the last worker run; None where no namespace can be made."""
    _watch: asyncio.Task[None] | None = None

    @property
    def valkey(self) -> ValkeyCluster:
        """The Valkey cluster."""
        assert self.cluster is not None, "it was started"
        return self.cluster

    @property
    def postgres(self) -> PostgresPair:
        """Both PostgreSQL servers."""
        assert self.pair is not None, "it was started"
        return self.pair

    @property
    def near(self) -> str:
        """The address by which every process, also on the other host, reaches what runs here."""
        return self.other_host.near if self.other_host else HOST

    @property
    def database_url(self) -> str:
        """The direct address of the primary."""
        return self.postgres.url_at(self.postgres.primary.port)

    def redis_of(self, key: str) -> Redis:
        """A direct client of the node that has a key."""
        node = self.valkey.owner(key)
        return Redis(
            host=node.host, port=node.port, password=self.secrets["redis_password"], socket_timeout=2.0
        )

    def command_environment(self) -> dict[str, str]:
        """The environment for one of `boxoffice`'s commands beside it: the addresses of all parts."""
        assert self.credentials is not None, "it was started"
        settings = self._settings(self.credentials)
        return {**inherited_environment(), **settings.environment_variables()}

    @property
    def has_ended(self) -> bool:
        """Never: the campaign itself starts the processes."""
        return False

    def has(self, part: str) -> bool:
        """Whether the installation has this part."""
        return part in self.parts

    def connections_of(self, part: str) -> int:
        """How many connections a part has."""
        with contextlib.suppress(LookupError, psutil.Error):
            return len(psutil.Process(self.pid(part)).net_connections("inet"))
        return 0

    def hold(self, part: str) -> None:
        """End a part with kill -9, and keep it dead until `release`."""
        self.held.add(part)
        self.kill(part)

    async def release(self, *parts: str) -> None:
        """Let parts be started again, and wait until they are ready."""
        self.held.difference_update(parts)
        for name in parts:
            part = self.parts[name]
            while not (part.is_alive() and part.is_ready()):
                await asyncio.sleep(_WATCH_SECONDS)

    async def start(self) -> None:
        """Start everything. Raises: PartError."""
        self.credentials = credentials_of(self.home)
        await asyncio.to_thread(self._start_stores, self.credentials)
        upstreams = {"postgres": self.postgres.primary.port, **self.ports}
        for name in upstreams.keys() & {"postgres", "stripe", "meilisearch"}:
            proxy = Proxy(upstreams[name], random.Random(self.rng.random()), host=self.near)
            await proxy.open()
            self.proxies[name] = proxy
        await asyncio.to_thread(self._start_processes, self.credentials)
        self._watch = asyncio.create_task(self._keep_alive())
        await self.wait_ready()

    def _start_stores(self, credentials: Credentials) -> None:
        if OtherHost.is_possible():
            self.other_host = OtherHost.create()
        self.cluster = ValkeyCluster(self.home, credentials.redis_password, self.other_host)
        self.pair = PostgresPair(self.home, credentials.postgres_password)
        self.parts = {part.name: part for part in (*self.cluster.nodes, *self.pair.servers)}
        for node in self.cluster.nodes:
            node.start()
        self.cluster.form()
        self.pair.start()
        webhook_url = f"{self.base_url}/webhooks/stripe"
        stripe = LocalStripe(
            self.home, webhook_url, credentials.stripe_webhook_secret, free_port(), other_host=self.near
        )
        self._add(stripe)
        self.ports["stripe"] = stripe.port
        binary = find_binary()
        if binary is not None:
            engine = Meilisearch(self.home, credentials.meilisearch_key, binary, free_port())
            self._add(engine)
            self.ports["meilisearch"] = engine.port

    def _start_processes(self, credentials: Credentials) -> None:
        settings = self._settings(credentials)
        publish_settings(self.home, settings)
        Process(self.home, "migrate", ["migrate"], settings, self.without).run_to_end()
        searching = with_search_key(settings, list(self.parts.values()))
        ports = {f"api-{number}": free_port() for number in range(APIS)}
        for name, port in ports.items():
            self._add(Process(self.home, name, ["serve"], replace(searching, port=port), self.without))
        for number in range(WORKERS):
            worker = Process(self.home, f"worker-{number}", ["worker"], settings, self.without)
            worker.elsewhere = self.other_host if number == WORKERS - 1 else None
            self._add(worker)
        servers = {name: (HOST, port) for name, port in ports.items()}
        self._add(Balancer(self.home, self.port, servers))

    def _add(self, part: Part) -> None:
        self.parts[part.name] = part
        part.start()

    def _settings(self, credentials: Credentials) -> Settings:
        values = {
            "data_dir": str(self.home),
            "host": HOST,
            "port": str(self.port),
            "public_url": self.base_url,
            "database_url": self.postgres.url_at(self.proxies["postgres"].port, self.near),
            "redis_url": self.valkey.url,
            "stripe_api_base": f"http://{self.near}:{self.proxies['stripe'].port}",
            "stripe_api_key": credentials.stripe_api_key,
            "stripe_publishable_key": "pk_test_local",
            "stripe_webhook_secret": credentials.stripe_webhook_secret,
            "jwt_secret": credentials.jwt_secret,
            "ticket_key": credentials.ticket_key,
            "hold_seconds": str(HOLD_SECONDS),
            "payment_seconds": str(PAYMENT_SECONDS),
            "environment": "development",
        }
        engine = self.parts.get("meilisearch")
        if isinstance(engine, Meilisearch):
            values |= {
                "meilisearch_url": f"http://{self.near}:{self.proxies['meilisearch'].port}",
                "meilisearch_key": engine.index_key(),
            }
        return Settings.load({f"BOXOFFICE_{name.upper()}": value for name, value in values.items()}, None)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for part in list(self.parts.values()):
                if part.name not in self.held and not part.is_alive():
                    with contextlib.suppress(PartError):
                        await asyncio.to_thread(part.launch)

    async def fail_over(self) -> None:
        """Promote the standby of PostgreSQL's dead primary, and lead everybody to it."""
        await asyncio.to_thread(self.postgres.fail_over)
        proxy = self.proxies["postgres"]
        proxy.upstream = self.postgres.primary.port
        proxy.reset()

    async def restore_standby(self) -> None:
        """Make the old primary a standby that commits wait for."""
        await asyncio.to_thread(self.postgres.restore)
        self.held.discard(self.postgres.standby.name)

    async def stop(self) -> None:
        """Stop everything, the processes before the stores."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        ordered = list(reversed(self.parts.values()))
        for part in ordered:
            part.request_stop()
            part.stop_seconds = _STOP_SECONDS
        for part in ordered:
            await asyncio.to_thread(part.stop)
        for proxy in self.proxies.values():
            await proxy.close()
        if self.other_host is not None:
            self.other_host.remove()


@asynccontextmanager
async def start_cluster(
    home: Path, rng: random.Random, *, without: str = "", log: Callable[[str], None]
) -> AsyncIterator[ClusterInstallation]:
    """Start an installation of many nodes on an empty data dir; always stop it in the end."""
    (home / "run").mkdir(parents=True, exist_ok=True)
    installation = ClusterInstallation(home, APIS, without, rng)
    log(
        "starting six Valkey nodes, two PostgreSQL servers, Meilisearch, the local Stripe, three API"
        " processes, two workers and HAProxy"
    )
    try:
        await installation.start()
        yield installation
    finally:
        await installation.stop()

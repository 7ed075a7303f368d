"""The installation under test: `boxoffice up` on its own data dir, with its parts behind proxies."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import jwt
import psutil
from redis.asyncio import Redis

from devservices.part import SETPRIV, death_signal_wrapper, read_pid
from devservices.ports import free_port
from faults.launch import PROXIES, WITHOUT
from faults.proxy import Proxy

ROOT = Path(__file__).resolve().parent.parent
PROXIED = ("postgres", "redis", "stripe")
EMBEDDED = (*PROXIED, "meilisearch")
HOLD_SECONDS, PAYMENT_SECONDS = 5, 6
_START_SECONDS = 120.0
_STOP_SECONDS = 40.0


@dataclass(slots=True)
class Installation:
    """A running installation. Addresses of parts are direct: the checker does not use the proxies."""

    home: Path
    workers: int
    without: str
    rng: random.Random
    port: int = field(default_factory=free_port)
    ports: dict[str, int] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """The direct address of PostgreSQL."""
        password = self.secrets["postgres_password"]
        return f"postgresql://boxoffice:{password}@127.0.0.1:{self.ports['postgres']}/boxoffice"

    @property
    def stripe_url(self) -> str:
        """The direct address of the local Stripe."""
        return f"http://127.0.0.1:{self.ports['stripe']}"

    @property
    def meilisearch_url(self) -> str:
        """The direct address of Meilisearch."""
        return f"http://127.0.0.1:{self.ports['meilisearch']}"

    def redis_of(self, key: str) -> Redis:
        """A direct client of the server that has a key."""
        assert key, "a key has a name"
        return self.redis()

    def redis(self) -> Redis:
        """A direct client of Redis."""
        return Redis(
            host="127.0.0.1",
            port=self.ports["redis"],
            password=self.secrets["redis_password"],
            socket_timeout=2.0,
        )

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A direct connection to PostgreSQL."""
        connection = await asyncpg.connect(self.database_url, timeout=5.0, command_timeout=20.0)
        try:
            yield connection
        finally:
            connection.terminate()

    def token(self, user: str, *scopes: str) -> str:
        """A token signed with the installation's secret, valid for a day."""
        claims = {"sub": user, "email": f"{user}@example.org", "scope": " ".join(scopes or ("buy",))}
        return jwt.encode({**claims, "exp": int(time.time()) + 86_400}, self.secrets["jwt_secret"], "HS256")

    def launch(self) -> None:
        """Starts `up`, on a new or a used data dir."""
        wrapper = [*death_signal_wrapper(signal.SIGTERM), "--"] if SETPRIV else []
        command = [
            *wrapper,
            sys.executable,
            "-m",
            "faults.launch",
            "up",
            "--no-demo",
            "--port",
            str(self.port),
        ]
        command += ["--workers", str(self.workers), "--data-dir", str(self.home)]
        ports = {name: proxy.port for name, proxy in self.proxies.items()}
        environment = inherited_environment() | {
            "PYTHONPATH": str(ROOT),
            "BOXOFFICE_HOLD_SECONDS": str(HOLD_SECONDS),
            "BOXOFFICE_PAYMENT_SECONDS": str(PAYMENT_SECONDS),
            PROXIES: json.dumps(ports),
            WITHOUT: self.without,
        }
        with (self.home / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )

    def command_environment(self) -> dict[str, str]:
        """The environment for one of `boxoffice`'s commands beside it, which otherwise reads its data dir."""
        return inherited_environment()

    @property
    def has_ended(self) -> bool:
        """Whether what starts the processes has ended."""
        return self.process is None or self.process.poll() is not None

    async def wait_ready(self) -> None:
        """Waits until /readyz answers 200.

        Raises:
            RuntimeError: `up` ended, or the time is over.
        """
        deadline = time.monotonic() + _START_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while time.monotonic() < deadline:
                if self.has_ended:
                    break
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.base_url}/readyz")).status_code == 200:
                        self.secrets = json.loads((self.home / "secrets.json").read_text())
                        return
                await asyncio.sleep(0.1)
        raise RuntimeError(f"Boxoffice did not start; see {self.home / 'up.log'}.")

    def pid(self, part: str) -> int:
        """The process id of a part.

        Raises:
            LookupError: it is not running.
        """
        found = read_pid(self.home / "run" / f"{part}.pid")
        if found is None:
            raise LookupError(part)
        return found

    def has(self, part: str) -> bool:
        """Whether the installation has this part."""
        return (self.home / part).is_dir() or (self.home / "run" / f"{part}.pid").exists()

    def kill(self, part: str) -> None:
        """Sends kill -9; ignores a part that is not running."""
        with contextlib.suppress(ProcessLookupError, LookupError):
            os.kill(self.pid(part), signal.SIGKILL)

    def kill_everything(self) -> None:
        """Sends kill -9 to `up` and its descendants: like a power failure, except for the disk."""
        assert self.process is not None, "launch() was called"
        tree = _process_tree(self.process.pid)
        for one in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(tree, timeout=10)
        self.process.wait(10)

    @contextlib.contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Stops a part and its children with SIGSTOP, and continues them with SIGCONT."""
        try:
            tree = _process_tree(self.pid(part))
        except LookupError:
            tree = []
        _signal_all(tree, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_all(tree, signal.SIGCONT)

    async def stop(self) -> None:
        """Stops everything like Ctrl-C; kills it after a timeout."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                await asyncio.to_thread(self.process.wait, _STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill_everything()
        for proxy in self.proxies.values():
            await proxy.close()


def inherited_environment() -> dict[str, str]:
    """This process's environment without settings of Boxoffice."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOXOFFICE_")}


def _process_tree(pid: int) -> list[psutil.Process]:
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal_all(tree: list[psutil.Process], number: signal.Signals) -> None:
    for one in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)


@asynccontextmanager
async def start_installation(
    home: Path, rng: random.Random, *, workers: int = 2, without: str = "", log: Callable[[str], None]
) -> AsyncIterator[Installation]:
    """Starts an installation on an empty data dir; always stops it in the end."""
    installation = Installation(home, workers, without, rng)
    (home / "run").mkdir(parents=True, exist_ok=True)
    for part in EMBEDDED:
        installation.ports[part] = free_port()
        (home / "run" / f"{part}.port").write_text(f"{installation.ports[part]}\n")
    for part in PROXIED:
        installation.proxies[part] = Proxy(installation.ports[part], random.Random(rng.random()))
        await installation.proxies[part].open()
    log("starting PostgreSQL, Redis, Meilisearch, the local Stripe, the API and the worker")
    installation.launch()
    try:
        await installation.wait_ready()
        yield installation
    finally:
        await installation.stop()

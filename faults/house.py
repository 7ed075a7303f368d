"""An installation to attack: `boxoffice up` on a data dir of its own, its parts behind proxies."""

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
class House:
    """A running installation. Addresses of parts are their own: the checker does not go through proxies."""

    home: Path
    workers: int
    without: str
    dice: random.Random
    port: int = field(default_factory=free_port)
    ports: dict[str, int] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """Where the API processes listen."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """PostgreSQL itself."""
        password = self.secrets["postgres_password"]
        return f"postgresql://boxoffice:{password}@127.0.0.1:{self.ports['postgres']}/boxoffice"

    @property
    def stripe_url(self) -> str:
        """The local Stripe itself."""
        return f"http://127.0.0.1:{self.ports['stripe']}"

    @property
    def meilisearch_url(self) -> str:
        """Meilisearch itself."""
        return f"http://127.0.0.1:{self.ports['meilisearch']}"

    def redis(self) -> Redis:
        """A client of Redis itself."""
        return Redis(
            host="127.0.0.1",
            port=self.ports["redis"],
            password=self.secrets["redis_password"],
            socket_timeout=2.0,
        )

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to PostgreSQL itself."""
        connection = await asyncpg.connect(self.database_url, timeout=5.0, command_timeout=20.0)
        try:
            yield connection
        finally:
            connection.terminate()

    def token(self, user: str, *scopes: str) -> str:
        """A token signed with the installation's secret, good for a day."""
        claims = {"sub": user, "email": f"{user}@example.org", "scope": " ".join(scopes or ("buy",))}
        return jwt.encode({**claims, "exp": int(time.time()) + 86_400}, self.secrets["jwt_secret"], "HS256")

    def launch(self) -> None:
        """Start `up`; the data dir may have been used before."""
        tied = [*death_signal_wrapper(signal.SIGTERM), "--"] if SETPRIV else []
        command = [*tied, sys.executable, "-m", "faults.launch", "up", "--no-demo", "--port", str(self.port)]
        command += ["--workers", str(self.workers), "--data-dir", str(self.home)]
        ports = {name: proxy.port for name, proxy in self.proxies.items()}
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("BOXOFFICE_")
        } | {
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

    async def wait_ready(self) -> None:
        """Until /readyz is well.

        Raises:
            RuntimeError: `up` ended, or it took too long.
        """
        deadline = time.monotonic() + _START_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while time.monotonic() < deadline:
                if self.process is None or self.process.poll() is not None:
                    break
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.base_url}/readyz")).status_code == 200:
                        self.secrets = json.loads((self.home / "secrets.json").read_text())
                        return
                await asyncio.sleep(0.1)
        raise RuntimeError(f"Boxoffice did not start; see {self.home / 'up.log'}.")

    def pid(self, part: str) -> int:
        """The process of a part.

        Raises:
            LookupError: it has none now.
        """
        found = read_pid(self.home / "run" / f"{part}.pid")
        if found is None:
            raise LookupError(part)
        return found

    def has(self, part: str) -> bool:
        """Whether the installation has this part at all."""
        return (self.home / part).is_dir() or (self.home / "run" / f"{part}.pid").exists()

    def kill(self, part: str) -> None:
        """kill -9; a part that is down already stays so."""
        with contextlib.suppress(ProcessLookupError, LookupError):
            os.kill(self.pid(part), signal.SIGKILL)

    def kill_everything(self) -> None:
        """kill -9 of `up` and of every process that it has started: a power cut, but for the disk."""
        assert self.process is not None, "it was launched"
        family = _family(self.process.pid)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=10)
        self.process.wait(10)

    @contextlib.contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """SIGSTOP of a part with its children, SIGCONT in the end."""
        try:
            family = _family(self.pid(part))
        except LookupError:
            family = []
        _signal_all(family, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_all(family, signal.SIGCONT)

    async def stop(self) -> None:
        """Stop everything, as Ctrl-C does; what does not is killed."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                await asyncio.to_thread(self.process.wait, _STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill_everything()
        for proxy in self.proxies.values():
            await proxy.close()


def _family(pid: int) -> list[psutil.Process]:
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal_all(family: list[psutil.Process], number: signal.Signals) -> None:
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)


@asynccontextmanager
async def open_house(
    home: Path, dice: random.Random, *, workers: int = 2, without: str = "", say: Callable[[str], None]
) -> AsyncIterator[House]:
    """Start an installation on an empty data dir; stop it in the end, come what may."""
    house = House(home, workers, without, dice)
    (home / "run").mkdir(parents=True, exist_ok=True)
    for part in EMBEDDED:
        house.ports[part] = free_port()
        (home / "run" / f"{part}.port").write_text(f"{house.ports[part]}\n")
    for part in PROXIED:
        house.proxies[part] = Proxy(house.ports[part], random.Random(dice.random()))
        await house.proxies[part].open()
    say("starting PostgreSQL, Redis, Meilisearch, the local Stripe, the API and the worker")
    house.launch()
    try:
        await house.wait_ready()
        yield house
    finally:
        await house.stop()

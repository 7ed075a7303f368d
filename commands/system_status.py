"""The state of an installation: its processes, its stores and the sale, as far as they answer."""

import asyncio
import json
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from commands.banner import shown_host
from domain.ids import Kind, public_id
from settings import Settings
from telemetry.samples import Samples

if TYPE_CHECKING:
    from db.queries.figures import Demand

TIMEOUT_SECONDS = 5
_HOTTEST = 5
_LINE_FIGURES = ("waiting", "active", "rate_per_minute")


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the data dir, with a pid, or one elsewhere that publishes its figures."""

    running: bool
    pid: int | None = None
    memory_bytes: float | None = None
    loop_lag_seconds: float | None = None
    open_files: float | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """The sale according to the database."""

    holds_last_minute: int
    booked_of_them: int
    hottest: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database says: of the index, the sale, the refunds that wait, the leaders and the standby."""

    search_index: str
    sale: Sale | None = None
    refunds: dict[str, Any] = field(default_factory=dict)
    leaders: dict[str, dict[str, str]] = field(default_factory=dict)
    standby: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures that `boxoffice status` shows."""

    at: str
    address: str
    api: str
    parts: dict[str, dict[str, Any]]
    processes: dict[str, Process]
    search_index: str
    sale: Sale | None
    standby: str = ""
    leaders: dict[str, dict[str, str]] = field(default_factory=dict)
    outbox: dict[str, float | None] = field(default_factory=dict)
    orders: dict[str, float] = field(default_factory=dict)
    subscribers: dict[str, float] = field(default_factory=dict)
    waiting_rooms: dict[str, dict[str, float]] = field(default_factory=dict)
    refunds: dict[str, Any] = field(default_factory=dict)
    """How many wait to be sent, and when the last of them is due"""

    @property
    def well(self) -> bool:
        """Whether every process runs, every needed store answers, and the index is ready."""
        running = all(process.running for process in self.processes.values())
        return running and self.api == "ready" and self.search_index.startswith("ready")

    def as_json(self) -> str:
        """Return the figures as one line of JSON."""
        return json.dumps({**asdict(self), "well": self.well})


async def standing_of(settings: Settings) -> Standing:
    """Read every source at once; a source without an answer delays it by five seconds at most."""
    address = f"http://{shown_host(settings.host)}:{settings.port}"
    operations = f"http://{shown_host(settings.host)}:{settings.metrics_port or settings.port}"
    (api, parts), samples, stored = await asyncio.gather(
        asyncio.to_thread(_readiness, operations),
        asyncio.to_thread(_samples, operations),
        _of_database(settings),
    )
    return Standing(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        address=address,
        api=api,
        parts=parts,
        processes=_with_figures(process_states(settings.data_dir), samples),
        search_index=stored.search_index,
        sale=stored.sale,
        standby=stored.standby,
        leaders=stored.leaders,
        outbox={
            "waiting": samples.value("boxoffice_outbox_waiting"),
            "age_seconds": samples.value("boxoffice_outbox_age_seconds"),
        },
        orders=samples.by("boxoffice_orders_live", "state"),
        subscribers=samples.by("boxoffice_subscriptions", "transport"),
        waiting_rooms=_lines(samples),
        refunds=stored.refunds,
    )


def process_states(home: Path) -> dict[str, Process]:
    """Return for each pid file of the data dir whether its process runs."""
    from devservices.data_dir import works_below
    from devservices.part import processes, read_pid

    states = {}
    for path in sorted((home / "run").glob("*.pid")):
        if path.name == "up.pid":
            continue
        pid = read_pid(path)
        found = processes([pid]) if pid is not None else []
        states[path.stem] = Process(any(works_below(process, home) for process in found), pid)
    return states


def _with_figures(states: dict[str, Process], samples: Samples) -> dict[str, Process]:
    """Return the processes of the data dir, and those elsewhere that publish their figures."""
    memory = samples.by("process_resident_memory_bytes", "process")
    files = samples.by("process_open_fds", "process")
    late = samples.by("boxoffice_event_loop_lag_seconds_sum", "process")
    looks = samples.by("boxoffice_event_loop_lag_seconds_count", "process")
    reported = {
        name: Process(
            running=states[name].running if name in states else True,
            pid=states[name].pid if name in states else None,
            memory_bytes=memory.get(name),
            loop_lag_seconds=late[name] / looks[name] if looks.get(name) else None,
            open_files=files.get(name),
        )
        for name in samples.by("boxoffice_process", "process")
    }
    return {**states, **reported}


def _lines(samples: Samples) -> dict[str, dict[str, float]]:
    figures = {name: samples.by(f"boxoffice_waiting_room_{name}", "event") for name in _LINE_FIGURES}
    return {
        public_id(Kind.EVENT, UUID(event)): {name: figures[name].get(event, 0.0) for name in _LINE_FIGURES}
        for event in figures["waiting"]
    }


def _readiness(address: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the answer of /readyz, if there is one."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return "ready", json.loads(answer.read())["parts"]
    except urllib.error.HTTPError as refusal:
        return "not ready", _parts(refusal.read())
    except OSError as fault:
        return f"no answer from {address}/readyz ({fault})", {}


def _parts(body: bytes) -> dict[str, dict[str, Any]]:
    try:
        found: dict[str, dict[str, Any]] = json.loads(body)["parts"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found


def _samples(address: str) -> Samples:
    try:
        with urllib.request.urlopen(f"{address}/metrics", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return Samples(answer.read().decode())
    except (OSError, ValueError):
        return Samples("")


async def _of_database(settings: Settings) -> Stored:
    if not settings.database_url:
        return Stored("ready")
    from db.queries.figures import read_demand
    from db.queries.leases import read_leaders
    from db.queries.refunds import read_backlog
    from db.queries.replication import read_replication
    from db.session import DATABASE_AWAY, Database
    from services.search.deliver_changes import index_standing

    database = Database(settings.session_url, most=1)
    try:
        index = await index_standing(database)
        demand = await read_demand(database, _HOTTEST)
        waiting, last = await read_backlog(database)
        leaders = await read_leaders(database)
        replication = await read_replication(database)
    except DATABASE_AWAY as fault:
        return Stored(f"no answer from the database ({type(fault).__name__})")
    finally:
        await database.close()
    return Stored(
        search_index=index,
        sale=_sale(demand),
        refunds={"waiting": waiting, "last_due": None if last is None else _time(last)},
        leaders={each.name: {"process": each.holder, "since": _time(each.since)} for each in leaders},
        standby=replication.sentence,
    )


def _sale(demand: "Demand") -> Sale:
    hottest = tuple(
        {
            "event": public_id(Kind.EVENT, each.event_id),
            "name": each.name,
            "holds": each.holds,
            "booked": each.booked,
        }
        for each in demand.hottest
    )
    return Sale(demand.holds, demand.booked, hottest)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")

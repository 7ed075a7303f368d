"""A campaign: a workload, one seeded fault after another, and the time to recover after each."""

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from domain.ids import Kind, parse_id, public_id
from faults.availability_probe import AvailabilityProbe
from faults.buyers import Workload
from faults.catalogue import FAULTS, Fault
from faults.client import RecordingClient
from faults.cluster.catalogue import CLUSTER_FAULTS
from faults.cluster.installation import start_cluster
from faults.events import ORGANISER, open_event
from faults.guards import GUARDS
from faults.history import History
from faults.history_checks import Counts, check, count
from faults.installation import HOLD_SECONDS, PAYMENT_SECONDS, ROOT, Installation, start_installation
from faults.state_checks import over_time, unsettled
from faults.system_state import UNAVAILABLE, SystemState, install_recorder, read_system
from faults.target import Target
from faults.violations import DEFECT, Violation
from faults.waiting_room import WaitingRoomLoad, check_waiting_room
from faults.watchers import Watcher, disagreements

SETTLE_SECONDS = 45.0
_CALM_SECONDS = 1.5
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a campaign."""

    seed: int
    minutes: float
    faults: tuple[str, ...]
    buyers: int = 12
    watchers: int = 4
    waiting: int = 8
    """People in the waiting room of another event."""
    workers: int = 2
    without: str = ""
    """The removed guard; '' for none."""
    rounds: int = 0
    """The maximum number of faults; 0 for no limit but the duration."""
    settle_seconds: float = SETTLE_SECONDS
    cluster: bool = False
    """An installation of many nodes."""
    expiry_seconds: float = HOLD_SECONDS + PAYMENT_SECONDS
    """How long the audit waits first, until every hold has expired."""


@dataclass(frozen=True, slots=True)
class Injection:
    """One injected fault and its effect. Times are seconds."""

    name: str
    what: str
    at: float
    lasted: float
    settled: float | None
    """From its end until every invariant holds; None if that did not happen."""
    unavailable: float
    """The longest time without a successful hold of an event of its own."""
    unavailable_struck: float
    """The same of the event that is sold, whose node a fault of one node strikes."""
    last: str
    """The last violation that disappeared."""


@dataclass(slots=True)
class Result:
    """The result of a campaign."""

    plan: Plan
    injections: list[Injection] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0, 0))
    unbooked: int = 0
    """Orders with captured money that are not booked, after settling."""
    updates: int = 0
    """The updates that the watchers received."""
    seconds: float = 0.0


@dataclass(slots=True)
class Campaign:
    """A running campaign."""

    plan: Plan
    installation: Installation
    api: RecordingClient
    workload: Workload
    probe: AvailabilityProbe
    struck: AvailabilityProbe
    """It asks for the event that is sold, as long as buyers do."""
    watchers: list[Watcher]
    target: Target
    result: Result
    background: list[asyncio.Task[None]]
    """The probes and the organiser who renames: they do not pause before the audit."""

    @property
    def unrecorded_intents(self) -> bool:
        """Whether Stripe has stored an error for an operation that succeeded."""
        return self.target.stored_failures


async def run(plan: Plan, directory: Path, progress: Progress, log: Callable[[str], None]) -> Result:
    """Starts an installation, injects the faults, audits it. Writes history and logs to `directory`."""
    rng = random.Random(plan.seed)
    history = History(directory / "history.jsonl")
    started = time.monotonic()
    try:
        async with (
            starting_of(plan, directory / "data", rng, log) as installation,
            under_load(plan, installation, history, rng) as campaign,
        ):
            await _inject_all(campaign, rng, progress, log)
            await _audit(campaign, log)
            if not plan.without:
                await _run_doctor(campaign, log)
            campaign.result.seconds = time.monotonic() - started
            return campaign.result
    finally:
        history.close()


def starting_of(
    plan: Plan, home: Path, rng: random.Random, log: Callable[[str], None]
) -> AbstractAsyncContextManager[Installation]:
    """The installation of a plan, which starts as a block begins and stops as it ends."""
    if plan.cluster:
        return start_cluster(home, rng, without=plan.without, log=log)
    return start_installation(home, rng, workers=plan.workers, without=plan.without, log=log)


@asynccontextmanager
async def under_load(
    plan: Plan, installation: Installation, history: History, rng: random.Random
) -> AsyncIterator[Campaign]:
    """Runs buyers, watchers and the probe until the end of the block."""
    await install_recorder(installation)
    api = RecordingClient(installation.base_url, history)
    organiser = installation.token(ORGANISER, "buy", "organise")
    on_sale = await open_event(api, organiser, "Main")
    probed = await open_event(api, organiser, "AvailabilityProbe", rows=0, standing=400)
    waited = await open_event(api, organiser, "WaitingRoomLoad", rows=0, standing=200)
    workload = Workload(api, installation, on_sale, random.Random(rng.random()))
    probe = AvailabilityProbe(api, installation, probed)
    struck = AvailabilityProbe(api, installation, on_sale, "struck", workload.open)
    room = WaitingRoomLoad(api, installation, waited, random.Random(rng.random()), workload.open)
    await room.prepare()
    watchers = [
        Watcher(f"watcher-{n}", installation.base_url, on_sale.event_id) for n in range(plan.watchers)
    ]
    if plan.without:
        await _remove_guard_in_database(installation, plan.without)
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        target = Target(installation, api, workload, random.Random(rng.random()), client)
        jobs = (probe.run(), struck.run(), _rename(api, on_sale.event_id, organiser))
        background = [asyncio.create_task(job) for job in jobs]
        tasks = [*background, *(asyncio.create_task(watcher.watch()) for watcher in watchers)]
        tasks += [asyncio.create_task(workload.buyer(number)) for number in range(plan.buyers)]
        tasks += [asyncio.create_task(room.person(number)) for number in range(plan.waiting)]
        workload.open.set()
        try:
            result = Result(plan)
            yield Campaign(
                plan, installation, api, workload, probe, struck, watchers, target, result, background
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await workload.close()
            await api.close()


async def _remove_guard_in_database(installation: Installation, guard: str) -> None:
    if GUARDS[guard].sql:
        async with installation.database() as connection:
            await connection.execute(GUARDS[guard].sql)


async def _rename(api: RecordingClient, event_id: str, token: str) -> None:
    """An organiser who renames the event every second, so that the index has work."""
    number = 0
    while True:
        number += 1
        await api.call(ORGANISER, "rename", {"eventId": event_id, "name": f"Main {number}"}, token)
        await asyncio.sleep(1.0)


def schedule(plan: Plan, rng: random.Random) -> Sequence[Fault]:
    """The faults of one round, each once, in a seeded order."""
    known = CLUSTER_FAULTS if plan.cluster else FAULTS
    names = [name for name in plan.faults or known if known[name].is_possible()]
    rng.shuffle(names)
    return [known[name] for name in names]


async def _inject_all(
    campaign: Campaign, rng: random.Random, progress: Progress, log: Callable[[str], None]
) -> None:
    plan, began = campaign.plan, time.monotonic()
    budget = plan.minutes * 60
    await asyncio.sleep(_CALM_SECONDS)
    while not campaign.result.injections or (not plan.rounds and time.monotonic() - began < budget):
        for fault in schedule(plan, rng)[: plan.rounds or None]:
            if campaign.result.injections and time.monotonic() - began > budget:
                return
            injection = await _inject(campaign, fault)
            campaign.result.injections.append(injection)
            settled = (
                "never settled" if injection.settled is None else f"settled in {injection.settled:.1f} s"
            )
            others, own = injection.unavailable, injection.unavailable_struck
            log(f"{fault.name}: {settled}, no holds for {own:.1f} s, elsewhere for {others:.1f} s")
            progress(int(time.monotonic() - began), int(budget), "seconds")
            if injection.settled is None:
                return


async def _inject(campaign: Campaign, fault: Fault) -> Injection:
    """Injects one fault under load; then the buyers pause until the system has settled."""
    history, workload = campaign.api.history, campaign.workload
    workload.open.set()
    await asyncio.sleep(_CALM_SECONDS)
    history.note("fault begins", fault=fault.name)
    began = time.time()
    async with fault.inject(campaign.target):
        await asyncio.sleep(fault.seconds)
    ended = time.time()
    history.note("fault ends", fault=fault.name)
    struck = campaign.struck.longest_gap(began, ended)
    workload.open.clear()
    await campaign.target.hurry_stripe() if fault.name == "webhooks-late" else None
    settled, left = await _settle(campaign)
    if settled is None:
        campaign.result.violations += left
    last = left[0].text if left else ""
    history.note("settled", fault=fault.name, seconds=settled, last=last)
    unavailable = campaign.probe.longest_gap(began, time.time())
    return Injection(fault.name, fault.what, began, ended - began, settled, unavailable, struck, last)


async def _settle(campaign: Campaign) -> tuple[float | None, list[Violation]]:
    """Seconds until all parts agree, None if they never do; and the last violations."""
    began = time.monotonic()
    left: list[Violation] = []
    while time.monotonic() - began < campaign.plan.settle_seconds:
        with contextlib.suppress(*UNAVAILABLE):
            found = unsettled(_without_probe(campaign, await read_system(campaign.installation)))
            if not found:
                return time.monotonic() - began, left
            left = found
        await asyncio.sleep(0.2)
    return None, left or [Violation(DEFECT, "a part is still unavailable")]


def _without_probe(campaign: Campaign, system: SystemState) -> SystemState:
    """The system without the probed event and without changes as recent as a request."""
    probe = _event_uuid(campaign.probe.on_sale.event_id)
    keys = {str(order.id) for order in system.orders.values() if order.event_id == probe}
    system.orders = {key: order for key, order in system.orders.items() if order.event_id != probe}
    system.maps.pop(probe, None)
    system.tasks = [task for task in system.tasks if task[1] not in keys and task[1] != str(probe)]
    system.unindexed = 0 if system.unindexed <= 2 else system.unindexed
    system.documents = None
    system.unrecorded_intents = campaign.unrecorded_intents
    return system


def _event_uuid(event_id: str) -> UUID:
    return parse_id(event_id, Kind.EVENT)


async def _audit(campaign: Campaign, log: Callable[[str], None]) -> None:
    """Waits until every hold has expired, stops all work, and compares all parts."""
    log("waiting for holds to expire, then auditing")
    campaign.workload.open.clear()
    for task in campaign.background:
        task.cancel()
    await asyncio.sleep(campaign.plan.expiry_seconds)
    result, began = campaign.result, time.monotonic()
    left: list[Violation] = [Violation(DEFECT, "a part is still unavailable")]
    system = None
    while left and time.monotonic() - began < campaign.plan.settle_seconds:
        with contextlib.suppress(*UNAVAILABLE):
            system = await read_system(campaign.installation, transitions=True)
            system.unrecorded_intents = campaign.unrecorded_intents
            left = [*unsettled(system), *watcher_violations(campaign, system)]
        await asyncio.sleep(0.3)
    result.violations += left
    if system is not None:
        _check_history(campaign, system)
    result.violations += leaks_in_logs(campaign.installation)
    result.violations = sorted(set(result.violations))
    result.updates = sum(watcher.received for watcher in campaign.watchers)


async def _run_doctor(campaign: Campaign, log: Callable[[str], None]) -> None:
    """Runs `boxoffice doctor`, which must find nothing after a clean audit."""
    command = [sys.executable, "-m", "cli", "doctor", "--data-dir", str(campaign.installation.home)]
    doctor = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=campaign.installation.command_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await doctor.communicate()
    log(said.decode().strip().splitlines()[-1] if said else "the doctor printed nothing")
    if doctor.returncode != 0:
        text = f"boxoffice doctor ended with {doctor.returncode}: {said.decode().strip()[-2000:]}"
        campaign.result.violations.append(Violation(DEFECT, text))


def _check_history(campaign: Campaign, system: SystemState) -> None:
    result, calls = campaign.result, campaign.api.history.calls
    states = {public_id(Kind.ORDER, order.id): order.state for order in system.orders.values()}
    cancelled = {key for key, (_, state) in system.events.items() if state == "CANCELLED"}
    excused = {
        public_id(Kind.ORDER, order.id) for order in system.orders.values() if order.event_id in cancelled
    }
    result.violations += [*over_time(system), *check(calls, states, excused), *check_waiting_room(calls)]
    result.counts = count(calls, result.violations)
    kept: dict[str | None, int] = {}
    for intent in system.intents:
        kept[intent.order_id] = kept.get(intent.order_id, 0) + intent.captured - intent.refunded - intent.lost
    result.unbooked = sum(
        order.state != "BOOKED" and kept.get(str(order.id), 0) > order.waiting_minor
        for order in system.orders.values()
    )


def watcher_violations(campaign: Campaign, system: SystemState) -> list[Violation]:
    """Invariant 8: every watcher has the server's map, and every gap was resolved."""
    seen = system.maps.get(_event_uuid(campaign.workload.on_sale.event_id))
    found = [error for watcher in campaign.watchers for error in watcher.errors]
    found += disagreements(campaign.watchers)
    if seen is not None:
        places = seen.places[: campaign.workload.on_sale.seats].decode()
        found += [
            f"{watcher.name} has another map than the server ({watcher.version}, {seen.version})"
            for watcher in campaign.watchers
            if "".join(watcher.map) != places
        ]
    leaks = [Violation(12, f"{one.name} received a secret") for one in campaign.watchers if one.secrets]
    return [Violation(8, text) for text in found] + leaks


def leaks_in_logs(installation: Installation) -> list[Violation]:
    """Invariant 12: no log of ours contains a secret."""
    marks = [secret.encode() for secret in installation.secrets.values()] + [b"_secret_", b"4242424242424242"]
    return [
        Violation(12, f"{path.name} contains a secret")
        for path in sorted((installation.home / "log").glob("*.log"))
        if any(mark in path.read_bytes() for mark in marks)
    ]

"""A campaign: load, one fault after another from a seed, and after each the time until all is well again."""

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from domain.ids import Kind, public_id
from faults.buyers import Crowd
from faults.catalogue import FAULTS, Fault
from faults.guards import GUARDS
from faults.history import History
from faults.history_checks import Counts, check, count
from faults.house import HOLD_SECONDS, PAYMENT_SECONDS, ROOT, House, open_house
from faults.line import Line, check_line
from faults.market import ORGANISER, open_event
from faults.pulse import Pulse
from faults.scene import Scene
from faults.shop import Shop
from faults.state_checks import over_time, unsettled
from faults.verdicts import OUR_FAULT, Violation
from faults.watchers import Watcher, disagreements
from faults.world import AWAY, World, install_recorder, read_world

SETTLE_SECONDS = 45.0
_CALM_SECONDS = 1.5
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign does."""

    seed: int
    minutes: float
    faults: tuple[str, ...]
    buyers: int = 12
    watchers: int = 4
    waiting: int = 8
    """People in the waiting room of another event."""
    workers: int = 2
    without: str = ""
    """The guard that is gone; '' for none."""
    rounds: int = 0
    """How many faults at most; 0 for as many as the minutes hold."""
    settle_seconds: float = SETTLE_SECONDS
    lapse_seconds: float = HOLD_SECONDS + PAYMENT_SECONDS
    """How long the audit waits first, so that no hold is left."""


@dataclass(frozen=True, slots=True)
class Struck:
    """One fault, and how long it was felt. Seconds."""

    name: str
    at: float
    lasted: float
    settled: float | None
    """After its end, until every invariant held again; None where that never came."""
    unavailable: float
    """The longest time in which no hold was given."""
    last: str
    """What was settled last."""


@dataclass(slots=True)
class Result:
    """What came of a campaign."""

    plan: Plan
    struck: list[Struck] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0, 0))
    unbooked: int = 0
    """Orders whose money was captured and that are not booked, after settling."""
    updates: int = 0
    """What the watchers were told."""
    seconds: float = 0.0


@dataclass(slots=True)
class Campaign:
    """A running one."""

    plan: Plan
    house: House
    shop: Shop
    crowd: Crowd
    pulse: Pulse
    watchers: list[Watcher]
    scene: Scene
    result: Result
    background: list[asyncio.Task[None]]
    """The pulse, and the organiser who renames: work that never pauses before the audit."""

    @property
    def strays(self) -> bool:
        """Whether Stripe has stored a failure of what it had done."""
        return self.scene.stored_failures


async def run(plan: Plan, directory: Path, progress: Progress, say: Callable[[str], None]) -> Result:
    """Start an installation, attack it, audit it. `directory` gets the history and the logs."""
    dice = random.Random(plan.seed)
    history = History(directory / "history.jsonl")
    started = time.monotonic()
    try:
        house_of = open_house(directory / "data", dice, workers=plan.workers, without=plan.without, say=say)
        async with house_of as house, _load(plan, house, history, dice) as campaign:
            await _strike_all(campaign, dice, progress, say)
            await _audit(campaign, say)
            if not plan.without:
                await _ask_the_doctor(campaign, say)
            campaign.result.seconds = time.monotonic() - started
            return campaign.result
    finally:
        history.close()


@asynccontextmanager
async def _load(plan: Plan, house: House, history: History, dice: random.Random) -> AsyncIterator[Campaign]:
    """Buyers, watchers and the pulse, at work until the end of the block."""
    await install_recorder(house)
    shop = Shop(house.base_url, history)
    organiser = house.token(ORGANISER, "buy", "organise")
    market = await open_event(shop, organiser, "Main")
    other = await open_event(shop, organiser, "Pulse", rows=0, standing=400)
    waited = await open_event(shop, organiser, "Line", rows=0, standing=200)
    crowd = Crowd(shop, house, market, random.Random(dice.random()))
    pulse = Pulse(shop, house, other)
    line = Line(shop, house, waited, random.Random(dice.random()), crowd.open)
    await line.prepare()
    watchers = [Watcher(f"watcher-{n}", house.base_url, market.event_id) for n in range(plan.watchers)]
    if plan.without:
        await _unguard(house, plan.without)
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        scene = Scene(house, shop, crowd, random.Random(dice.random()), client)
        background = [
            asyncio.create_task(pulse.run()),
            asyncio.create_task(_rename(shop, market.event_id, organiser)),
        ]
        works = [*background, *(asyncio.create_task(watcher.watch()) for watcher in watchers)]
        works += [asyncio.create_task(crowd.buyer(number)) for number in range(plan.buyers)]
        works += [asyncio.create_task(line.person(number)) for number in range(plan.waiting)]
        crowd.open.set()
        try:
            yield Campaign(plan, house, shop, crowd, pulse, watchers, scene, Result(plan), background)
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            await crowd.close()
            await shop.close()


async def _unguard(house: House, guard: str) -> None:
    if GUARDS[guard].sql:
        async with house.database() as connection:
            await connection.execute(GUARDS[guard].sql)


async def _rename(shop: Shop, event_id: str, token: str) -> None:
    """An organiser who cannot make up their mind about a name: work for the index."""
    number = 0
    while True:
        number += 1
        await shop.call(ORGANISER, "rename", {"eventId": event_id, "name": f"Main {number}"}, token)
        await asyncio.sleep(1.0)


def schedule(plan: Plan, dice: random.Random) -> Sequence[Fault]:
    """The faults of one round, each once, in an order that the seed decides."""
    names = list(plan.faults or FAULTS)
    dice.shuffle(names)
    return [FAULTS[name] for name in names]


async def _strike_all(
    campaign: Campaign, dice: random.Random, progress: Progress, say: Callable[[str], None]
) -> None:
    plan, began = campaign.plan, time.monotonic()
    budget = plan.minutes * 60
    await asyncio.sleep(_CALM_SECONDS)
    while not campaign.result.struck or (not plan.rounds and time.monotonic() - began < budget):
        for fault in schedule(plan, dice)[: plan.rounds or None]:
            if campaign.result.struck and time.monotonic() - began > budget:
                return
            struck = await _strike(campaign, fault)
            campaign.result.struck.append(struck)
            settled = "never settled" if struck.settled is None else f"settled in {struck.settled:.1f} s"
            say(f"{fault.name}: {settled}, no holds for {struck.unavailable:.1f} s")
            progress(int(time.monotonic() - began), int(budget), "seconds")
            if struck.settled is None:
                return


async def _strike(campaign: Campaign, fault: Fault) -> Struck:
    """One fault under load; then the buyers pause until everything agrees."""
    history, crowd = campaign.shop.history, campaign.crowd
    crowd.open.set()
    await asyncio.sleep(_CALM_SECONDS)
    history.note("fault begins", fault=fault.name)
    began = time.time()
    async with fault.strike(campaign.scene):
        await asyncio.sleep(fault.seconds)
    ended = time.time()
    history.note("fault ends", fault=fault.name)
    crowd.open.clear()
    await campaign.scene.hurry_stripe() if fault.name == "webhooks-late" else None
    settled, left = await _settle(campaign)
    if settled is None:
        campaign.result.violations += left
    last = left[0].text if left else ""
    history.note("settled", fault=fault.name, seconds=settled, last=last)
    unavailable = campaign.pulse.longest_gap(began, time.time())
    return Struck(fault.name, began, ended - began, settled, unavailable, last)


async def _settle(campaign: Campaign) -> tuple[float | None, list[Violation]]:
    """Seconds until every part agrees with every other, None where that never came; and what came last."""
    began = time.monotonic()
    left: list[Violation] = []
    while time.monotonic() - began < campaign.plan.settle_seconds:
        with contextlib.suppress(*AWAY):
            found = unsettled(_without_pulse(campaign, await read_world(campaign.house)))
            if not found:
                return time.monotonic() - began, left
            left = found
        await asyncio.sleep(0.2)
    return None, left or [Violation(OUR_FAULT, "a part did not come back")]


def _without_pulse(campaign: Campaign, world: World) -> World:
    """The world without the event whose pulse goes on, and without what is as young as a request."""
    pulse = UUID(int=_key_of(campaign.pulse.market.event_id))
    keys = {str(order.id) for order in world.orders.values() if order.event_id == pulse}
    world.orders = {key: order for key, order in world.orders.items() if order.event_id != pulse}
    world.maps.pop(pulse, None)
    world.tasks = [task for task in world.tasks if task[1] not in keys and task[1] != str(pulse)]
    world.unindexed = 0 if world.unindexed <= 2 else world.unindexed
    world.documents = None
    world.strays = campaign.strays
    return world


def _key_of(text: str) -> int:
    from domain.ids import parse_id

    return parse_id(text, Kind.EVENT).int


async def _audit(campaign: Campaign, say: Callable[[str], None]) -> None:
    """Let every hold lapse, stop everybody, and hold everything against everything."""
    say("letting every hold lapse, then auditing")
    campaign.crowd.open.clear()
    for work in campaign.background:
        work.cancel()
    await asyncio.sleep(campaign.plan.lapse_seconds)
    result, began = campaign.result, time.monotonic()
    left: list[Violation] = [Violation(OUR_FAULT, "a part did not come back")]
    world = None
    while left and time.monotonic() - began < campaign.plan.settle_seconds:
        with contextlib.suppress(*AWAY):
            world = await read_world(campaign.house, transitions=True)
            world.strays = campaign.strays
            left = [*unsettled(world), *watcher_violations(campaign, world)]
        await asyncio.sleep(0.3)
    result.violations += left
    if world is not None:
        _conclude(campaign, world)
    result.violations += leaks_in_logs(campaign.house)
    result.violations = sorted(set(result.violations))
    result.updates = sum(watcher.told for watcher in campaign.watchers)


async def _ask_the_doctor(campaign: Campaign, say: Callable[[str], None]) -> None:
    """`boxoffice doctor` must find what the audit finds: nothing."""
    command = [sys.executable, "-m", "cli", "doctor", "--data-dir", str(campaign.house.home)]
    doctor = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await doctor.communicate()
    say(said.decode().strip().splitlines()[-1] if said else "the doctor said nothing")
    if doctor.returncode != 0:
        text = f"boxoffice doctor ended with {doctor.returncode}: {said.decode().strip()[-2000:]}"
        campaign.result.violations.append(Violation(OUR_FAULT, text))


def _conclude(campaign: Campaign, world: World) -> None:
    result, calls = campaign.result, campaign.shop.history.calls
    states = {public_id(Kind.ORDER, order.id): order.state for order in world.orders.values()}
    cancelled = {key for key, (_, state) in world.events.items() if state == "CANCELLED"}
    excused = {
        public_id(Kind.ORDER, order.id) for order in world.orders.values() if order.event_id in cancelled
    }
    result.violations += [*over_time(world), *check(calls, states, excused), *check_line(calls)]
    result.counts = count(calls, result.violations)
    kept: dict[str | None, int] = {}
    for intent in world.intents:
        kept[intent.order_id] = kept.get(intent.order_id, 0) + intent.captured - intent.refunded
    result.unbooked = sum(
        order.state != "BOOKED" and kept.get(str(order.id), 0) > 0 for order in world.orders.values()
    )


def watcher_violations(campaign: Campaign, world: World) -> list[Violation]:
    """Invariant 8: every watcher has the server's map, and saw no gap that did not heal."""
    seen = world.maps.get(UUID(int=_key_of(campaign.crowd.market.event_id)))
    found = [fault for watcher in campaign.watchers for fault in watcher.faults]
    found += disagreements(campaign.watchers)
    if seen is not None:
        places = seen.places[: campaign.crowd.market.seats].decode()
        found += [
            f"{watcher.name} has another map than the server ({watcher.version}, {seen.version})"
            for watcher in campaign.watchers
            if "".join(watcher.map) != places
        ]
    leaks = [Violation(12, f"{one.name} was told a secret") for one in campaign.watchers if one.secrets]
    return [Violation(8, text) for text in found] + leaks


def leaks_in_logs(house: House) -> list[Violation]:
    """Invariant 12: no secret stands in a log of ours."""
    marks = [secret.encode() for secret in house.secrets.values()] + [b"_secret_", b"4242424242424242"]
    return [
        Violation(12, f"a secret stands in {path.name}")
        for path in sorted((house.home / "log").glob("*.log"))
        if any(mark in path.read_bytes() for mark in marks)
    ]

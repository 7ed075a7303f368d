"""The faults by name. Each is a context: it begins, `make faults` waits for some seconds, it ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from faults.forgery import forged_webhooks
from faults.scene import Scene

Strike = Callable[[Scene], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong."""

    name: str
    what: str
    strike: Strike
    seconds: float = 3.0
    """How long it lasts."""


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, what: str, seconds: float = 3.0
) -> Callable[[Callable[[Scene], AsyncIterator[None]]], None]:
    """Enter a fault into the catalogue."""

    def enter(strike: Callable[[Scene], AsyncIterator[None]]) -> None:
        FAULTS[name] = Fault(name, what, asynccontextmanager(strike), seconds)

    return enter


def _killing(part: str) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        scene.house.kill(part)
        yield

    return strike


def _freezing(part: str) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        with scene.house.frozen(part):
            yield

    return strike


_PARTS = {
    "postgres": "PostgreSQL",
    "redis": "Redis",
    "meilisearch": "Meilisearch",
    "worker": "the worker",
    "api-0": "one API process",
    "stripe": "Stripe",
}
for _part, _name in _PARTS.items():
    fault(f"kill-{_part}", f"kill -9 of {_name}")(_killing(_part))
    fault(f"freeze-{_part}", f"SIGSTOP of {_name}, then SIGCONT", 4.0)(_freezing(_part))


@fault("kill-all", "kill -9 of every process at once, `up` too; then it is started again")
async def _kill_all(scene: Scene) -> AsyncIterator[None]:
    await asyncio.to_thread(scene.house.kill_everything)
    scene.house.launch()
    await scene.house.wait_ready()
    yield


@fault("flush-redis", "FLUSHALL, again and again, while requests go on")
async def _flush(scene: Scene) -> AsyncIterator[None]:
    async with _going_on(_flushes(scene)):
        yield


@fault("flush-slow-commits", "FLUSHALL while commits take up to a second: maps are built without them", 4.0)
async def _flush_slow_commits(scene: Scene) -> AsyncIterator[None]:
    proxy = scene.house.proxies["postgres"]
    proxy.slow_mark = b"COMMIT"
    try:
        async with _going_on(_flushes(scene)):
            yield
    finally:
        proxy.heal()


async def _flushes(scene: Scene) -> None:
    redis = scene.house.redis()
    try:
        while True:
            await redis.flushall()
            await asyncio.sleep(scene.dice.uniform(0.1, 0.8))
    finally:
        await redis.aclose()


@asynccontextmanager
async def _going_on(work) -> AsyncIterator[None]:  # type: ignore[no-untyped-def]
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task


def _losing(part: str, mark: bytes, share: float) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        proxy = scene.house.proxies[part]
        proxy.lost_mark, proxy.lost_share = mark, share
        try:
            yield
        finally:
            proxy.heal()

    return strike


fault("redis-replies-lost", "one Redis answer in ten is lost after it took effect")(
    _losing("redis", b"", 0.1)
)
fault("commit-replies-lost", "half of all COMMITs are answered to nobody")(
    _losing("postgres", b"COMMIT", 0.5)
)
fault("postgres-replies-lost", "one PostgreSQL answer in twenty is lost")(_losing("postgres", b"", 0.05))
fault("stripe-replies-lost", "three of Stripe's answers in ten are lost")(_losing("stripe", b"POST", 0.3))


def _cutting(part: str) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        async def cut() -> None:
            while True:
                scene.house.proxies[part].cut()
                await asyncio.sleep(scene.dice.uniform(0.1, 0.7))

        async with _going_on(cut()):
            yield

    return strike


def _stalling(part: str) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        scene.house.proxies[part].stalled = True
        try:
            yield
        finally:
            scene.house.proxies[part].heal()

    return strike


def _refusing(part: str) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        proxy = scene.house.proxies[part]
        proxy.refusing = True
        proxy.cut()
        try:
            yield
        finally:
            proxy.heal()

    return strike


for _part in ("postgres", "redis", "stripe"):
    _name = _PARTS[_part]
    fault(f"{_part}-cut", f"every connection to {_name} is reset, again and again")(_cutting(_part))
    fault(f"{_part}-silent", f"{_name} answers nothing, its connections stay open", 4.0)(_stalling(_part))
    fault(f"{_part}-unreachable", f"connections to {_name} are refused")(_refusing(_part))


@fault("database-read-only", "every write fails, as on a full disk")
async def _read_only(scene: Scene) -> AsyncIterator[None]:
    async def turn(value: str) -> None:
        async with scene.house.database() as connection:
            await connection.execute("SET default_transaction_read_only = off")
            await connection.execute(f"ALTER DATABASE boxoffice SET default_transaction_read_only = {value}")
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'boxoffice' AND pid <> pg_backend_pid()"
            )

    await turn("on")
    try:
        yield
    finally:
        await turn("off")


def _at_stripe(*faults: tuple[str, dict[str, object]]) -> Callable[[Scene], AsyncIterator[None]]:
    async def strike(scene: Scene) -> AsyncIterator[None]:
        for kind, more in faults:
            await scene.stripe_fault(kind, **more)  # type: ignore[arg-type]
        browser, scene.crowd.habits.browser = scene.crowd.habits.browser, 0.6
        try:
            yield
        finally:
            scene.crowd.habits.browser = browser
            await scene.heal_stripe()

    return strike


fault("webhooks-dropped", "no webhook is sent", 5.0)(_at_stripe(("webhook.drop", {})))
fault("webhooks-doubled", "every webhook comes four times")(
    _at_stripe(("webhook.duplicate", {"params": {"copies": 3}}))
)
fault("webhooks-reordered", "webhooks overtake one another")(
    _at_stripe(("webhook.reorder", {"params": {"behind": 3, "most_seconds": 3}}))
)
fault("webhooks-late", "webhooks come after every deadline", 5.0)(
    _at_stripe(("webhook.delay", {"params": {"seconds": 14}}))
)
fault("webhooks-wrong", "webhooks name another amount, currency and order")(
    _at_stripe(
        ("webhook.alter", {"params": {"amount": 1, "currency": "jpy", "metadata": {"order_id": "0" * 8}}})
    )
)
fault("webhooks-signed-badly", "webhooks come with a wrong signature, then rightly")(
    _at_stripe(("webhook.signature", {"params": {"secret": "whsec_wrong"}}))
)
fault("intents-altered", "intents turn out to be over another amount")(
    _at_stripe(
        ("intent.alter", {"match": {"operation": "payment_intent.confirm"}, "params": {"amount": 100}})
    )
)
fault("stripe-errors", "Stripe answers 500, having done it or not")(
    _at_stripe(
        ("api.error", {"count": 6, "params": {"status": 500, "when": "after"}}),
        ("api.error", {"count": 6, "params": {"status": 500, "when": "before"}}),
    )
)
fault("stripe-slow", "Stripe takes seconds, and the hold lapses meanwhile", 5.0)(
    _at_stripe(("api.hang", {"match": {"operation": "payment_intent.*"}, "params": {"seconds": 4}}))
)
fault("refunds-fail", "refunds are refused, or bounce later")(
    _at_stripe(
        ("refund.fail", {"count": 3}), ("refund.pending_then_fail", {"count": 3, "params": {"seconds": 1}})
    )
)


@fault("captures-fail", "captures fail once, and for some cards for ever", 4.0)
async def _captures_fail(scene: Scene) -> AsyncIterator[None]:
    async def spoil() -> None:
        while True:
            await scene.stripe_fault("capture.fail", count=1)
            await asyncio.sleep(1.5)

    habits = scene.crowd.habits
    cards, habits.cards = habits.cards, (*habits.cards, "pm_card_captureFails")
    try:
        async with _going_on(spoil()):
            yield
    finally:
        habits.cards = cards
        await scene.heal_stripe()


@fault("clients-hang-up", "half of all buyers go away in the middle of a request", 4.0)
async def _hang_up(scene: Scene) -> AsyncIterator[None]:
    habits = scene.crowd.habits
    usual, habits.hang_up = habits.hang_up, 0.5
    try:
        yield
    finally:
        habits.hang_up = usual


@fault("late-payments", "buyers pay as their hold lapses", 7.0)
async def _late(scene: Scene) -> AsyncIterator[None]:
    habits = scene.crowd.habits
    usual, habits.late = habits.late, 0.9
    try:
        yield
    finally:
        habits.late = usual


@fault("webhooks-forged", "somebody who is not Stripe sends webhooks")
async def _forged(scene: Scene) -> AsyncIterator[None]:
    await forged_webhooks(scene)
    yield


@fault("event-cancelled", "an event is cancelled in the middle of a rush", 4.0)
async def _cancelled(scene: Scene) -> AsyncIterator[None]:
    from faults.market import rush_and_cancel

    await rush_and_cancel(scene)
    yield

"""The faults by name. Each is a context manager: the fault lasts while the block runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from faults.dashboard import disputes, refund_by_hand
from faults.forgery import send_forged_webhooks
from faults.target import Target

Inject = Callable[[Target], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    name: str
    what: str
    inject: Inject
    seconds: float = 3.0
    """Its duration."""
    is_possible: Callable[[], bool] = lambda: True
    """Whether this machine can have it."""


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, what: str, seconds: float = 3.0
) -> Callable[[Callable[[Target], AsyncIterator[None]]], None]:
    """Registers a fault in the catalogue."""

    def register(inject: Callable[[Target], AsyncIterator[None]]) -> None:
        FAULTS[name] = Fault(name, what, asynccontextmanager(inject), seconds)

    return register


def _kill_part(part: str) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        target.installation.kill(part)
        yield

    return inject


def _freeze_part(part: str) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        with target.installation.frozen(part):
            yield

    return inject


_PARTS = {
    "postgres": "PostgreSQL",
    "redis": "Redis",
    "meilisearch": "Meilisearch",
    "worker": "the worker",
    "api-0": "one API process",
    "stripe": "Stripe",
}
for _part, _name in _PARTS.items():
    fault(f"kill-{_part}", f"kill -9 of {_name}")(_kill_part(_part))
    fault(f"freeze-{_part}", f"SIGSTOP of {_name}, then SIGCONT", 4.0)(_freeze_part(_part))


@fault("kill-all", "kill -9 of every process at once, with `up`; then a restart")
async def _kill_all(target: Target) -> AsyncIterator[None]:
    await asyncio.to_thread(target.installation.kill_everything)
    target.installation.launch()
    await target.installation.wait_ready()
    yield


@fault("flush-redis", "repeated FLUSHALL during requests")
async def _flush(target: Target) -> AsyncIterator[None]:
    async with _in_background(_flushes(target)):
        yield


@fault(
    "flush-slow-commits",
    "FLUSHALL while commits take up to a second, so that maps are rebuilt without them",
    4.0,
)
async def _flush_slow_commits(target: Target) -> AsyncIterator[None]:
    proxy = target.installation.proxies["postgres"]
    proxy.delay_marker = b"COMMIT"
    try:
        async with _in_background(_flushes(target)):
            yield
    finally:
        proxy.heal()


async def _flushes(target: Target) -> None:
    redis = target.installation.redis()
    try:
        while True:
            await redis.flushall()
            await asyncio.sleep(target.rng.uniform(0.1, 0.8))
    finally:
        await redis.aclose()


@asynccontextmanager
async def _in_background(work) -> AsyncIterator[None]:  # type: ignore[no-untyped-def]
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task


def _drop_responses(part: str, mark: bytes, share: float) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        proxy = target.installation.proxies[part]
        proxy.drop_marker, proxy.drop_share = mark, share
        try:
            yield
        finally:
            proxy.heal()

    return inject


fault("redis-replies-lost", "one Redis response in ten is lost after the command ran")(
    _drop_responses("redis", b"", 0.1)
)
fault("commit-replies-lost", "the responses of half of all COMMITs are lost")(
    _drop_responses("postgres", b"COMMIT", 0.5)
)
fault("postgres-replies-lost", "one PostgreSQL response in twenty is lost")(
    _drop_responses("postgres", b"", 0.05)
)
fault("stripe-replies-lost", "three of Stripe's responses in ten are lost")(
    _drop_responses("stripe", b"POST", 0.3)
)


def _reset_connections(part: str) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        async def reset() -> None:
            while True:
                target.installation.proxies[part].reset()
                await asyncio.sleep(target.rng.uniform(0.1, 0.7))

        async with _in_background(reset()):
            yield

    return inject


def _stall(part: str) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        target.installation.proxies[part].stalled = True
        try:
            yield
        finally:
            target.installation.proxies[part].heal()

    return inject


def _refuse_connections(part: str) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        proxy = target.installation.proxies[part]
        proxy.refusing = True
        proxy.reset()
        try:
            yield
        finally:
            proxy.heal()

    return inject


for _part in ("postgres", "redis", "stripe"):
    _name = _PARTS[_part]
    fault(f"{_part}-cut", f"every connection to {_name} is reset repeatedly")(_reset_connections(_part))
    fault(f"{_part}-silent", f"{_name} does not respond, its connections stay open", 4.0)(_stall(_part))
    fault(f"{_part}-unreachable", f"connections to {_name} are refused")(_refuse_connections(_part))


@fault("database-read-only", "every write fails, as on a full disk")
async def _read_only(target: Target) -> AsyncIterator[None]:
    async def turn(value: str) -> None:
        async with target.installation.database() as connection:
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


def _stripe_faults(*faults: tuple[str, dict[str, object]]) -> Callable[[Target], AsyncIterator[None]]:
    async def inject(target: Target) -> AsyncIterator[None]:
        for kind, more in faults:
            await target.stripe_fault(kind, **more)  # type: ignore[arg-type]
        browser, target.workload.behaviour.browser = target.workload.behaviour.browser, 0.6
        try:
            yield
        finally:
            target.workload.behaviour.browser = browser
            await target.heal_stripe()

    return inject


fault("webhooks-dropped", "no webhook is sent", 5.0)(_stripe_faults(("webhook.drop", {})))
fault("webhooks-doubled", "every webhook arrives four times")(
    _stripe_faults(("webhook.duplicate", {"params": {"copies": 3}}))
)
fault("webhooks-reordered", "webhooks arrive in another order")(
    _stripe_faults(("webhook.reorder", {"params": {"behind": 3, "most_seconds": 3}}))
)
fault("webhooks-late", "webhooks arrive after every deadline", 5.0)(
    _stripe_faults(("webhook.delay", {"params": {"seconds": 14}}))
)
fault("webhooks-wrong", "webhooks have another amount, currency and order")(
    _stripe_faults(
        ("webhook.alter", {"params": {"amount": 1, "currency": "jpy", "metadata": {"order_id": "0" * 8}}})
    )
)
fault("webhooks-signed-badly", "webhooks arrive with a wrong signature, then with a valid one")(
    _stripe_faults(("webhook.signature", {"params": {"secret": "whsec_wrong"}}))
)
fault("intents-altered", "intents have another amount")(
    _stripe_faults(
        ("intent.alter", {"match": {"operation": "payment_intent.confirm"}, "params": {"amount": 100}})
    )
)
fault("stripe-errors", "Stripe answers 500, before or after the operation")(
    _stripe_faults(
        ("api.error", {"count": 6, "params": {"status": 500, "when": "after"}}),
        ("api.error", {"count": 6, "params": {"status": 500, "when": "before"}}),
    )
)
fault("stripe-slow", "Stripe takes seconds, and the hold expires meanwhile", 5.0)(
    _stripe_faults(("api.hang", {"match": {"operation": "payment_intent.*"}, "params": {"seconds": 4}}))
)
fault("refunds-fail", "refunds are refused, or fail later")(
    _stripe_faults(
        ("refund.fail", {"count": 3}), ("refund.pending_then_fail", {"count": 3, "params": {"seconds": 1}})
    )
)


@fault("captures-fail", "captures fail once, and for some cards always", 4.0)
async def _captures_fail(target: Target) -> AsyncIterator[None]:
    async def fail_captures() -> None:
        while True:
            await target.stripe_fault("capture.fail", count=1)
            await asyncio.sleep(1.5)

    behaviour = target.workload.behaviour
    cards, behaviour.cards = behaviour.cards, (*behaviour.cards, "pm_card_captureFails")
    try:
        async with _in_background(fail_captures()):
            yield
    finally:
        behaviour.cards = cards
        await target.heal_stripe()


@fault("clients-hang-up", "half of all buyers disconnect in the middle of a request", 4.0)
async def _disconnect(target: Target) -> AsyncIterator[None]:
    behaviour = target.workload.behaviour
    usual, behaviour.disconnect = behaviour.disconnect, 0.5
    try:
        yield
    finally:
        behaviour.disconnect = usual


@fault("late-payments", "buyers pay as their hold expires", 7.0)
async def _late(target: Target) -> AsyncIterator[None]:
    behaviour = target.workload.behaviour
    usual, behaviour.late = behaviour.late, 0.9
    try:
        yield
    finally:
        behaviour.late = usual


@fault("webhooks-forged", "webhooks are forged")
async def _forged(target: Target) -> AsyncIterator[None]:
    await send_forged_webhooks(target)
    yield


@fault("event-cancelled", "an event is cancelled during a rush", 4.0)
async def _cancelled(target: Target) -> AsyncIterator[None]:
    from faults.events import rush_and_cancel

    await rush_and_cancel(target)
    yield


@fault("refunds-by-hand", "orders are refunded at Stripe by hand, and half of the webhooks are lost", 4.0)
async def _by_hand(target: Target) -> AsyncIterator[None]:
    try:
        async with _in_background(refund_by_hand(target)):
            yield
    finally:
        await target.heal_stripe()


@fault("disputes", "payments are disputed; the bank decides some of them", 4.0)
async def _disputed(target: Target) -> AsyncIterator[None]:
    async with disputes(target):
        yield

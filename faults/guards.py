"""Guards, and how each is taken away for a control run, which the checker must then catch.

Everything here happens from outside: a function replaced before the command starts, a changed copy of the
Lua scripts, or SQL in the run's own database. The product has no switch for any of it.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from domain.outbox import Topic


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that makes an invariant true, and what has to be struck to see it gone."""

    what: str
    invariants: tuple[int, ...]
    """Without it, at least one of these is violated."""
    faults: tuple[str, ...]
    remove: Callable[[], None] = lambda: None
    """In every process, before its command starts."""
    sql: str = ""
    """In the database, once it is migrated."""
    rounds: int = 1
    waiting: int = 3
    """People in the waiting room."""
    settle_seconds: float = 8.0
    """How long the checker waits for what will not come."""


def remove_guard(name: str) -> None:
    """Take a guard out of this process."""
    GUARDS[name].remove()


def _replace(room: object, **functions: Any) -> None:
    """Put others in the place of a module's functions or classes.

    Raises:
        AssertionError: it no longer has one of that name.
    """
    for name, function in functions.items():
        assert hasattr(room, name), f"{room} has no {name}"
        setattr(room, name, function)


def _changed_copy(folder: Path, name: str, changes: dict[str, str]) -> Path:
    """A copy of a folder of Lua scripts, with one of them changed.

    Raises:
        AssertionError: the script no longer has what was to be changed.
    """
    copy = Path(tempfile.mkdtemp(prefix="boxoffice-lua-")) / "lua"
    shutil.copytree(folder, copy)
    text = (copy / f"{name}.lua").read_text()
    for before, after in changes.items():
        assert before in text, f"{name}.lua has no {before!r}"
        text = text.replace(before, after)
    (copy / f"{name}.lua").write_text(text)
    return copy


def _careless_hold() -> None:
    import reservations.scripts
    from kit.lua import LuaScript

    copy = _changed_copy(
        reservations.scripts.FOLDER,
        "hold",
        {
            "if #taken_of(places) == 0 then": "if true then",
            "local free = redis.call('GETRANGE', KEYS[1], first, first + capacity - 1)": (
                "local free = string.rep('A', capacity)"
            ),
        },
    )
    reservations.scripts.SCRIPTS["hold"] = LuaScript.load(copy / "hold.lua")


def _boundless_admission() -> None:
    import waiting_room.scripts
    from kit.lua import LuaScript

    folder = Path(waiting_room.scripts.__file__).parent / "lua"
    copy = _changed_copy(folder, "admit", {"max_active - active": "tonumber(ARGV[2])"})
    waiting_room.scripts.SCRIPTS["admit"] = LuaScript.load(copy / "admit.lua")


def _empty_seat_source() -> None:
    from services.ordering import seat_rebuild

    async def live_claims(*_: Any) -> list[Any]:
        return []

    _replace(seat_rebuild, live_claims=live_claims)


def _candid_log() -> None:
    from kit import log_lines
    from payments.stripe_gateway import StripeGateway

    create_intent = StripeGateway.create_intent

    async def candid(self: Any, *arguments: Any, **more: Any) -> Any:
        intent = await create_intent(self, *arguments, **more)
        logging.getLogger("boxoffice.payments").warning("made %s", intent.client_secret)
        return intent

    _replace(StripeGateway, create_intent=candid)
    _replace(log_lines, redacted=lambda text: text)


def _unconditional_transitions() -> None:
    from services.ordering import cancel, outbox, pay, refund, settle

    async def set_order_state(connection: Any, order_id: UUID, state: str, **_: Any) -> bool:
        await connection.execute("UPDATE orders SET state = $2 WHERE id = $1", order_id, state)
        return True

    for module in (outbox, cancel, pay, refund, settle):
        _replace(module, set_order_state=set_order_state)


def _unconditional_payments() -> None:
    from services.ordering import settle

    async def set_payment_state(source: Any, order_id: UUID, state: str, **more: Any) -> bool:
        await source.fetch(
            "UPDATE payments SET state = $2, captured_minor = coalesce($3, captured_minor)"
            " WHERE order_id = $1",
            order_id,
            state,
            more.get("captured_minor"),
        )
        return True

    _replace(settle, set_payment_state=set_payment_state)


def _forgetful_keys() -> None:
    from services.ordering import reserve

    _replace(reserve, order_id_of=lambda *_: uuid4())


def _fresh_key(method: str) -> Callable[[], None]:
    def remove() -> None:
        from payments.stripe_gateway import StripeGateway

        faithful = getattr(StripeGateway, method)

        async def careless(self: Any, *arguments: Any, idempotency_key: str, **more: Any) -> Any:
            return await faithful(self, *arguments, idempotency_key=uuid4().hex, **more)

        setattr(StripeGateway, method, careless)

    return remove


def _gullible_webhooks() -> None:
    from payments import webhooks

    _replace(webhooks, _check_signature=lambda *_: None)


def _everything_fits() -> None:
    from services.ordering import settle

    _replace(settle, _fits=lambda *_: True)


def _same_versions() -> None:
    from services.ordering import seat_rebuild

    async def next_first_version(*_: Any) -> int:
        return 0

    _replace(seat_rebuild, next_first_version=next_first_version)


def _end_without_cancelling() -> None:
    from db.queries.orders import order_by_id
    from domain.states import OrderState
    from services.context import ServiceContext
    from services.ordering import cancel, expiry

    async def expire(context: ServiceContext, order_id: UUID) -> None:
        order = await order_by_id(context.database, order_id)
        assert order is not None, "it was lapsed a moment ago"
        await cancel.end_unpaid(context, order, OrderState.EXPIRED)

    _replace(expiry, _expire_paying=expire)


def _no_expiry() -> None:
    import workers.ordering

    async def nothing(_: Any) -> int:
        return 0

    _replace(workers.ordering, expire_lapsed=nothing)


def _losers_kept_waiting() -> None:
    from db.queries.outbox import write_task as write
    from services.ordering import settle

    async def write_task(connection: Any, topic: Topic, *rest: Any) -> None:
        if topic != Topic.CAPTURE_PAYMENT:
            await write(connection, topic, *rest)

    _replace(settle, write_task=write_task)


GUARDS: dict[str, Guard] = {
    "claims-index": Guard(
        "the partial unique index over live claims",
        (1,),
        ("flush-slow-commits",),
        sql="DROP INDEX claims_live",
        rounds=4,
    ),
    "hold-check": Guard(
        "the check in hold.lua, and the index behind it",
        (1,),
        ("clients-hang-up",),
        _careless_hold,
        sql="DROP INDEX claims_live",
    ),
    "order-condition": Guard(
        "the state that a transition of an order must leave",
        (6,),
        ("late-payments",),
        _unconditional_transitions,
    ),
    "payment-condition": Guard(
        "the state that a transition of a payment must leave",
        (5,),
        ("webhooks-doubled",),
        _unconditional_payments,
    ),
    "reserve-key": Guard(
        "an order's id follows from its idempotency key", (11,), ("clients-hang-up",), _forgetful_keys
    ),
    "intent-key": Guard(
        "one idempotency key for an order's intent",
        (5,),
        ("stripe-replies-lost",),
        _fresh_key("create_intent"),
        rounds=2,
    ),
    "refund-key": Guard(
        "one idempotency key for a refund",
        (0, 3, 5),
        ("stripe-replies-lost",),
        _fresh_key("refund"),
        rounds=2,
    ),
    "webhook-signature": Guard(
        "the check of a webhook's signature", (5,), ("webhooks-forged",), _gullible_webhooks
    ),
    "intent-fits": Guard(
        "an intent must be over the order's amount", (3,), ("intents-altered",), _everything_fits
    ),
    "epoch-versions": Guard(
        "versions that never repeat over epochs", (8,), ("flush-redis",), _same_versions, rounds=2
    ),
    "cancel-before-expiry": Guard(
        "an intent is cancelled before its order expires",
        (3,),
        ("webhooks-dropped",),
        _end_without_cancelling,
    ),
    "expiry": Guard("the sweep that ends lapsed orders", (2,), ("late-payments",), _no_expiry),
    "capture-task": Guard(
        "the capture is written with the booking", (3,), ("clients-hang-up",), _losers_kept_waiting
    ),
    "synchronous-commit": Guard(
        "a commit is on the disk before it is acknowledged",
        (4,),
        ("kill-postgres",),
        sql="ALTER DATABASE boxoffice SET synchronous_commit = off; SELECT pg_terminate_backend(pid)"
        " FROM pg_stat_activity WHERE application_name = 'boxoffice'",
        rounds=3,
    ),
    "seat-source": Guard(
        "a lost map is built from the claims in PostgreSQL", (7,), ("flush-redis",), _empty_seat_source
    ),
    "admission-cap": Guard(
        "no more are admitted than may shop at once",
        (10,),
        ("clients-hang-up",),
        _boundless_admission,
        rounds=2,
        waiting=20,
    ),
    "redaction": Guard(
        "what a log line is cleared of, under code that logs a client's secret",
        (12,),
        ("clients-hang-up",),
        _candid_log,
    ),
    "search-trigger": Guard(
        "the trigger that marks a changed event for the index",
        (9,),
        ("clients-hang-up",),
        sql="DROP TRIGGER search_mark_update ON events",
    ),
}

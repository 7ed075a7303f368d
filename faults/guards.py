"""Guards and their removal for control runs, in which the checker must find a violation.

A guard is removed from outside: by a function replaced before the command starts, by a changed copy of a
Lua script, or by SQL in the run's own database. The product has no switch for it.
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
    """Code that keeps an invariant, and the faults under which its absence shows."""

    what: str
    invariants: tuple[int, ...]
    """At least one of these is violated without the guard."""
    faults: tuple[str, ...]
    remove: Callable[[], None] = lambda: None
    """Run in every process before its command starts."""
    sql: str = ""
    """Run in the database after the migration."""
    rounds: int = 1
    waiting: int = 3
    """People in the waiting room."""
    settle_seconds: float = 8.0
    """How long the checker waits for the system to settle."""


def remove_guard(name: str) -> None:
    """Removes a guard from this process."""
    GUARDS[name].remove()


def _replace(owner: object, **functions: Any) -> None:
    """Replaces functions or attributes of a module or class.

    Raises:
        AssertionError: it has none of that name.
    """
    for name, function in functions.items():
        assert hasattr(owner, name), f"{owner} has no {name}"
        setattr(owner, name, function)


def _changed_copy(folder: Path, name: str, changes: dict[str, str]) -> Path:
    """A copy of a folder of Lua scripts with one changed script.

    Raises:
        AssertionError: the script does not contain the text to change.
    """
    copy = Path(tempfile.mkdtemp(prefix="boxoffice-lua-")) / "lua"
    shutil.copytree(folder, copy)
    text = (copy / f"{name}.lua").read_text()
    for before, after in changes.items():
        assert before in text, f"{name}.lua has no {before!r}"
        text = text.replace(before, after)
    (copy / f"{name}.lua").write_text(text)
    return copy


def _hold_without_check() -> None:
    import reservations.scripts
    from kit.lua import LuaScript

    copy = _changed_copy(
        reservations.scripts.FOLDER,
        "hold",
        {
            "if #taken == 0 then": "if true then",
            "local free = redis.call('GETRANGE', KEYS[1], first, first + capacity - 1)": (
                "local free = string.rep('A', capacity)"
            ),
        },
    )
    reservations.scripts.SCRIPTS["hold"] = LuaScript.load(copy / "hold.lua")


def _hold_without_limit() -> None:
    import reservations.scripts
    from kit.lua import LuaScript

    check = "if refusal then return refusal end"
    copy = _changed_copy(reservations.scripts.FOLDER, "hold", {check: ""})
    reservations.scripts.SCRIPTS["hold"] = LuaScript.load(copy / "hold.lua")


def _admit_without_cap() -> None:
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


def _log_client_secrets() -> None:
    from kit import log_lines
    from payments.stripe_gateway import StripeGateway

    create_intent = StripeGateway.create_intent

    async def create_and_log(self: Any, *arguments: Any, **more: Any) -> Any:
        intent = await create_intent(self, *arguments, **more)
        logging.getLogger("boxoffice.payments").warning("made %s", intent.client_secret)
        return intent

    _replace(StripeGateway, create_intent=create_and_log)
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


def _random_order_ids() -> None:
    from services.ordering import reserve

    _replace(reserve, order_id_of=lambda *_: uuid4())


def _fresh_key(method: str) -> Callable[[], None]:
    def remove() -> None:
        from payments.stripe_gateway import StripeGateway

        original = getattr(StripeGateway, method)

        async def with_random_key(self: Any, *arguments: Any, idempotency_key: str, **more: Any) -> Any:
            return await original(self, *arguments, idempotency_key=uuid4().hex, **more)

        setattr(StripeGateway, method, with_random_key)

    return remove


def _accept_any_signature() -> None:
    from payments import webhooks

    _replace(webhooks, _check_signature=lambda *_: None)


def _accept_any_intent() -> None:
    from services.ordering import settle

    _replace(settle, _fits=lambda *_: True)


def _repeat_versions() -> None:
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
        assert order is not None, "the sweep has just read it"
        await cancel.end_unpaid(context, order, OrderState.EXPIRED)

    _replace(expiry, _expire_paying=expire)


def _ignore_reversals() -> None:
    import services.ordering.settle
    import services.ordering.webhook

    async def read_nothing(*_: object) -> None:
        """Reads neither refunds nor disputes."""

    for module in (services.ordering.settle, services.ordering.webhook):
        _replace(module, read_reversals=read_nothing)


def _no_expiry() -> None:
    import workers.ordering

    async def nothing(_: Any) -> int:
        return 0

    _replace(workers.ordering, expire_lapsed=nothing)


def _drop_capture_tasks() -> None:
    from db.queries.outbox import write_task as write
    from services.ordering import settle

    async def write_task(connection: Any, topic: Topic, *rest: Any) -> None:
        if topic != Topic.CAPTURE_PAYMENT:
            await write(connection, topic, *rest)

    _replace(settle, write_task=write_task)


_COUNT_NOTHING = """
DO $$ DECLARE careless text; BEGIN
  SELECT replace(
    pg_get_functiondef(oid),
    'SELECT wanted.number, person.have, person.own, coalesce(held.unpaid, 0)', 'SELECT wanted.number, 0, 0, 0'
  ) INTO STRICT careless FROM pg_proc WHERE proname = 'count_live_tickets';
  ASSERT careless LIKE '%wanted.number, 0, 0, 0%', 'the count is written in another way';
  EXECUTE careless;
END $$
"""


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
        _hold_without_check,
        sql="DROP INDEX claims_live",
    ),
    "person-limit": Guard(
        "the limit of a person in hold.lua, and the count behind it",
        (13,),
        ("clients-hang-up",),
        _hold_without_limit,
        sql=_COUNT_NOTHING,
        rounds=2,
    ),
    "order-condition": Guard(
        "the condition on the state that an order's transition leaves",
        (6,),
        ("late-payments",),
        _unconditional_transitions,
    ),
    "payment-condition": Guard(
        "the condition on the state that a payment's transition leaves",
        (5,),
        ("webhooks-doubled",),
        _unconditional_payments,
    ),
    "reserve-key": Guard(
        "an order's id is derived from its idempotency key", (11,), ("clients-hang-up",), _random_order_ids
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
        "the check of a webhook's signature", (5,), ("webhooks-forged",), _accept_any_signature
    ),
    "intent-fits": Guard(
        "an intent must have the order's amount", (3,), ("intents-altered",), _accept_any_intent
    ),
    "reversals": Guard(
        "refunds by hand and disputes are taken in", (3,), ("refunds-by-hand",), _ignore_reversals
    ),
    "epoch-versions": Guard(
        "versions that do not repeat across epochs", (8,), ("flush-redis",), _repeat_versions, rounds=2
    ),
    "cancel-before-expiry": Guard(
        "an intent is cancelled before its order expires",
        (3,),
        ("webhooks-dropped",),
        _end_without_cancelling,
    ),
    "expiry": Guard("the sweep that ends expired orders", (2,), ("late-payments",), _no_expiry),
    "capture-task": Guard(
        "the capture's task is written with the booking", (3,), ("clients-hang-up",), _drop_capture_tasks
    ),
    "synchronous-commit": Guard(
        "a commit is on disk before it is acknowledged",
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
        "the cap of active admissions",
        (10,),
        ("clients-hang-up",),
        _admit_without_cap,
        rounds=2,
        waiting=20,
    ),
    "redaction": Guard(
        "the redaction of log lines, with code that logs a client's secret",
        (12,),
        ("clients-hang-up",),
        _log_client_secrets,
    ),
    "search-trigger": Guard(
        "the trigger that marks a changed event for the index",
        (9,),
        ("clients-hang-up",),
        sql="DROP TRIGGER search_mark_update ON events",
    ),
}

"""Webhooks: a persistent queue, signed at each attempt, tried again until a 2xx."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from sqlite3 import Row

import httpx

from devservices.stripe.documents import Document
from devservices.stripe.faults import Faults, alter
from devservices.stripe.store import Store

log = logging.getLogger("devservices.stripe")

AT_ONCE = 8
ANSWER_SECONDS = 10.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.25, 15.0
GIVE_UP_SECONDS = 3 * 86_400.0  # as Stripe does
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


def enqueue(store: Store, faults: Faults, event: Document, facts: dict[str, str | None], now: float) -> None:
    """Puts an event into the queue, with whatever fault waits for it."""
    content, due, behind, copies, state = deepcopy(event), now, 0, 1, "pending"
    if faults.take("webhook.drop", facts):
        state = "dropped"
    if found := faults.take("webhook.alter", facts):
        alter(content["data"]["object"], found.params)
    if found := faults.take("webhook.delay", facts):
        due += found.seconds()
    if found := faults.take("webhook.reorder", facts):
        behind = int(found.params.get("behind", 1))
        due += float(found.params.get("most_seconds", 5.0))
    if found := faults.take("webhook.duplicate", facts):
        copies += int(found.params.get("copies", 1))
    found = faults.take("webhook.signature", facts)
    signing = json.dumps(found.params if found else {})
    body = json.dumps(content, indent=2)
    values = (event["id"], event["type"], body, signing, state, behind, due, now)
    for _ in range(copies):
        store.rows.execute(
            "INSERT INTO deliveries (event, kind, body, signing, state, behind, due, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )


def signature(secret: str, body: bytes, moment: int) -> str:
    """The Stripe-Signature header: v1 is HMAC-SHA256 over `t.body`; v0 is the decoy of test mode."""
    signed = f"{moment}.".encode() + body
    v1 = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    v0 = hmac.new(b"whsec_v0_" + secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={moment},v1={v1},v0={v0}"


def retry_seconds(attempts: int) -> float:
    """The wait after that many failed attempts: doubling, then level."""
    return float(min(FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 16), LONGEST_RETRY_SECONDS))


class Courier:
    """Carries what is due to the one webhook endpoint."""

    def __init__(self, store: Store, url: str | None, secret: str, clock: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self.url = url
        self.secret = secret
        self.under_way: dict[int, asyncio.Task[None]] = {}
        self.woken = asyncio.Event()
        limits = httpx.Limits(max_connections=AT_ONCE)
        # trust_env: a proxy of the shell's is never meant for the loopback address.
        self.client = httpx.AsyncClient(timeout=ANSWER_SECONDS, limits=limits, trust_env=False)

    async def close(self) -> None:
        for task in list(self.under_way.values()):
            task.cancel()
        await asyncio.gather(*self.under_way.values(), return_exceptions=True)
        await self.client.aclose()

    def start_due(self) -> None:
        """Sets off every due delivery that there is room for."""
        if self.url is None:
            return
        for row in self._due():
            task = asyncio.get_running_loop().create_task(self._carry(row))
            self.under_way[row["id"]] = task
            task.add_done_callback(partial(self._landed, row["id"]))

    def next_due(self) -> float | None:
        """When the next delivery that is not under way is due."""
        if self.url is None or len(self.under_way) >= AT_ONCE:
            return None
        query = f"SELECT min(due) FROM deliveries WHERE state = 'pending' AND id NOT IN ({self._busy()})"  # noqa: S608
        (due,) = self.store.rows.execute(query).fetchone()
        return None if due is None else float(due)

    def _busy(self) -> str:
        return ",".join(str(number) for number in self.under_way)

    def _due(self) -> list[Row]:
        query = (
            "SELECT * FROM deliveries WHERE state = 'pending' AND due <= ?"  # noqa: S608 - numbers
            f" AND id NOT IN ({self._busy()}) ORDER BY due, id LIMIT ?"
        )
        return list(self.store.rows.execute(query, (self.clock(), AT_ONCE - len(self.under_way))))

    def _landed(self, number: int, task: asyncio.Task[None]) -> None:
        self.under_way.pop(number, None)
        if not task.cancelled() and (fault := task.exception()):
            log.error("delivery %d failed by our own fault", number, exc_info=fault)
        self.woken.set()

    async def _carry(self, row: Row) -> None:
        answer = await self._post(row)
        with self.store.transaction():
            if answer.isdigit() and 200 <= int(answer) < 300:
                self._delivered(row, answer)
            else:
                self._failed(row, answer)

    async def _post(self, row: Row) -> str:
        """The status of the answer, or the name of what went wrong."""
        assert self.url is not None
        signing = json.loads(row["signing"])
        body = str(signing.get("body", row["body"])).encode()
        moment = int(self.clock()) + int(signing.get("offset_seconds", 0))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": USER_AGENT,
            "Stripe-Signature": signature(str(signing.get("secret", self.secret)), body, moment),
        }
        try:
            response = await self.client.post(self.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return type(fault).__name__
        return str(response.status_code)

    def _delivered(self, row: Row, answer: str) -> None:
        rows = self.store.rows
        rows.execute(
            "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, last_status = ?"
            " WHERE id = ?",
            (answer, row["id"]),
        )
        # One more later event went out: those held back for it come one nearer.
        rows.execute(
            "UPDATE deliveries SET behind = behind - 1, due = CASE behind WHEN 1 THEN ? ELSE due END"
            " WHERE state = 'pending' AND behind > 0 AND id < ?",
            (self.clock(), row["id"]),
        )

    def _failed(self, row: Row, answer: str) -> None:
        now = self.clock()
        attempts = row["attempts"] + 1
        state = "pending" if now - row["created"] < GIVE_UP_SECONDS else "given_up"
        log.info("webhook %s attempt %d: %s", row["kind"], attempts, answer)
        self.store.rows.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, due = ?, last_status = ? WHERE id = ?",
            (state, attempts, now + retry_seconds(attempts), answer, row["id"]),
        )

"""Webhooks: a persistent queue; each attempt is signed, and repeated until a 2xx response."""

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
from devservices.stripe.injected_faults import InjectedFaults, alter
from devservices.stripe.store import Store

log = logging.getLogger("devservices.stripe")

MAX_PARALLEL = 8
RESPONSE_SECONDS = 10.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.25, 15.0
GIVE_UP_SECONDS = 3 * 86_400.0  # as Stripe does
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


def enqueue(
    store: Store, faults: InjectedFaults, event: Document, facts: dict[str, str | None], now: float
) -> None:
    """Adds an event to the queue, with the faults injected into it."""
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


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """The Stripe-Signature header: v1 is HMAC-SHA256 over `t.body`; v0 is the unused scheme of test mode."""
    signed = f"{timestamp}.".encode() + body
    v1 = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    v0 = hmac.new(b"whsec_v0_" + secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={v1},v0={v0}"


def retry_seconds(attempts: int) -> float:
    """The delay after that many failed attempts: doubled each time, up to the maximum."""
    return float(min(FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 16), LONGEST_RETRY_SECONDS))


class WebhookSender:
    """Sends due deliveries to the webhook endpoint."""

    def __init__(self, store: Store, url: str | None, secret: str, clock: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self.url = url
        self.secret = secret
        self.in_progress: dict[int, asyncio.Task[None]] = {}
        self.wakeup = asyncio.Event()
        limits = httpx.Limits(max_connections=MAX_PARALLEL)
        # trust_env: the environment's proxy does not apply to the loopback address.
        self.client = httpx.AsyncClient(timeout=RESPONSE_SECONDS, limits=limits, trust_env=False)

    async def close(self) -> None:
        for task in list(self.in_progress.values()):
            task.cancel()
        await asyncio.gather(*self.in_progress.values(), return_exceptions=True)
        await self.client.aclose()

    def start_due(self) -> None:
        """Starts due deliveries up to the limit of parallel ones."""
        if self.url is None:
            return
        for row in self._due():
            task = asyncio.get_running_loop().create_task(self._deliver(row))
            self.in_progress[row["id"]] = task
            task.add_done_callback(partial(self._finished, row["id"]))

    def next_due(self) -> float | None:
        """When the next delivery that is not in progress is due."""
        if self.url is None or len(self.in_progress) >= MAX_PARALLEL:
            return None
        query = f"SELECT min(due) FROM deliveries WHERE state = 'pending' AND id NOT IN ({self._busy()})"  # noqa: S608
        (due,) = self.store.rows.execute(query).fetchone()
        return None if due is None else float(due)

    def _busy(self) -> str:
        return ",".join(str(number) for number in self.in_progress)

    def _due(self) -> list[Row]:
        query = (
            "SELECT * FROM deliveries WHERE state = 'pending' AND due <= ?"  # noqa: S608 - numbers
            f" AND id NOT IN ({self._busy()}) ORDER BY due, id LIMIT ?"
        )
        return list(self.store.rows.execute(query, (self.clock(), MAX_PARALLEL - len(self.in_progress))))

    def _finished(self, number: int, task: asyncio.Task[None]) -> None:
        self.in_progress.pop(number, None)
        if not task.cancelled() and (fault := task.exception()):
            log.error("delivery %d failed with an internal error", number, exc_info=fault)
        self.wakeup.set()

    async def _deliver(self, row: Row) -> None:
        result = await self._post(row)
        with self.store.transaction():
            if result.isdigit() and 200 <= int(result) < 300:
                self._delivered(row, result)
            else:
                self._failed(row, result)

    async def _post(self, row: Row) -> str:
        """The status of the response, or the name of the exception."""
        assert self.url is not None
        signing = json.loads(row["signing"])
        body = str(signing.get("body", row["body"])).encode()
        timestamp = int(self.clock()) + int(signing.get("offset_seconds", 0))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": USER_AGENT,
            "Stripe-Signature": signature(str(signing.get("secret", self.secret)), body, timestamp),
        }
        try:
            response = await self.client.post(self.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return type(fault).__name__
        return str(response.status_code)

    def _delivered(self, row: Row, result: str) -> None:
        rows = self.store.rows
        rows.execute(
            "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, last_status = ?"
            " WHERE id = ?",
            (result, row["id"]),
        )
        # Reordered events wait for a number of later events: this is one of them.
        rows.execute(
            "UPDATE deliveries SET behind = behind - 1, due = CASE behind WHEN 1 THEN ? ELSE due END"
            " WHERE state = 'pending' AND behind > 0 AND id < ?",
            (self.clock(), row["id"]),
        )

    def _failed(self, row: Row, result: str) -> None:
        now = self.clock()
        attempts = row["attempts"] + 1
        state = "pending" if now - row["created"] < GIVE_UP_SECONDS else "given_up"
        log.info("webhook %s attempt %d: %s", row["kind"], attempts, result)
        self.store.rows.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, due = ?, last_status = ? WHERE id = ?",
            (state, attempts, now + retry_seconds(attempts), result, row["id"]),
        )

"""The local Stripe as a process, and an endpoint that receives its webhooks."""

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

ROOT = Path(__file__).parent.parent
SECRET = "whsec_test"
API_KEY = "sk_test_boxoffice"


class StripeProcess:
    """`python -m devservices.stripe` on a data dir; the same port again after a restart."""

    def __init__(self, data_dir: Path, *words: str) -> None:
        self.data_dir = data_dir
        self.words = words
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "devservices.stripe", "--data-dir", str(self.data_dir)]
        command += ["--port", str(self.port), "--webhook-secret", SECRET, *self.words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        self.port = int(ready.strip().rpartition(":")[2])

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.communicate(timeout=10)


class Control:
    """The control endpoints of a local Stripe."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, trust_env=False)

    async def add_fault(self, kind: str, count: int | None = 1, **match_and_params: Any) -> str:
        """Adds a fault with the given `match` and `params`; returns its id."""
        fault = {"kind": kind, "count": count, **match_and_params}
        answer = await self.client.post("/_control/faults", json=fault)
        assert answer.status_code == 201, answer.text
        added: str = answer.json()["faults"][0]["id"]
        return added

    async def clear_faults(self) -> None:
        await self.client.delete("/_control/faults")

    async def point_webhooks(self, url: str | None) -> None:
        await self.client.put("/_control/webhook", json={"url": url})

    async def hurry(self) -> None:
        await self.client.post("/_control/hurry", json={})

    async def finish_challenge(self, intent_id: str, outcome: str) -> httpx.Response:
        return await self.client.post(f"/_control/challenges/{intent_id}", json={"outcome": outcome})

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(path, json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def refund(self, intent_id: str, amount: int | None = None, **more: Any) -> dict[str, Any]:
        """A refund made by hand at the dashboard: of an amount, or of all that is left."""
        wanted = more if amount is None else {"amount": amount, **more}
        return await self.post(f"/_control/intents/{intent_id}/refund", **wanted)

    async def dispute(self, intent_id: str, **more: Any) -> dict[str, Any]:
        return await self.post(f"/_control/intents/{intent_id}/dispute", **more)

    async def close_dispute(self, dispute_id: str, outcome: str) -> dict[str, Any]:
        return await self.post(f"/_control/disputes/{dispute_id}/close", outcome=outcome)

    async def prune_keys(self) -> int:
        answer = await self.client.post("/_control/idempotency/prune", json={})
        pruned: int = answer.json()["pruned"]
        return pruned

    async def ledger_row(self, intent_id: str) -> dict[str, Any]:
        rows = (await self.client.get("/_control/ledger")).json()["intents"]
        row: dict[str, Any] = next(row for row in rows if row["id"] == intent_id)
        return row


@dataclass(frozen=True, slots=True)
class Webhook:
    """A received webhook."""

    body: bytes
    signature: str
    answered: int

    @property
    def event(self) -> dict[str, Any]:
        """The event; empty if a fault changed the body."""
        try:
            event: dict[str, Any] = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {"type": "", "data": {"object": {"object": ""}}}
        return event

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def object(self) -> dict[str, Any]:
        found: dict[str, Any] = self.event["data"]["object"]
        return found

    @property
    def intent_id(self) -> str | None:
        subject = self.object
        found = subject["id"] if subject["object"] == "payment_intent" else subject.get("payment_intent")
        return found if found is None else str(found)


class Endpoint:
    """A webhook endpoint. Answers 200, or the next status in `answers` for the event's type."""

    def __init__(self) -> None:
        self.hooks: list[Webhook] = []
        self.answers: dict[str, list[int]] = defaultdict(list)
        self.arrived = asyncio.Condition()
        self.server: asyncio.Server | None = None
        self.url = ""

    async def open(self, port: int = 0) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/webhooks/stripe"

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    def of(self, intent_id: str) -> list[Webhook]:
        return [hook for hook in self.hooks if hook.intent_id == intent_id]

    def types(self, intent_id: str) -> list[str]:
        return [hook.type for hook in self.of(intent_id)]

    async def until(self, happened: Callable[[], bool], seconds: float = 10) -> None:
        """Waits for webhooks until the condition is true."""
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(happened)

    async def hook(self, intent_id: str, kind: str) -> Webhook:
        """Waits for the first webhook of this type for the intent."""
        await self.until(lambda: kind in self.types(intent_id))
        return next(hook for hook in self.of(intent_id) if hook.type == kind)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        lower = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(lower["content-length"]))
        status = self._answer(body)
        writer.write(f"HTTP/1.1 {status} Answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        async with self.arrived:
            self.hooks.append(Webhook(body, lower["stripe-signature"], status))
            self.arrived.notify_all()

    def _answer(self, body: bytes) -> int:
        waiting = self.answers[Webhook(body, "", 0).type]
        return waiting.pop(0) if waiting else 200

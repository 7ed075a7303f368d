"""Liveness of this process, and readiness of the stores."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from endpoints.answers import json_answer

_PROBE_SECONDS = 1.5
# Each store is probed at most this often.
_FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """The probe of a store, and whether selling needs it."""

    ask: Callable[[], Awaitable[object]]
    needed: bool
    costs_nothing: bool = False
    """The probe of this process itself, which never waits."""


@dataclass(frozen=True, slots=True)
class PartState:
    """The last state of a store, and the time since which it is so."""

    ok: bool
    needed: bool
    latency_seconds: float
    since: datetime
    detail: str

    def as_json(self) -> dict[str, object]:
        """Return the state for /readyz."""
        return {
            "ok": self.ok,
            "needed": self.needed,
            "latencyMs": round(self.latency_seconds * 1000, 1),
            "since": self.since.isoformat(timespec="milliseconds"),
            "detail": self.detail,
        }


class Readiness:
    """The state of every store, at most a second old and probed once for any number of requests."""

    def __init__(self, probes: Mapping[str, Probe], clock: Callable[[], float] = time.monotonic) -> None:
        self._probes = probes
        self._clock = clock
        self._states: dict[str, PartState] = {}
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def states(self) -> dict[str, PartState]:
        """Return the state of every store, within the probes' limit of 1.5 s."""
        if self._clock() - self._asked_at >= _FRESH_SECONDS:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask_all())
            await asyncio.shield(self._asking)
        await self._ask([name for name, probe in self._probes.items() if probe.costs_nothing])
        return {name: self._states[name] for name in self._probes}

    async def _ask_all(self) -> None:
        await self._ask(list(self._probes))
        self._asked_at = self._clock()

    async def _ask(self, names: Sequence[str]) -> None:
        found = await asyncio.gather(*(_asked(self._probes[name]) for name in names))
        now = datetime.now(UTC)
        for name, (ok, seconds, detail) in zip(names, found, strict=True):
            before = self._states.get(name)
            since = before.since if before is not None and before.ok == ok else now
            self._states[name] = PartState(ok, self._probes[name].needed, seconds, since, detail)


async def _asked(probe: Probe) -> tuple[bool, float, str]:
    """Return whether a store answered, its time, and its answer or the failure."""
    began = time.perf_counter()
    ok, detail = True, ""
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            answer = await probe.ask()
        detail = answer if isinstance(answer, str) else ""
    except TimeoutError:
        ok, detail = False, f"no answer within {_PROBE_SECONDS} s"
    except Exception as error:
        # Only its class, because a driver's message names hosts and users and this is public.
        ok, detail = False, type(error).__name__
    return ok, time.perf_counter() - began, detail


async def _healthz(_: Request) -> Response:
    return json_answer({"status": "alive"})


def alive_route() -> Route:
    """/healthz, which tells nothing of the inside."""
    return Route("/healthz", _healthz)


def operations_routes(
    readiness: Readiness, metrics: Callable[[], Awaitable[bytes]], media_type: str
) -> list[Route]:
    """Return the routes /readyz and /metrics."""

    async def readyz(_: Request) -> Response:
        states = await readiness.states()
        ready = all(state.ok for state in states.values() if state.needed)
        parts = {name: state.as_json() for name, state in states.items()}
        content = {"status": "ready" if ready else "unavailable", "parts": parts}
        return json_answer(content, 200 if ready else 503)

    async def figures(_: Request) -> Response:
        return Response(await metrics(), media_type=media_type)

    return [Route("/readyz", readyz), Route("/metrics", figures)]

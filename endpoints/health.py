"""Whether this process is alive, whether each part is there, and what to count."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from endpoints.answers import json_answer

_PROBE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Probe:
    """A part, how to ask whether it is there, and whether anything can be sold without it."""

    ask: Callable[[], Awaitable[object]]
    needed: bool


def health_routes(
    probes: Mapping[str, Probe],
    registry: CollectorRegistry,
    refresh: Callable[[], Awaitable[None]] | None = None,
) -> list[Route]:
    """/healthz, /readyz and /metrics; `refresh` looks up what is only known when asked for."""

    async def healthz(_: Request) -> Response:
        return json_answer({"status": "alive"})

    async def readyz(_: Request) -> Response:
        states = await asyncio.gather(*(_state(probe) for probe in probes.values()))
        parts = dict(zip(probes, states, strict=True))
        ready = all(parts[name]["up"] for name, probe in probes.items() if probe.needed)
        content = {"status": "ready" if ready else "unavailable", "parts": parts}
        return json_answer(content, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        if refresh is not None:
            with contextlib.suppress(Exception):  # a part that is away takes no other figure with it
                async with asyncio.timeout(_PROBE_SECONDS):
                    await refresh()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def _state(probe: Probe) -> dict[str, object]:
    state: dict[str, object] = {"needed": probe.needed, "up": True}
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await probe.ask()
    except Exception as error:
        state |= {"up": False, "error": type(error).__name__}
    return state

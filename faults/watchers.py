"""Watchers of seats: strict clients that apply deltas to a snapshot and notice every gap."""

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from domain.seat_status import SeatStatus

SEATS = """subscription ($id: ID!, $since: Int) { seatAvailability(eventId: $id, sinceVersion: $since) {
  version previousVersion statuses changes { index status } sections { name available } } }"""
# Comments arrive at least every 15 s, so a stream that is silent for longer is dead.
_SILENCE_SECONDS = 20.0


@dataclass(slots=True)
class Watcher:
    """One client, which resumes from its version whenever the stream ends."""

    name: str
    base_url: str
    event_id: str
    map: list[str] = field(default_factory=list)
    sections: dict[str, int] = field(default_factory=dict)
    version: int | None = None
    seen: dict[int, int] = field(default_factory=dict)
    """The checksum of the map by version, which must be equal for all watchers."""
    errors: list[str] = field(default_factory=list)
    received: int = 0
    resumed: int = 0
    secrets: int = 0
    """The number of updates with a secret."""

    async def watch(self) -> None:
        """Watches the event until cancelled."""
        limits = httpx.Timeout(5.0, read=_SILENCE_SECONDS)
        async with httpx.AsyncClient(trust_env=False, timeout=limits) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError, ValueError):
                    await self._follow(client)
                self.resumed += 1
                await asyncio.sleep(0.1)

    async def _follow(self, client: httpx.AsyncClient) -> None:
        body = {"query": SEATS, "variables": {"id": self.event_id, "since": self.version}}
        headers = {"Accept": "text/event-stream"}
        async with client.stream("POST", f"{self.base_url}/graphql", json=body, headers=headers) as answer:
            async for update in _updates(answer):
                self.apply(update)

    def apply(self, update: dict[str, Any]) -> None:
        """Applies one update; records an error if a strict client would reject it."""
        self.received += 1
        self.secrets += "_secret_" in json.dumps(update)
        version, previous = update["version"], update["previousVersion"]
        if update["statuses"] is not None:
            self.map = list(update["statuses"])
            self.sections = {}
        elif previous != self.version:
            self.errors.append(f"{self.name} had version {self.version} and received {previous} → {version}")
            self.version = None  # a strict client requests a snapshot
            raise ValueError("a gap")
        for change in update["changes"]:
            self.map[change["index"]] = SeatStatus[change["status"]]
        self.sections |= {section["name"]: section["available"] for section in update["sections"]}
        self.version = version
        checksum = zlib.crc32("".join(self.map).encode())
        if self.seen.setdefault(version, checksum) != checksum:
            self.errors.append(f"{self.name} received two maps of version {version}")


async def _updates(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    event = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        if name == "event":
            event = value.strip()
        elif name == "data" and event == "next":
            data = json.loads(value).get("data")
            if data is None:
                return
            yield data["seatAvailability"]
        elif name == "data" and event == "complete":
            return


def disagreements(watchers: list[Watcher]) -> list[str]:
    """Versions of which two watchers have different maps."""
    found: dict[int, dict[int, str]] = {}
    for watcher in watchers:
        for version, checksum in watcher.seen.items():
            found.setdefault(version, {})[checksum] = watcher.name
    return [
        f"{' and '.join(sorted(maps.values()))} have different maps of version {version}"
        for version, maps in sorted(found.items())
        if len(maps) > 1
    ]

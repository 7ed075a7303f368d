"""A keep-alive connection that posts GraphQL as a buyer's proxy does."""

import asyncio
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from benchmarks.sample_events import RESERVE

_request_numbers = count(1)


@dataclass(slots=True)
class Client:
    """One connection; the load must cost less than the server."""

    port: int
    token: str
    reader: asyncio.StreamReader = field(init=False)
    writer: asyncio.StreamWriter = field(init=False)

    async def open(self) -> "Client":
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def post(self, body: bytes) -> dict[str, Any]:
        """One GraphQL request and its answer; each request has an id of its own."""
        self.writer.write(
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self.token}\r\n"
            f"x-request-id: {next(_request_numbers):032x}\r\n"
            f"content-type: application/json\r\naccept-encoding: identity\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer: dict[str, Any] = json.loads(await self.reader.readexactly(length))
        return answer

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


def reserve_body(event_id: str, selection: dict[str, Any]) -> bytes:
    """A `reserve` with its whole document and an idempotency key of its own, as the web client sends it."""
    key = f"bench-{next(_request_numbers):x}"
    variables = {"input": {"eventId": event_id, "selection": selection, "idempotencyKey": key}}
    return json.dumps({"query": RESERVE, "variables": variables}).encode()

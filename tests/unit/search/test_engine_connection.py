"""Queries to Meilisearch over HTTP, and how answers and failures are read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from domain.ids import Kind, public_id
from kit.clock import utc_now
from search.index import IndexUnavailable, SearchRequest
from search.meilisearch import MeilisearchIndex
from search.nearby_venues import VenueGroups

FOUND = b'{"hits": [], "totalHits": 7, "processingTimeMs": 1, "facetDistribution": {}}'
Answer = Callable[[int], bytes]


class FakeEngine:
    """Answers the n-th request with the given bytes, and keeps the request heads."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heads: list[str] = []
        self.connections = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; an empty answer closes it."""
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
                await reader.readexactly(int(length.partition(":")[2]))
                self.heads.append(head)
                answer = self._answer(len(self.heads))
                if not answer:
                    return
                writer.write(answer)


@contextlib.asynccontextmanager
async def asking(answer: Answer) -> AsyncIterator[tuple[MeilisearchIndex, FakeEngine]]:
    """An index whose engine gives these answers."""
    engine = FakeEngine(answer)
    server = await asyncio.start_server(engine.talk, "127.0.0.1", 0)
    index = MeilisearchIndex(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", "a-key", _nowhere)
    try:
        yield index, engine
    finally:
        await index.close()
        server.close()


async def _nowhere(*_: object) -> VenueGroups:
    return []


def http(status: str, body: bytes) -> bytes:
    """One answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def test_answers_are_uncompressed_and_a_connection_is_reused() -> None:
    async with asking(lambda _: http("200 OK", FOUND)) as (index, engine):
        totals = [(await index.search(SearchRequest(now=utc_now()))).total for _ in range(3)]
    assert totals == [7, 7, 7]
    assert engine.connections == 1
    for head in engine.heads:
        assert head.startswith("post /indexes/events/search http/1.1")
        # A compressed answer waits 40 ms for an acknowledgement.
        assert "accept-encoding: identity\r\n" in head
        assert "authorization: bearer a-key\r\n" in head


async def test_index_is_unavailable_when_another_version_built_it() -> None:
    hit = b'[{"id": "%b"}]' % public_id(Kind.EVENT, UUID(int=1)).encode()
    old = FOUND.replace(b"[]", hit)
    async with asking(lambda _: http("200 OK", old)) as (index, _):
        with pytest.raises(IndexUnavailable):
            await index.search(SearchRequest(now=utc_now()))


@pytest.mark.parametrize("answer", [b"", http("500 Oh No", b"{}"), http("200 OK", b"{"), b"nonsense\r\n\r\n"])
async def test_index_is_unavailable_when_its_answer_is_invalid(answer: bytes) -> None:
    async with asking(lambda _: answer) as (index, engine):
        for _ in range(4):
            with pytest.raises(IndexUnavailable):
                await index.search(SearchRequest(now=utc_now()))
    assert len(engine.heads) == 3  # the breaker refused the fourth


async def test_recovered_engine_gets_a_new_connection() -> None:
    async with asking(lambda number: b"" if number == 2 else http("200 OK", FOUND)) as (index, engine):
        first = await index.search(SearchRequest(now=utc_now()))
        with pytest.raises(IndexUnavailable):
            await index.search(SearchRequest(now=utc_now()))
        again = await index.search(SearchRequest(now=utc_now()))
    assert (first.total, again.total, engine.connections) == (7, 7, 2)

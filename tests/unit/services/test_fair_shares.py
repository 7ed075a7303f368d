"""Fair shares of a search engine that is slow: an honest search beside hostile ones."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.errors import RateLimited
from search.index import Hit, Hits, SearchIndex, SearchRequest, Spellings
from search.keyword import Term
from services.search import fair_shares
from services.search.fair_shares import CALLS_AT_ONCE, FairShares, SearchCaller, search_caller

NOW = datetime(2027, 3, 1, 10, tzinfo=UTC)
CALL_SECONDS = 0.02


class SlowEngine:
    """An engine with one core: calls take longer the more there are at once."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = self.calls = 0

    async def search(self, request: SearchRequest) -> Hits:
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(CALL_SECONDS * self.at_once)
        self.at_once -= 1
        return Hits((), 0, 1)

    async def complete(self, prefix: str, now: datetime) -> list[Hit]:
        await self.search(SearchRequest(now, prefix))
        return []

    async def sound_alikes(self, keyword: str) -> Spellings:
        await self.search(SearchRequest(NOW, keyword))
        return {}

    async def frequencies(self, terms: Sequence[Term], most: int) -> Sequence[int]:
        await self.search(SearchRequest(NOW))
        return [0] * len(terms)

    async def close(self) -> None:
        """Nothing to close."""


def asked(keyword: str) -> SearchRequest:
    return SearchRequest(NOW, keyword)


async def longest_honest_wait(index: SearchIndex, hostile: list[SearchIndex]) -> float:
    """The longest of ten honest searches while four hostile clients have twelve searches each under way."""

    async def attack(client: int) -> None:
        await asyncio.gather(*(hostile[client].search(asked(f"hostile {client} {n}")) for n in range(12)))

    attacks = [asyncio.create_task(attack(client)) for client in range(4)]
    await asyncio.sleep(0)
    longest = 0.0
    for number in range(10):
        began = time.perf_counter()
        await index.search(asked(f"honest {number}"))
        longest = max(longest, time.perf_counter() - began)
    await asyncio.gather(*attacks)
    return longest


async def test_an_honest_search_waits_little_beside_four_hostile_clients() -> None:
    engine = SlowEngine()
    shares = FairShares(engine)
    hostile = [shares.of(SearchCaller(f"hostile {n}")) for n in range(4)]

    fair = await longest_honest_wait(shares.of(SearchCaller("honest")), hostile)
    # The control: without the shares the same searches wait for all the others.
    plain = SlowEngine()
    unfair = await longest_honest_wait(plain, [plain] * 4)

    assert engine.most_at_once == CALLS_AT_ONCE
    assert plain.most_at_once > 40
    assert fair < unfair / 2


async def test_the_same_search_is_one_call_when_many_ask_at_once() -> None:
    engine = SlowEngine()
    shares = FairShares(engine)

    await asyncio.gather(*(shares.of(SearchCaller(n)).search(asked("the same")) for n in range(20)))
    await shares.of(SearchCaller("later")).search(asked("the same"))

    assert engine.calls == 2


async def test_a_network_that_asks_too_much_at_once_is_refused_and_another_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fair_shares, "WAITING_OF_NETWORK", 3)
    shares = FairShares(SlowEngine())

    crowd = [shares.of(SearchCaller(n, "192.0.2.1")).search(asked(f"{n}")) for n in range(20)]
    other = shares.of(SearchCaller("honest", "198.51.100.7")).search(asked("honest"))
    *answers, honest = await asyncio.gather(*crowd, other, return_exceptions=True)

    refused = [each for each in answers if isinstance(each, RateLimited)]
    assert len(refused) >= 10
    assert isinstance(honest, Hits)


async def test_a_slot_stays_taken_when_its_caller_leaves_while_the_engine_works() -> None:
    engine = SlowEngine()
    shares = FairShares(engine)
    for number in range(40):
        leaving = asyncio.create_task(shares.of(SearchCaller("hostile")).search(asked(f"{number}")))
        await asyncio.sleep(0.001)
        leaving.cancel()

    assert engine.most_at_once <= CALLS_AT_ONCE
    assert isinstance(await shares.of(SearchCaller("honest")).search(asked("honest")), Hits)


def test_users_are_flows_and_anonymous_operations_are_each_their_own() -> None:
    one = search_caller(None, "192.0.2.1", "operation 1", private_networks=False)
    two = search_caller(None, "::ffff:192.0.2.1", "operation 2", private_networks=False)

    assert one.flow != two.flow
    assert search_caller(None, "127.0.0.1", "o", private_networks=False).network == ""
    assert search_caller(None, "127.0.0.1", "o", private_networks=True).network == "127.0.0.1"

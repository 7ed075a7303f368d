"""The database is asked by few searches at once, and nobody waits for their turn for ever."""

import asyncio
from typing import Any

import pytest

from domain.errors import Unavailable
from services.search.find_events import few_at_once


class SlowDatabase:
    """Counts who asks it at once, and answers when it is let."""

    def __init__(self) -> None:
        self.asking = 0
        self.most = 0
        self.may_answer = asyncio.Event()

    async def fetch(self, statement: str, arguments: tuple[Any, ...], seconds: float) -> list[Any]:
        self.asking += 1
        self.most = max(self.most, self.asking)
        try:
            await self.may_answer.wait()
        finally:
            self.asking -= 1
        return [statement, *arguments]


async def test_no_more_are_asked_at_once_than_may_be() -> None:
    database = SlowDatabase()
    fetch = few_at_once(database.fetch, 2)
    asked = [asyncio.ensure_future(fetch("SELECT", (number,), 10.0)) for number in range(6)]
    await asyncio.sleep(0.01)
    asked[0].cancel()
    database.may_answer.set()

    answers = await asyncio.gather(*asked[1:])

    assert answers == [["SELECT", number] for number in range(1, 6)]
    assert database.most == 2


async def test_a_search_that_waits_too_long_is_refused_and_takes_no_slot() -> None:
    database = SlowDatabase()
    fetch = few_at_once(database.fetch, 1)
    first = asyncio.ensure_future(fetch("first", (), 10.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await fetch("second", (), 0.02)
    database.may_answer.set()

    assert await first == ["first"]
    assert await fetch("third", (), 1.0) == ["third"]

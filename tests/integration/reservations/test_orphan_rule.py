"""The orphan rule of hold.lua must agree with the one that is written to be read, tests/orphan_rule.py."""

import random
from uuid import uuid4

from kit.ids import new_uuid
from reservations.connection import batcher, connect
from reservations.outcomes import Candidate, Outcome, SeatSource
from reservations.store import SeatStore
from tests.orphan_rule import leaves_orphan

ROUNDS = 400


async def test_lua_and_python_agree_when_rows_and_choices_are_random(redis_url: str) -> None:
    client = connect(redis_url, 4)
    draw = random.Random(7)
    disagreements = []
    refused = 0
    for _ in range(ROUNDS):
        places = bytes(draw.choice(b"AAAH") for _ in range(draw.randint(2, 14)))
        free = [index for index, state in enumerate(places) if state == ord("A")]
        if not free:
            continue
        chosen = tuple(sorted(draw.sample(free, draw.randint(1, min(4, len(free))))))

        async def load(_: object, row: bytes = places) -> SeatSource:
            return SeatSource(row, (), 0)

        store = SeatStore(batcher(client), load)
        candidates = [Candidate(chosen, ((0, len(places) - 1),))]
        answer = await store.hold(new_uuid(), uuid4(), candidates, 2**52, orphan_rule=True)

        refused += answer.outcome is Outcome.ORPHAN
        if (answer.outcome is Outcome.ORPHAN) != leaves_orphan(places, chosen):
            disagreements.append((places, chosen))
    await client.aclose()

    assert disagreements == []
    assert 20 < refused < ROUNDS - 20

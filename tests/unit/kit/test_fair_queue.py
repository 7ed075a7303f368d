"""The fair queue: one flow's many calls do not keep another flow's call from running."""

import asyncio

import pytest

from kit.fair_queue import FairQueue, QueueFull, QueueTimedOut


def queue(slots: int = 1, slots_of_group: int = 1, waiting: int = 8, seconds: float = 5.0) -> FairQueue:
    return FairQueue(
        slots=slots, slots_of_group=slots_of_group, waiting_of_group=waiting, wait_seconds=seconds
    )


async def started(fair: FairQueue, order: list[str], flow: str, group: str = "") -> None:
    await fair.acquire(flow, group)
    order.append(flow)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_call_of_a_flow_runs_before_the_second_of_another() -> None:
    fair, order = queue(), list[str]()
    await fair.acquire("first")
    calls = [asyncio.create_task(started(fair, order, "many")) for _ in range(5)]
    await settle()
    calls.append(asyncio.create_task(started(fair, order, "one")))

    for _ in calls:
        await settle()
        fair.release()
    await asyncio.gather(*calls)

    assert order == ["many", "one", "many", "many", "many", "many"]


async def test_a_group_holds_its_part_of_the_slots_and_others_run() -> None:
    fair, order = queue(slots=3, slots_of_group=2), list[str]()
    calls = [asyncio.create_task(started(fair, order, f"crowd {n}", "crowd")) for n in range(4)]
    await settle()
    calls.append(asyncio.create_task(started(fair, order, "other", "elsewhere")))
    await settle()

    assert order == ["crowd 0", "crowd 1", "other"]
    fair.release("elsewhere")
    await settle()
    assert len(order) == 3
    fair.release("crowd")
    await settle()
    assert order[3:] == ["crowd 2"]
    fair.release("crowd")
    await asyncio.gather(*calls)


async def test_a_call_is_refused_when_its_group_has_too_many_waiting() -> None:
    fair = queue(waiting=2)
    await fair.acquire("a", "crowd")
    waiting = [asyncio.create_task(fair.acquire(f"b{n}", "crowd")) for n in range(2)]
    await settle()

    with pytest.raises(QueueFull):
        await fair.acquire("c", "crowd")

    other = asyncio.create_task(fair.acquire("d", "elsewhere"))
    for group in ("crowd", "elsewhere", "crowd", "crowd"):
        await settle()
        fair.release(group)
    await asyncio.gather(*waiting, other)


async def test_a_call_is_refused_when_no_slot_comes_in_time_and_leaves_nothing_behind() -> None:
    fair = queue(seconds=0.02)
    await fair.acquire("a")

    with pytest.raises(QueueTimedOut):
        await fair.acquire("b")

    fair.release()
    await fair.acquire("c")
    fair.release()


async def test_a_slot_is_passed_on_when_its_call_was_cancelled() -> None:
    fair = queue()
    await fair.acquire("a")
    cancelled = asyncio.create_task(fair.acquire("b"))
    after = asyncio.create_task(fair.acquire("c"))
    await settle()
    fair.release()  # gives the slot to "b", which is cancelled before it runs on
    cancelled.cancel()

    await asyncio.wait_for(after, 1)
    assert cancelled.cancelled()


async def test_flows_are_forgotten_when_they_have_ended() -> None:
    fair = queue()
    for number in range(1_000):
        await fair.acquire(number)
        fair.release()

    assert len(fair._last_turn_of) < 10

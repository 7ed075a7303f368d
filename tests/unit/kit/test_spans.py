"""Steps become children of whatever span is current, and cost nothing where none is."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from kit.spans import Fact, NoTracer, current_span, current_traceparent, step, stepped, traceparent_of, within

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Noted:
    """A span that remembers."""

    name: str
    facts: dict[str, Fact] = field(default_factory=dict)
    children: list["Noted"] = field(default_factory=list)
    ended: list[BaseException | None] = field(default_factory=list)
    trace_id: str = "t"

    @property
    def traceparent(self) -> str:
        return f"parent of {self.name}"

    def child(self, name: str, facts: Mapping[str, Fact]) -> "Noted":
        self.children.append(Noted(name, dict(facts)))
        return self.children[-1]

    def note(self, name: str, fact: Fact) -> None:
        self.facts[name] = fact

    def end(self, fault: BaseException | None) -> None:
        self.ended.append(fault)


def test_steps_nest_when_a_span_is_current() -> None:
    top = Noted("top")

    with within(top):
        with step("outer", size=2):
            with step("inner"):
                inside = current_traceparent()
        with step("second"):
            pass

    assert inside == "parent of inner"
    assert [child.name for child in top.children] == ["outer", "second"]
    assert top.children[0].facts == {"size": 2}
    assert [child.name for child in top.children[0].children] == ["inner"]
    assert top.ended == top.children[0].ended == top.children[0].children[0].ended == [None]
    assert current_span() is None


def test_nothing_is_current_when_nobody_began_a_span() -> None:
    with within(NoTracer().begin("work", facts={})) as span, step("part"):
        assert span is None
        assert current_span() is None
        assert current_traceparent() is None


def test_a_fault_ends_every_span_it_passes_when_it_is_raised() -> None:
    top, fault = Noted("top"), ValueError("x")

    with pytest.raises(ValueError), within(top), step("part"):
        raise fault

    assert top.ended == [fault]
    assert top.children[0].ended == [fault]
    assert current_span() is None


async def test_tasks_stay_apart_when_they_run_at_once() -> None:
    top = Noted("top")

    @stepped("work")
    async def work(number: int) -> str:
        await asyncio.sleep(0)
        with step(f"part {number}"):
            await asyncio.sleep(0)
            return str(current_traceparent())

    with within(top):
        answers = await asyncio.gather(work(1), work(2))

    assert list(answers) == ["parent of part 1", "parent of part 2"]
    assert [[part.name for part in child.children] for child in top.children] == [["part 1"], ["part 2"]]


async def test_a_stepped_function_just_runs_when_no_span_is_current() -> None:
    @stepped("work")
    async def work(number: int, *, more: int) -> int:
        return number + more

    assert await work(1, more=2) == 3
    assert work.__name__ == "work"


@pytest.mark.parametrize("header", [GOOD, GOOD.replace("00-4", "01-4") + "-more"])
def test_a_traceparent_is_taken_when_it_is_good(header: str) -> None:
    assert traceparent_of(header) == header


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD.upper(),
        GOOD[:-1],
        GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        GOOD.replace("00f067aa0ba902b7", "0" * 16),
        "ff" + GOOD[2:],
        GOOD + "\n",
        GOOD + "-" + "x" * 200,
    ],
)
def test_a_traceparent_is_left_when_it_is_bad(header: str | None) -> None:
    assert traceparent_of(header) is None

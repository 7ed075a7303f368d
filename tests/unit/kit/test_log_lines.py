"""Every line says what, when, for whom, and nothing that it must not."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from commands.logs import name_order
from domain.references import reference_of
from kit.ids import new_uuid
from kit.log_context import bind, bound, current_request_id, request_id_of
from kit.log_lines import LogFormat, event_of, write_logs
from kit.redaction import redacted

log = logging.getLogger("boxoffice.test")


@pytest.fixture
def root_logger() -> Iterator[None]:
    """The root logger is left as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Stream(io.StringIO):
    """What lines were written to."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def logging_to(chosen: LogFormat, level: str = "INFO") -> Stream:
    stream = Stream()
    write_logs(level, chosen, stream=stream, enrich=name_order)
    return stream


@pytest.mark.usefixtures("root_logger")
def test_a_line_is_json_with_all_that_is_bound_when_nobody_watches() -> None:
    stream, order_id = logging_to("auto"), new_uuid()

    with bound(request_id="r1", order_id=order_id):
        log.warning("order %s could not be settled", order_id, extra={"error_id": "e1"})

    (line,) = stream.lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "boxoffice.test",
        "event": "order_could_not_be_settled",
        "message": f"order {order_id} could not be settled",
        "request_id": "r1",
        "order_id": str(order_id),
        "order": reference_of(order_id),
        "error_id": "e1",
    }


@pytest.mark.usefixtures("root_logger")
def test_a_line_is_for_people_when_text_is_chosen() -> None:
    stream = logging_to("text")

    with bound(request_id="r1"):
        log.warning("two\nlines")

    assert stream.getvalue()[12:] == " WARNING boxoffice.test: 'two\\nlines' request_id=r1\n"


@pytest.mark.usefixtures("root_logger")
def test_a_fault_is_one_line_with_its_traceback_when_it_is_logged() -> None:
    stream = logging_to("json")

    try:
        raise ValueError("no such person: ann@example.org")
    except ValueError:
        log.exception("unhandled fault")

    (line,) = stream.lines()
    assert line["fault"].startswith("Traceback")
    assert line["fault"].endswith("ValueError: no such person: [e-mail]\n")


@pytest.mark.usefixtures("root_logger")
def test_nothing_is_written_when_the_level_is_higher() -> None:
    stream = logging_to("json", "WARNING")

    log.info("quiet")

    assert stream.getvalue() == ""


@pytest.mark.usefixtures("root_logger")
async def test_facts_stay_with_their_task_when_tasks_run_at_once() -> None:
    stream = logging_to("json")

    async def request(number: int) -> None:
        bind(request_id=f"r{number}")
        await asyncio.sleep(0)
        log.info("request %d", number)

    await asyncio.gather(*(asyncio.create_task(request(number)) for number in range(3)))

    assert [line["request_id"] for line in stream.lines()] == ["r0", "r1", "r2"]
    assert current_request_id() is None


def test_an_event_has_one_name_when_its_values_differ() -> None:
    assert event_of("task %d (%s) is tried again in %s: %s") == "task_is_tried_again_in"
    assert event_of("%s") == "message"


@pytest.mark.parametrize("given", ["a", "4f2b-9", "A.b:c_d", "x" * 64])
def test_the_callers_request_id_is_kept_when_it_is_harmless(given: str) -> None:
    assert request_id_of(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\nb", "-a", "ä", 'a"b'])
def test_a_request_id_is_made_when_the_callers_is_none_or_bad(given: str | None) -> None:
    made = request_id_of(given)

    assert len(made) == 16
    assert int(made, 16) >= 0
    assert made != request_id_of(given)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("for ann.b+c@mail.example.org now", "for [e-mail] now"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.sig-x_y end", "token [token] end"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer [token]"),
        ("key sk_live_abc123 and whsec_local_99", "key [key] and [key]"),
        ("pi_3Abc_secret_xyz", "pi_3Abc_secret_[hidden]"),
        ("postgresql://box:hunter2@127.0.0.1:5432/x", "postgresql://box:[hidden]@127.0.0.1:5432/x"),
        ("redis://:hunter2@cache", "redis://:[hidden]@cache"),
        ("card 4242 4242 4242 4242.", "card [card]."),
        ("card 4242424242424242", "card [card]"),
    ],
)
def test_secrets_are_hidden_when_a_text_has_them(text: str, left: str) -> None:
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "order 019ab2f4-1234-7123-8123-123456789012 at 1763878697000 ms",
        "evt_1 pi_3Abc K7QX-2M9RTA 127.0.0.1:5432",
        "2026-11-23T06:18:17.284+00:00",
        "number 4242424242424241",
    ],
)
def test_a_text_is_left_alone_when_it_has_none(text: str) -> None:
    assert redacted(text) == text

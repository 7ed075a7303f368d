"""Every line says what, when, for whom, and nothing that it must not."""

import asyncio
import logging

import pytest

from domain.references import reference_of
from kit.ids import new_uuid
from kit.log_context import bind, bound, current_request_id, request_id_of
from kit.log_lines import event_of
from kit.redaction import redacted
from tests.logs import logged

log = logging.getLogger("boxoffice.test")


def test_a_line_is_json_with_all_that_is_bound_when_nobody_watches() -> None:
    order_id = new_uuid()

    with logged("auto") as log_lines, bound(request_id="r1", order_id=order_id):
        log.warning("order %s could not be settled", order_id, extra={"error_id": "e1"})

    (line,) = log_lines.lines()
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


def test_a_line_is_for_people_when_text_is_chosen() -> None:
    with logged("text") as log_lines, bound(request_id="r1"):
        log.warning("two\nlines")

    assert log_lines.getvalue()[12:] == " WARNING boxoffice.test: 'two\\nlines' request_id=r1\n"


def test_a_fault_is_one_line_with_its_traceback_when_it_is_logged() -> None:
    with logged() as log_lines:
        try:
            raise ValueError("no such person: ann@example.org")
        except ValueError:
            log.exception("unhandled fault")

    (line,) = log_lines.lines()
    assert line["fault"].startswith("Traceback")
    assert line["fault"].endswith("ValueError: no such person: [e-mail]\n")


def test_nothing_is_written_when_the_level_is_higher() -> None:
    with logged(level="WARNING") as log_lines:
        log.info("quiet")

    assert log_lines.getvalue() == ""


async def test_facts_stay_with_their_task_when_tasks_run_at_once() -> None:
    async def request(number: int) -> None:
        bind(request_id=f"r{number}")
        await asyncio.sleep(0)
        log.info("request %d", number)

    with logged() as log_lines:
        await asyncio.gather(*(asyncio.create_task(request(number)) for number in range(3)))

    own = [line for line in log_lines.lines() if line["logger"] == log.name]
    assert [line["request_id"] for line in own] == ["r0", "r1", "r2"]
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
        ("code BX1:R70-0935LWTIO/DM20%20 $+*.:, read", "code [entry code], read"),
        ("GET /tickets/AZObbnwAcACAAAAAAAAAqg-_x.pdf", "GET /tickets/[secret].pdf"),
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

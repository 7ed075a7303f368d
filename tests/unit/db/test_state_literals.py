"""SQL is text, so its literals are compared with the enums that Python uses."""

import re
from pathlib import Path

import pytest

from domain.outbox import Topic
from domain.states import (
    CardAttemptState,
    ClaimState,
    DisputeState,
    EventState,
    OrderState,
    PaymentState,
    RefundState,
    TicketLimit,
)

_DB = Path(__file__).parents[3] / "db"
_FILES = sorted([*(_DB / "queries").glob("*.py"), *(_DB / "sql").glob("*.sql")])
_STATES = frozenset[str]().union(
    OrderState,
    ClaimState,
    PaymentState,
    RefundState,
    DisputeState,
    EventState,
    CardAttemptState,
    TicketLimit,
)
# E.g. state = 'HELD' · orders.state IN ('RESERVED', 'PAYING') · THEN 'DECIDED'
_OF_A_STATE = re.compile(r"\bstate\s*(?:=|<>|IN)\s*(\([^)]*\)|'\w+')")
_WORD = re.compile(r"'([A-Z_]{2,})'")


def literals(text: str) -> set[str]:
    """The words in quotes that a state is compared with or set to, and every other word in capitals."""
    compared = {word for group in _OF_A_STATE.findall(text) for word in re.findall(r"'(\w{2,})'", group)}
    return compared | set(_WORD.findall(text))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_every_state_in_sql_is_a_member_of_an_enum(path: Path) -> None:
    assert literals(path.read_text(encoding="utf-8")) - _STATES == set()


def test_a_word_that_no_enum_has_is_found() -> None:
    planted = "UPDATE orders SET state = 'EXPIRD' WHERE state IN ('RESERVED', 'Paying')"

    assert literals(planted) - _STATES == {"EXPIRD", "Paying"}


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_no_topic_of_the_outbox_stands_in_sql(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert [topic for topic in Topic if f"'{topic}'" in text or f'"{topic}"' in text] == []

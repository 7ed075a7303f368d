"""The local Stripe's rules that need no process: forms, keys, faults, retries."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devservices.stripe import injected_faults as fault_module
from devservices.stripe.cards import CARDS
from devservices.stripe.errors import ApiError
from devservices.stripe.forms import Params, nested
from devservices.stripe.idempotency import ApiResponse, IdempotencyKeys
from devservices.stripe.injected_faults import KINDS, InjectedFaults, InvalidFault
from devservices.stripe.store import Store
from devservices.stripe.webhook_sender import retry_seconds

DAY = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "stripe.sqlite3")
    yield store
    store.close()


def test_form_is_a_tree_when_its_keys_have_brackets() -> None:
    body = "amount=5&metadata[order_id]=o-1&expand[0]=a&expand[1]=b&types[]=x&types[]=y&a[b][c]=%5B"

    assert nested(body) == {
        "amount": "5",
        "metadata": {"order_id": "o-1"},
        "expand": ["a", "b"],
        "types": ["x", "y"],
        "a": {"b": {"c": "["}},
    }


@pytest.mark.parametrize(
    "body", ["a[b=1", "a]=1", "[a]=1", "a=1&a[b]=2", "a[b]=1&a[b][c]=2", "&".join(["a=1"] * 1001)]
)
def test_form_is_refused_when_its_brackets_do_not_fit(body: str) -> None:
    with pytest.raises(ApiError) as error:
        nested(body)

    assert error.value.status == 400


def test_metadata_merge_when_updated() -> None:
    before = {"a": "1", "b": "2"}

    assert Params({"metadata": {"b": "", "c": "3"}}).metadata(before) == {"a": "1", "c": "3"}
    assert Params({"metadata": ""}).metadata(before) == {}
    assert Params({}).metadata(before) == before


def save(keys: IdempotencyKeys, key: str, now: float) -> None:
    assert keys.claim(key, "/v1/x", {"a": "1"}, now) is None
    keys.save(key, "/v1/x", {"a": "1"}, "req_1", ApiResponse(200, "{}"), now)
    keys.release(key)


def test_key_is_stored_for_a_day_when_an_answer_was_stored(store: Store) -> None:
    keys = IdempotencyKeys(store)
    save(keys, "k", now=1000.0)

    assert keys.claim("k", "/v1/x", {"a": "1"}, 1000.0 + DAY - 1) == ApiResponse(200, "{}", "req_1")
    assert keys.claim("k", "/v1/x", {"a": "1"}, 1000.0 + DAY) is None


def test_key_is_refused_while_a_request_uses_it(store: Store) -> None:
    keys = IdempotencyKeys(store)
    assert keys.claim("k", "/v1/x", {}, 0.0) is None

    with pytest.raises(ApiError) as error:
        keys.claim("k", "/v1/x", {}, 0.0)

    assert error.value.status == 409
    keys.release("k")
    assert keys.claim("k", "/v1/x", {}, 0.0) is None


@pytest.mark.parametrize(
    "fault",
    [
        [],
        {},
        {"kind": "api.explode"},
        {"kind": "api.hang", "when": "before"},
        {"kind": "api.hang", "params": {"minutes": 1}},
        {"kind": "api.hang", "params": {"when": "tomorrow"}},
        {"kind": "api.hang", "match": {"colour": "red"}},
        {"kind": "api.hang", "match": "all"},
        {"kind": "api.hang", "count": 0},
        {"kind": "api.hang", "count": "many"},
        {"kind": "webhook.delay", "params": {"seconds": "soon"}},
    ],
)
def test_fault_is_rejected_when_it_is_invalid(store: Store, fault: object) -> None:
    faults = InjectedFaults(store)

    with pytest.raises(InvalidFault):
        faults.add(fault)

    assert faults.pending() == []


def test_fault_is_injected_count_times_when_its_match_fits(store: Store) -> None:
    faults = InjectedFaults(store)
    faults.add({"kind": "webhook.drop", "match": {"event_type": "charge.*"}, "count": 2})
    faults.add({"kind": "webhook.drop", "match": {"order_id": "o-1"}, "count": None})

    injections = [
        faults.take("webhook.drop", {"event_type": "charge.captured", "order_id": None}) for _ in range(3)
    ]

    assert [fault is not None for fault in injections] == [True, True, False]
    assert faults.take("webhook.drop", {"event_type": "x", "order_id": "o-2"}) is None
    for _ in range(5):
        assert faults.take("webhook.drop", {"event_type": "x", "order_id": "o-1"}) is not None
    assert [(one.remaining, one.injections) for one in faults.pending()] == [(0, 2), (None, 5)]


def test_faults_survive_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "stripe.sqlite3")
    InjectedFaults(store).add({"kind": "api.reset"})
    store.close()

    again = Store(tmp_path / "stripe.sqlite3")

    assert [one.kind for one in InjectedFaults(again).pending()] == ["api.reset"]
    again.close()


def test_retry_delay_doubles_up_to_15_seconds() -> None:
    assert [retry_seconds(attempts) for attempts in (1, 2, 3, 4, 7, 8, 5000)] == [0.25, 0.5, 1, 2, 15, 15, 15]


def test_table_lists_every_kind_and_parameter_when_faults_are_read_about() -> None:
    rows = (fault_module.__doc__ or "").splitlines()

    for kind, parameters in KINDS.items():
        row = next(row for row in rows if row.startswith(f"| {kind} |"))
        assert all(name in row for name in parameters)


def test_guide_names_cards_that_exist_when_read() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "local-stripe.md").read_text()

    named = set(re.findall(r"pm_card_\w+", guide)) - {"pm_card_visa_chargeDeclined"}

    assert named <= set(CARDS)

"""Who may send a webhook, and what is read from it."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as some

from payments.webhooks import WebhookRefused, read_event

SECRET = "whsec_test"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
MOMENT = int(NOW.timestamp())


def event(subject: dict[str, Any], **more: Any) -> bytes:
    document = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": MOMENT - 5,
        "data": {"object": subject},
    }
    return orjson.dumps(document | more)


INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 1}
BODY = event(INTENT)


def signed(body: bytes, moment: int | str = MOMENT, secret: str = SECRET) -> str:
    payload = f"{moment}.".encode() + body
    return f"t={moment},v1={hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()}"


def test_event_is_read_when_its_signature_fits() -> None:
    found = read_event(BODY, signed(BODY), [SECRET], NOW)

    assert (found.id, found.type, found.intent_id) == ("evt_1", "payment_intent.succeeded", "pi_1")
    assert found.created == NOW - timedelta(seconds=5)


def test_event_is_read_when_stripes_sdk_signed_it() -> None:
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, MOMENT)

    assert read_event(BODY, header, [SECRET], NOW).id == "evt_1"


@pytest.mark.parametrize(
    ("subject", "intent_id"),
    [
        ({"id": "pi_9", "object": "payment_intent"}, "pi_9"),
        ({"id": "ch_1", "object": "charge", "payment_intent": "pi_9"}, "pi_9"),
        ({"id": "re_1", "object": "refund", "payment_intent": {"id": "pi_9"}}, "pi_9"),
        ({"id": "re_1", "object": "refund", "payment_intent": None}, None),
        ({"id": "cus_1", "object": "customer"}, None),
        ({"id": 7, "object": "payment_intent"}, None),
        ({"id": "pi_\0", "object": "payment_intent"}, None),
        ({"id": "pi_../x?", "object": "payment_intent"}, None),
        ({"id": "pi_" + "9" * 300, "object": "payment_intent"}, None),
        ({}, None),
    ],
)
def test_intent_is_found_when_the_event_is_about_something_of_it(
    subject: dict[str, Any], intent_id: str | None
) -> None:
    body = event(subject)

    assert read_event(body, signed(body), [SECRET], NOW).intent_id == intent_id


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_event_is_read_when_its_time_is_within_five_minutes(seconds: int) -> None:
    assert read_event(BODY, signed(BODY, MOMENT + seconds), [SECRET], NOW).id == "evt_1"


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_event_is_refused_when_its_time_is_five_minutes_off_either_way(seconds: int) -> None:
    with pytest.raises(WebhookRefused, match="more than five minutes off"):
        read_event(BODY, signed(BODY, MOMENT + seconds), [SECRET], NOW)


def test_event_is_read_when_the_secret_is_being_rolled() -> None:
    old_and_new = f"{signed(BODY, secret='whsec_old')},{signed(BODY).partition(',')[2]},v0=decoy"

    assert read_event(BODY, old_and_new, [SECRET], NOW).id == "evt_1"
    assert read_event(BODY, signed(BODY), ["whsec_new", SECRET], NOW).id == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=,v1=",
        "v1=" + "0" * 64,
        f"t={MOMENT}",
        f"t={MOMENT},v1=",
        f"t={MOMENT},v1=" + "0" * 64,
        f"t={MOMENT},v0={signed(BODY).partition('v1=')[2]}",
        signed(BODY).replace(f"t={MOMENT}", f"t={MOMENT + 1}"),
        signed(BODY).replace("t=", "t=-"),
        signed(BODY, secret="whsec_other"),
        f"t={MOMENT},{signed(BODY)}",
        f"t={MOMENT},v1=é",
        f"t=١٢٣,v1={'0' * 64}",
        f"t={'9' * 40},v1={'0' * 64}",
        signed(BODY) + ",v1=x" * 20,
        signed(BODY) + " " * 3000,
        "\x00",
        "=,=,=",
    ],
)
def test_event_is_refused_when_its_signature_does_not_fit(header: str | None) -> None:
    with pytest.raises(WebhookRefused, match=r"^(The|There).*Stripe-Signature.*\.$"):
        read_event(BODY, header, [SECRET], NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"[]",
        b'"event"',
        b"NaN",
        b"{}",
        orjson.dumps({"object": "charge", "id": "ch_1"}),
        event(INTENT, id=None),
        event(INTENT, id=""),
        event(INTENT, id="e" * 300),
        event(INTENT, type=5),
        event(INTENT, created="now"),
        event(INTENT, created=True),
        event(INTENT, created=-1),
        event(INTENT, created=10**15),
        event(INTENT, created=1.5),
        event(INTENT, data=None),
        event(INTENT, data={"object": "pi_1"}),
    ],
)
def test_body_is_refused_when_it_is_signed_but_no_event(body: bytes) -> None:
    with pytest.raises(WebhookRefused, match=r"^The (body|event) .*\.$"):
        read_event(body, signed(body), [SECRET], NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["  "]])
def test_nothing_is_believed_when_no_secret_is_set(secrets: list[str]) -> None:
    with pytest.raises(WebhookRefused, match="No webhook secret is set"):
        read_event(BODY, signed(BODY, secret=secrets[0] if secrets else ""), secrets, NOW)


def test_body_is_refused_when_one_byte_changed_on_the_way() -> None:
    for place in range(len(BODY)):
        changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        with pytest.raises(WebhookRefused, match="does not fit the body"):
            read_event(changed, signed(BODY), [SECRET], NOW)


@given(body=some.binary(max_size=300), header=some.one_of(some.none(), some.text(max_size=300)))
def test_only_refusals_come_out_when_anything_goes_in(body: bytes, header: str | None) -> None:
    with pytest.raises(WebhookRefused):
        read_event(body, header, [SECRET], NOW)


json_values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**62), 2**62) | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=9), inner, max_size=3),
    max_leaves=10,
)


@given(
    parts=some.fixed_dictionaries({}, optional=dict.fromkeys(("id", "type", "created", "data"), json_values))
)
def test_event_or_refusal_comes_out_when_the_signed_body_is_any_json(parts: dict[str, Any]) -> None:
    body = orjson.dumps({"object": "event", **parts})

    try:
        found = read_event(body, signed(body), [SECRET], NOW)
    except WebhookRefused:
        return

    assert (found.id, found.type) == (parts["id"], parts["type"])

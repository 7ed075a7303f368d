"""A booking as an OpenTelemetry collector sees it: one trace a request, on through the outbox."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from devservices.local_stripe import LocalStripe
from parts import build_parts
from services.ordering.outbox import deliver
from settings import Settings
from tests.apis import SECRET, Api, api_on, new_token
from tests.integration.ordering.conftest import stripe_server
from tests.integration.reading.events import publish_event
from tests.integration.telemetry.collector import Collector, collecting

__all__ = ["stripe_server"]

ROOT = Path(__file__).parents[3]
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PAID = "... on PaySuccess { order { status } }"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield collector


async def held_order(api: Api, token: str) -> str:
    """An order over one seat of a new event, reserved in the caller's trace."""
    event_id = await publish_event(api, new_token("organise"), orphanRule=False)
    seat = f"seat_{event_id.removeprefix('evt_')}_0"
    api.client.headers["traceparent"] = CALLER
    answer = await api.mutate(
        "reserve",
        {"eventId": event_id, "selection": {"seatIds": [seat]}},
        token,
        "... on ReserveSuccess { order { id } }",
    )
    order_id: str = answer["order"]["id"]
    return order_id


@pytest.fixture
async def booked(
    collector: Collector, postgres_url: str, redis_url: str, stripe_server: LocalStripe
) -> AsyncIterator[Collector]:
    """A booking and the worker's round after it; every span has arrived."""
    token = new_token()
    changes = {"stripe_api_base": stripe_server.url(), "process_name": "api-0"}
    async with api_on(postgres_url, redis_url, **changes) as api:
        order_id = await held_order(api, token)
        paid = await api.mutate("pay", {"orderId": order_id, "paymentMethodId": "pm_card_visa"}, token, PAID)
        assert paid["order"]["status"] == "BOOKED"
    settings = Settings(
        database_url=postgres_url,
        redis_url=redis_url,
        jwt_secret=SECRET,
        stripe_api_key="sk_test_local",
        stripe_api_base=stripe_server.url(),
        stripe_webhook_secret="whsec_local_test",
        process_name="worker",
    )
    parts = build_parts(settings, "worker")
    while await deliver(parts.context):
        pass
    await parts.close()
    yield collector


async def test_every_floor_has_its_span_below_the_callers_when_seats_are_booked(booked: Collector) -> None:
    reserve, pay = booked.named("reserve"), booked.named("pay")

    assert booked.lineage(reserve) == ["reserve", "mutation reserve", "POST graphql"]
    assert booked.lineage(pay) == ["pay", "mutation pay", "POST graphql"]
    assert {"redis hold", "sql place order"} <= booked.below(reserve)
    assert {"sql transaction", "stripe create_intent", "stripe confirm", "settle"} <= booked.below(pay)
    assert {reserve.trace_id, pay.trace_id} == {CALLER.split("-")[1]}
    tops = [span for span in booked.spans if span.parent_id == CALLER.split("-")[2]]
    assert {span.name for span in tops} == {"POST graphql"}
    assert not any(span.failed for span in booked.spans)


async def test_the_workers_tasks_are_in_the_buyers_trace_when_they_follow_a_payment(
    booked: Collector,
) -> None:
    capture, order_booked = booked.named("outbox capture_payment"), booked.named("outbox order_booked")

    assert (capture.process, order_booked.process) == ("worker", "worker")
    assert booked.lineage(capture)[1:] == ["sql transaction", "settle", "pay", "mutation pay", "POST graphql"]
    assert capture.trace_id == CALLER.split("-")[1]
    assert {"stripe capture", "settle"} <= booked.below(capture)
    assert "redis set_state" in booked.below(order_booked)


async def test_a_refusal_is_no_failure_when_it_is_traced(
    collector: Collector, postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        await api.mutate("pay", {"orderId": f"ord_{'0' * 26}"}, new_token())

    pay = collector.named("pay")
    assert (pay.failed, pay.facts["boxoffice.refusal"]) == (False, "NOT_FOUND")


def test_nothing_of_the_sdk_is_loaded_when_no_exporter_is_configured() -> None:
    program = (
        "import sys; from parts import build_parts; from settings import Settings; import app;"
        "build_parts(Settings(database_url='postgresql://x/y', redis_url='redis://x', stripe_api_key='x'));"
        "sdk = ('opentelemetry.sdk.trace', 'opentelemetry.exporter');"
        "print([name for name in sys.modules if name.startswith(sdk)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )

    assert done.stdout == "[]\n", done.stderr

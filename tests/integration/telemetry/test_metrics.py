"""/metrics shows every process, from any of them; the log line of an error is found by its id."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from parts import build_parts
from payments.stripe_gateway import StripeGateway
from pubsub.channels import Channels
from pubsub.latency_probe import PubSubLatencyProbe
from pubsub.redis_backend import RedisBackend
from reservations.connection import connect
from services.ordering.attempt import ReserveRequest
from services.ordering.outbox import deliver
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from services.search.find_events import EventSearch
from settings import Settings
from subscriptions.seat_availability import SeatHub
from tests.apis import Api, api_on, new_token
from tests.events import buyer, open_event, service_context_on
from tests.integration.reading.events import publish_event
from tests.logs import logged

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(api: Api) -> Samples:
    """Every sample of /metrics, which has each of them once."""
    text = (await api.client.get("/metrics")).text
    pairs = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


async def until(api: Api, holds: Callable[[Samples], bool]) -> Samples:
    """The first scrape of which it is true."""
    async with asyncio.timeout(15):
        while not holds(samples := await scraped(api)):
            await asyncio.sleep(0.05)
    return samples


async def test_either_process_tells_of_both_when_asked(postgres_url: str, redis_url: str) -> None:
    async with (
        api_on(postgres_url, redis_url, process_name="api-0") as one,
        api_on(postgres_url, redis_url, process_name="api-1") as other,
    ):
        event_id = await publish_event(one, new_token("organise"))
        wrong = {"eventId": event_id, "selection": {"bestAvailable": {"quantity": 99}}}
        await one.mutate("reserve", wrong, new_token())
        await other.mutate("reserve", wrong, new_token())
        await other.mutate("reserve", wrong, new_token())

        def counts(samples: Samples) -> list[float | None]:
            labels = {"call": "reserve", "outcome": "LIMIT_EXCEEDED"}
            name = "boxoffice_service_calls_total"
            return [value(samples, name, process=process, **labels) for process in ("api-0", "api-1")]

        for api in (one, other):
            samples = await until(api, lambda samples: counts(samples) == [1, 2])
            assert value(samples, "boxoffice_processes") == 2


async def test_a_process_is_forgotten_when_it_has_ended(postgres_url: str, redis_url: str) -> None:
    async with api_on(postgres_url, redis_url, process_name="api-0") as one:
        async with api_on(postgres_url, redis_url, process_name="api-1"):
            await until(one, lambda samples: value(samples, "boxoffice_processes") == 2)

        samples = await scraped(one)

    assert value(samples, "boxoffice_processes") == 1
    assert value(samples, "boxoffice_process", process="api-1", role="api") is None


async def test_own_metrics_are_answered_when_redis_is_away(postgres_url: str) -> None:
    async with api_on(postgres_url, "redis://127.0.0.1:9", process_name="api-0") as api:
        samples = await scraped(api)

    assert value(samples, "boxoffice_processes") == 1
    assert value(samples, "boxoffice_part_up", part="redis") == 0
    assert value(samples, "boxoffice_part_up", part="postgres") == 1
    assert value(samples, "boxoffice_outbox_waiting") == 0


async def test_figures_of_the_database_are_no_numbers_when_it_is_away(redis_url: str) -> None:
    async with api_on("postgresql://nobody@127.0.0.1:9/none", redis_url) as api:
        samples = await scraped(api)

    waiting = value(samples, "boxoffice_outbox_waiting")
    assert waiting is not None
    assert waiting != waiting, "not a number"
    assert value(samples, "boxoffice_orders_live", state="RESERVED") is None


async def test_requests_and_operations_are_counted_when_they_are_answered(
    postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url, process_name="api-0") as api:
        await api.ask("query { events { totalCount } }")
        await api.ask("query { nothing }")
        samples = await scraped(api)

    about: dict[str, str] = {"process": "api-0", "route": "graphql", "method": "POST"}
    assert value(samples, "boxoffice_http_requests_total", status="200", **about) == 1
    assert value(samples, "boxoffice_http_requests_total", status="400", **about) == 1
    executed: dict[str, str] = {"process": "api-0", "kind": "query", "field": "events", "outcome": "ok"}
    assert value(samples, "boxoffice_operations_total", **executed) == 1


async def test_the_request_id_is_answered_and_kept_when_the_caller_has_one(
    postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        own = await api.client.get("/healthz", headers={"x-request-id": "shop-42"})
        made = await api.client.get("/healthz", headers={"x-request-id": "a b"})

    assert own.headers["x-request-id"] == "shop-42"
    assert len(made.headers["x-request-id"]) == 16


async def test_a_masked_fault_is_found_by_its_id_when_it_is_looked_up(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("of ann@example.org")

    monkeypatch.setattr(EventSearch, "suggest", broken)
    with logged() as log_lines:
        async with api_on(postgres_url, redis_url) as api:
            api.client.headers["x-request-id"] = "shop-42"
            answer = await api.ask('query { suggest(prefix: "x") { __typename } }')

    line = log_lines.line("internal_error")
    assert line["error_id"] == answer.errors[0]["extensions"]["logId"]
    assert (line["request_id"], line["level"], line["path"]) == ("shop-42", "ERROR", "suggest")
    assert "ann@" not in line["fault"]


async def test_the_workers_lines_name_order_and_request_when_a_task_is_put_off(
    postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        event_id = await publish_event(api, new_token("organise"), orphanRule=False)
        chosen = {"seatIds": [f"seat_{event_id.removeprefix('evt_')}_0"]}
        token = new_token()
        held = await api.mutate(
            "reserve",
            {"eventId": event_id, "selection": chosen},
            token,
            "... on ReserveSuccess { order { id reference } }",
        )
        api.client.headers["x-request-id"] = "shop-42"
        await api.mutate("releaseOrder", {"orderId": held["order"]["id"]}, token)
    away = Settings(database_url=postgres_url, redis_url="redis://127.0.0.1:9", stripe_api_key="x")
    parts = build_parts(away, "worker")
    with logged() as log_lines:
        await deliver(parts.context)
    await parts.close()

    line = log_lines.line("task_is_tried_again_in")
    assert (line["topic"], line["request_id"]) == ("mirror_order", "shop-42")
    assert line["order"] == held["order"]["reference"]
    assert line["task"] > 0


async def test_a_change_is_timed_from_hearing_of_it_when_somebody_watches(
    postgres_url: str, redis_url: str
) -> None:
    lags: list[float] = []
    gateway = StripeGateway("sk_test_local", api_base="http://127.0.0.1:9")
    client = connect(redis_url, 4)
    channels = Channels(RedisBackend(client))
    await channels.open()
    async with service_context_on(postgres_url, redis_url, gateway) as context:
        event_id = await open_event(context.database, rows=[4])
        hub = SeatHub(context, channels, lags.append)
        stream = hub.stream(event_id)
        await anext(stream)
        await reserve(context, buyer("ann"), ReserveRequest(event_id, ExactSeats((0,))))
        async with asyncio.timeout(10):
            changed = await anext(stream)
            while not lags:
                await asyncio.sleep(0)
        hub.close()
    await channels.close()
    await client.aclose()
    await gateway.close()

    assert changed.changes == ((0, "H"),)
    assert all(0 < seconds < 10 for seconds in lags)


async def test_latency_is_measured_when_the_probe_runs(redis_url: str) -> None:
    client = connect(redis_url, 4)
    channels = Channels(RedisBackend(client))
    await channels.open()
    measured = asyncio.Queue[float]()
    probing = asyncio.create_task(PubSubLatencyProbe(channels, "test", measured.put_nowait).run())
    async with asyncio.timeout(10):
        seconds = await measured.get()
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    await channels.close()
    await client.aclose()

    assert 0 < seconds < 5

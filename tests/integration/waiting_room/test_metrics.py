"""What operators see of a line."""

from prometheus_client import CollectorRegistry

from telemetry.line_meters import LineMeters
from tests.integration.waiting_room.house import House


async def test_figures_are_those_of_the_line_when_metrics_are_asked_for(house: House) -> None:
    registry = CollectorRegistry()
    meters = LineMeters(registry)
    await house.configure(admit_per_minute=100_000, max_active=1)
    await house.crowd(3)
    await house.tick()

    meters.show(await house.rooms.counters())

    labels = {"event": str(house.event_id)}
    read = registry.get_sample_value
    assert read("boxoffice_waiting_room_waiting", labels) == 2
    assert read("boxoffice_waiting_room_active", labels) == 1
    assert read("boxoffice_waiting_room_admitted", labels) == 1
    assert read("boxoffice_waiting_room_lapsed", labels) == 0


async def test_a_line_is_forgotten_when_it_is_switched_off(house: House) -> None:
    registry = CollectorRegistry()
    meters = LineMeters(registry)
    await house.configure()
    meters.show(await house.rooms.counters())

    await house.configure(enabled=False)
    await house.tick()
    meters.show(await house.rooms.counters())

    labels = {"event": str(house.event_id)}
    assert registry.get_sample_value("boxoffice_waiting_room_waiting", labels) is None

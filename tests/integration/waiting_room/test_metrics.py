"""The metrics of waiting rooms."""

from prometheus_client import CollectorRegistry

from telemetry.waiting_room_meters import WaitingRoomMeters
from tests.integration.waiting_room.venue import Venue


async def test_figures_are_those_of_the_line_when_metrics_are_asked_for(venue: Venue) -> None:
    registry = CollectorRegistry()
    meters = WaitingRoomMeters(registry)
    await venue.configure(admit_per_minute=100_000, max_active=1)
    await venue.crowd(3)
    await venue.tick()

    meters.show(await venue.rooms.counters())

    labels = {"event": str(venue.event_id)}
    read = registry.get_sample_value
    assert read("boxoffice_waiting_room_waiting", labels) == 2
    assert read("boxoffice_waiting_room_active", labels) == 1
    assert read("boxoffice_waiting_room_admitted", labels) == 1
    assert read("boxoffice_waiting_room_lapsed", labels) == 0


async def test_a_line_is_forgotten_when_it_is_switched_off(venue: Venue) -> None:
    registry = CollectorRegistry()
    meters = WaitingRoomMeters(registry)
    await venue.configure()
    meters.show(await venue.rooms.counters())

    await venue.configure(enabled=False)
    await venue.tick()
    meters.show(await venue.rooms.counters())

    labels = {"event": str(venue.event_id)}
    assert registry.get_sample_value("boxoffice_waiting_room_waiting", labels) is None

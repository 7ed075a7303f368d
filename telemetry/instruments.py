"""Everything that one process is watched with."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from kit.spans import NoTracer, Tracer
from telemetry.sale_meters import SaleMeters
from telemetry.server_meters import FanoutMeters, LoopMeters, PartMeters, ProcessMeters, RequestMeters


@dataclass(frozen=True)
class Instruments:
    """A process's meters and its tracer.

    `own` holds what is this process's and is told to the others; `common` what every process finds
    alike when it is asked, in the database or in Redis.
    """

    name: str
    role: str
    tracer: Tracer = field(default_factory=NoTracer)
    own: CollectorRegistry = field(default_factory=CollectorRegistry)
    common: CollectorRegistry = field(default_factory=CollectorRegistry)
    sale: SaleMeters = field(init=False)
    requests: RequestMeters = field(init=False)
    parts: PartMeters = field(init=False)
    fanout: FanoutMeters = field(init=False)
    loops: LoopMeters = field(init=False)
    process: ProcessMeters = field(init=False)

    def __post_init__(self) -> None:
        for name, kind in _METERS.items():
            object.__setattr__(self, name, kind(self.own))
        object.__setattr__(self, "process", ProcessMeters(self.own, self.role))


_METERS = {
    "sale": SaleMeters,
    "requests": RequestMeters,
    "parts": PartMeters,
    "fanout": FanoutMeters,
    "loops": LoopMeters,
}

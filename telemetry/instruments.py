"""The metrics and the tracer of one process."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from kit.spans import NoTracer, Tracer
from telemetry.sale_meters import SaleMeters
from telemetry.server_meters import DependencyMeters, FanoutMeters, LoopMeters, ProcessMeters, RequestMeters


@dataclass(frozen=True)
class Instruments:
    """The meters and the tracer of one process.

    The registry `own` has the metrics of this process, which it publishes to the others; `common` has those
    that are the same in every process.
    """

    name: str
    role: str
    tracer: Tracer = field(default_factory=NoTracer)
    own: CollectorRegistry = field(default_factory=CollectorRegistry)
    common: CollectorRegistry = field(default_factory=CollectorRegistry)
    sale: SaleMeters = field(init=False)
    requests: RequestMeters = field(init=False)
    dependencies: DependencyMeters = field(init=False)
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
    "dependencies": DependencyMeters,
    "fanout": FanoutMeters,
    "loops": LoopMeters,
}

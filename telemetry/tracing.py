"""OpenTelemetry behind `kit.spans`; the SDK is loaded only where an exporter is configured.

The configuration is the standard's own (https://opentelemetry.io/docs/specs/otel/configuration/):
OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER (otlp, console or none), OTEL_TRACES_SAMPLER,
OTEL_SERVICE_NAME, OTEL_SDK_DISABLED and what the SDK reads besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from domain.errors import DomainError
from kit.spans import Fact, NoTracer, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FLUSH_MILLISECONDS = 3_000


def is_configured(environment: Mapping[str, str]) -> bool:
    """Whether an exporter for spans is configured."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    chosen = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    return chosen != "none" if chosen else any(environment.get(name) for name in _ENDPOINTS)


def tracer_for(environment: Mapping[str, str], process: str) -> Tracer:
    """The tracer that the environment configures.

    Raises:
        ValueError: OTEL_TRACES_EXPORTER names an unknown exporter.
    """
    if not is_configured(environment):
        return NoTracer()
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    service = environment.get("OTEL_SERVICE_NAME", "") or "boxoffice"
    resource = Resource.create({"service.name": service, "service.instance.id": process})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = _exporter(environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetryTracer(provider)


def _exporter(name: str) -> SpanExporter:
    if name == "otlp":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    raise ValueError(f"OTEL_TRACES_EXPORTER must be otlp, console or none, not {name!r}.")


class OpenTelemetryTracer:
    """A `kit.spans.Tracer` over the SDK."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("boxoffice")
        self._propagator = TraceContextTextMapPropagator()

    def begin(
        self, name: str, *, traceparent: str | None = None, serving: bool = False, facts: Mapping[str, Fact]
    ) -> Span | None:
        """A root span, or a child of the caller's; None where the sampler drops it."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        # An empty context: a current span of another library would otherwise become the parent.
        parent = Context()
        if traceparent is not None:
            parent = self._propagator.extract({"traceparent": traceparent}, context=parent)
        kind = SpanKind.SERVER if serving else SpanKind.CONSUMER
        span = self._tracer.start_span(name, context=parent, kind=kind, attributes=facts)
        return OpenTelemetrySpan(self._tracer, span) if span.is_recording() else None

    def close(self) -> None:
        """Send the spans that have ended, and stop the exporter."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)
        self._provider.shutdown()


class OpenTelemetrySpan:
    """A `kit.spans.Span` over the SDK's."""

    __slots__ = ("_span", "_tracer")

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._span.get_span_context().trace_id:032x}"

    @property
    def traceparent(self) -> str:
        """The W3C header that makes a remote span a child of this one."""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def child(self, name: str, facts: Mapping[str, Fact]) -> Span:
        """A child span."""
        from opentelemetry.context import Context
        from opentelemetry.trace import set_span_in_context

        parent = set_span_in_context(self._span, Context())
        span = self._tracer.start_span(name, context=parent, attributes=facts)
        return OpenTelemetrySpan(self._tracer, span)

    def note(self, name: str, fact: Fact) -> None:
        """Add an attribute."""
        self._span.set_attribute(name, fact)

    def end(self, fault: BaseException | None) -> None:
        """End the span; of an error it records the class, as a message may contain personal data."""
        if isinstance(fault, DomainError):
            self._span.set_attribute("boxoffice.refusal", fault.code)
        elif fault is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", type(fault).__name__)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()

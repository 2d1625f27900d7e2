"""Sending telemetry on by OpenTelemetry's SDK: OTLP over HTTP, or lines of a file.

The spans come ready from the ledger, with ids and times of their own, so the SDK exports them and
measures nothing by itself. Source: OTLP 1.5.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import IO, Final, Self

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    ConsoleMetricExporter,
    MetricExporter,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from console.errors import NotSent
from ledger.telemetry.observed import COUNTS, DURATIONS, Measure, Span, Told

SCOPE: Final = InstrumentationScope("anyteam", "0.1.0")
BATCH: Final = 512
EVERY_S: Final = 30
_BOUNDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600, 3600)


class Sender:
    """Where spans and measures go; use it as a context manager, which flushes at its end."""

    def __init__(self, spans: SpanExporter, measures: MetricExporter, workspace: str) -> None:
        self._spans = spans
        self._waiting: list[ReadableSpan] = []
        self._workspace = workspace
        reader: MetricReader = PeriodicExportingMetricReader(
            measures, export_interval_millis=EVERY_S * 1000
        )
        buckets = ExplicitBucketHistogramAggregation(_BOUNDS)
        self._meters = MeterProvider(
            [reader],
            resource=_resource(workspace, "ledger"),
            views=[View(instrument_name=name, aggregation=buckets) for name in DURATIONS],
        )
        meter = self._meters.get_meter(SCOPE.name, SCOPE.version)
        self._counts: dict[str, Counter] = {name: meter.create_counter(name) for name in COUNTS}
        self._durations: dict[str, Histogram] = {
            name: meter.create_histogram(name, unit="s") for name in DURATIONS
        }

    def take(self, told: Iterable[Told]) -> None:
        """Send these on, spans by batches. Raises `NotSent`."""
        for one in told:
            if isinstance(one, Span):
                self._waiting.append(_readable(one, self._workspace))
            else:
                self._measured(one)
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Send what waits. Raises `NotSent`."""
        waiting, self._waiting = self._waiting, []
        if waiting and self._spans.export(waiting) is not SpanExportResult.SUCCESS:
            raise NotSent(
                f"{len(waiting)} spans were not taken",
                fix="see what the collector says; `anyteam telemetry` sends them again",
            )

    def _measured(self, one: Measure) -> None:
        if one.name in self._counts:
            self._counts[one.name].add(one.value, one.attributes)
        else:
            self._durations[one.name].record(one.value, one.attributes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._meters.shutdown()
            self._spans.shutdown()


def over_otlp(endpoint: str, workspace: str) -> Sender:
    """To a collector's OTLP/HTTP endpoint, as in `http://127.0.0.1:4318`."""
    base = endpoint.rstrip("/")
    return Sender(
        OTLPSpanExporter(endpoint=f"{base}/v1/traces"),
        OTLPMetricExporter(endpoint=f"{base}/v1/metrics"),
        workspace,
    )


def into(file: IO[str], workspace: str) -> Sender:
    """Into a file, a JSON object a line: spans as they come, then the metrics at each interval."""
    return Sender(
        ConsoleSpanExporter(out=file, formatter=_line),
        ConsoleMetricExporter(out=file, formatter=lambda data: data.to_json(indent=None) + "\n"),
        workspace,
    )


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"


def _readable(span: Span, workspace: str) -> ReadableSpan:
    trace = int.from_bytes(span.trace, "big")
    parent = _context(trace, span.parent) if span.parent else None
    return ReadableSpan(
        name=span.name,
        context=_context(trace, span.id),
        parent=parent,
        resource=_resource(workspace, span.component),
        attributes=span.attributes,
        kind=SpanKind.CONSUMER if parent else SpanKind.INTERNAL,
        instrumentation_scope=SCOPE,
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=span.start,
        end_time=span.end,
    )


def _context(trace: int, span: bytes) -> SpanContext:
    return SpanContext(
        trace, int.from_bytes(span, "big"), is_remote=False, trace_flags=TraceFlags(1)
    )


def _resource(workspace: str, component: str) -> Resource:
    return Resource(
        {
            "service.namespace": "anyteam",
            "service.name": f"anyteam-{component}",
            "service.version": SCOPE.version or "",
            "anyteam.workspace": workspace,
        }
    )

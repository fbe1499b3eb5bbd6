"""Spans and metrics as the SDK exports them."""

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind

from tests.support.until import until


class Recordings:
    """What was exported so far.

    Attributes:
        tracers: where spans come from.
        meters: where metrics come from.
    """

    def __init__(
        self,
        exporter: InMemorySpanExporter,
        reader: InMemoryMetricReader,
        tracers: TracerProvider,
        meters: MeterProvider,
    ) -> None:
        self._exporter = exporter
        self._reader = reader
        self.tracers = tracers
        self.meters = meters

    def spans(self, kind: SpanKind | None = None) -> list[ReadableSpan]:
        """All spans that have ended, oldest end first."""
        found = self._exporter.get_finished_spans()
        return [span for span in found if kind is None or span.kind is kind]

    def spans_of(self, job_id: str, count: int) -> list[ReadableSpan]:
        """The spans of the attempts of one job, first to last, when there are so many."""

        def enough() -> list[ReadableSpan]:
            found = [
                span
                for span in self.spans(SpanKind.CONSUMER)
                if facts_of(span)["messaging.message.id"] == job_id
            ]
            assert len(found) >= count, [span.name for span in found]
            return found

        return sorted(until(enough), key=lambda span: facts_of(span)["taskito.retry_count"])

    def sent(self) -> list[ReadableSpan]:
        return self.spans(SpanKind.PRODUCER)

    def processed(self, count: int) -> list[ReadableSpan]:
        """The spans of attempts, when there are so many, which must come soon."""

        def enough() -> list[ReadableSpan]:
            found = self.spans(SpanKind.CONSUMER)
            assert len(found) >= count, [span.name for span in found]
            return found

        found = until(enough)
        assert len(found) == count, [span.name for span in found]
        return found

    def metrics(self) -> dict[str, dict[tuple[tuple[str, Any], ...], Any]]:
        """The points of each metric by their attributes, sorted by name.

        Asked for once: some versions of the SDK tell a point only after new measurements.
        """
        data = self._reader.get_metrics_data()
        return {
            metric.name: {
                tuple(sorted(dict(point.attributes or {}).items())): point
                for point in metric.data.data_points
            }
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, metric: str) -> dict[tuple[tuple[str, Any], ...], Any]:
        """Those of one metric, see :meth:`metrics`."""
        return self.metrics().get(metric, {})


def context_of(span: ReadableSpan) -> SpanContext:
    """The identity of a span."""
    found: SpanContext | None = span.context
    assert found is not None
    return found


def linked_to(span: ReadableSpan) -> list[int]:
    """The ids of the spans that one links to."""
    return [link.context.span_id for link in span.links]


def facts_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})

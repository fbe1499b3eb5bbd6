"""A queue on a fresh database whose spans and metrics stay in memory."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from taskito import Queue
from taskito.contrib.otel import OpenTelemetryMiddleware
from tests.support.working import end
from tests.telemetry.recordings import Recordings

MakeQueue: TypeAlias = Callable[..., Queue]
Work: TypeAlias = Callable[[Queue], None]


@pytest.fixture
def recordings() -> Iterator[Recordings]:
    """What the SDK exports, kept in memory."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    yield Recordings(exporter, reader, tracers, meters)
    tracers.shutdown()
    meters.shutdown()


@pytest.fixture
def make_queue(tmp_path: Path, recordings: Recordings) -> Iterator[MakeQueue]:
    """Make a Queue whose middleware is that of OpenTelemetry, with these options."""
    queues: list[Queue] = []

    def make(**options: object) -> Queue:
        given = {
            "tracer_provider": recordings.tracers,
            "meter_provider": recordings.meters,
            **options,
        }
        middleware = OpenTelemetryMiddleware(**given)  # type: ignore[arg-type]
        queues.append(
            Queue(
                tmp_path / f"{len(queues)}.db",
                workers=2,
                drain_timeout=5,
                durability="normal",
                middleware=[middleware],
            )
        )
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()


@pytest.fixture
def work() -> Iterator[Work]:
    """Run a worker in a thread until the test ends."""
    running: list[tuple[Queue, threading.Thread]] = []

    def start(queue: Queue) -> None:
        thread = threading.Thread(target=queue.run_worker, daemon=True)
        thread.start()
        running.append((queue, thread))

    yield start
    for queue, thread in running:
        end(queue, thread)

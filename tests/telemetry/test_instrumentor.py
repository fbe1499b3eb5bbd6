"""Telemetry for every Queue of a process, switched on and off from outside."""

import importlib
import importlib.util
import logging
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from taskito import Queue
from taskito.contrib.otel import OpenTelemetryMiddleware, TaskitoInstrumentor
from tests.telemetry.conftest import Work
from tests.telemetry.recordings import Recordings, context_of, linked_to


@pytest.fixture
def instrumentor() -> Iterator[TaskitoInstrumentor]:
    yield TaskitoInstrumentor()
    TaskitoInstrumentor().uninstrument()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "jobs.db", workers=1, durability="normal") as queue:
        yield queue


def test_covers_queues_that_exist_and_queues_to_come(
    queue: Queue,
    instrumentor: TaskitoInstrumentor,
    recordings: Recordings,
    tmp_path: Path,
    work: Work,
) -> None:
    @queue.task(queue="mails")
    def send() -> None: ...

    work(queue)
    send.delay().result()  # its settings are kept from here on, unless somebody listens
    instrumentor.instrument(
        tracer_provider=recordings.tracers,
        meter_provider=recordings.meters,
        skip_dep_check=True,
    )
    send.delay().result()
    (process,) = recordings.processed(1)
    (sent,) = recordings.sent()
    assert (sent.name, process.name) == ("send mails", "process mails")
    assert linked_to(process) == [context_of(sent).span_id]
    with Queue(tmp_path / "later.db") as later:
        later.enqueue("anything")
    assert [span.name for span in recordings.sent()] == ["send mails", "send default"]
    assert recordings.points("messaging.process.duration")


def test_is_undone(
    queue: Queue, instrumentor: TaskitoInstrumentor, recordings: Recordings, work: Work
) -> None:
    @queue.task
    def nothing() -> None: ...

    assert not instrumentor.is_instrumented_by_opentelemetry
    instrumentor.instrument(tracer_provider=recordings.tracers)
    assert instrumentor.is_instrumented_by_opentelemetry
    instrumentor.uninstrument()
    instrumentor.uninstrument()
    assert not instrumentor.is_instrumented_by_opentelemetry
    work(queue)
    nothing.delay().result()
    assert recordings.spans() == []


def test_twice_makes_one_span(
    queue: Queue,
    instrumentor: TaskitoInstrumentor,
    recordings: Recordings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instrumentor.instrument(tracer_provider=recordings.tracers)
    with caplog.at_level(logging.WARNING, logger="taskito"):
        TaskitoInstrumentor().instrument(tracer_provider=recordings.tracers)
    assert "taskito is instrumented already" in caplog.text
    queue.enqueue("anything")
    assert len(recordings.sent()) == 1


def test_beside_middleware_of_a_queue_makes_one_span(
    instrumentor: TaskitoInstrumentor, recordings: Recordings, tmp_path: Path
) -> None:
    middleware = OpenTelemetryMiddleware(tracer_provider=recordings.tracers)
    instrumentor.instrument(tracer_provider=recordings.tracers)
    with Queue(tmp_path / "both.db", middleware=[middleware]) as queue:
        queue.enqueue("anything")
    assert [span.name for span in recordings.sent()] == ["send default"]


def test_a_queue_that_is_gone_is_forgotten(instrumentor: TaskitoInstrumentor) -> None:
    import gc
    import weakref

    queue = Queue(":memory:")
    hooks = weakref.ref(queue._hooks)
    del queue
    gc.collect()
    assert hooks() is None
    instrumentor.instrument()


def test_tools_find_it_by_its_entry_point() -> None:
    (found,) = entry_points(group="opentelemetry_instrumentor", name="taskito")
    assert found.load() is TaskitoInstrumentor
    assert found.load()() is TaskitoInstrumentor()
    assert TaskitoInstrumentor().instrumentation_dependencies() == ("taskito",)


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.instrumentation") is None,
    reason="opentelemetry-instrumentation is not installed; the interface is tested above",
)
def test_counts_as_an_instrumentor_of_opentelemetry(queue: Queue, recordings: Recordings) -> None:
    module = importlib.import_module("opentelemetry.instrumentation.instrumentor")
    assert isinstance(TaskitoInstrumentor(), module.BaseInstrumentor)
    distro = importlib.import_module("opentelemetry.instrumentation.distro").DefaultDistro()
    (entry_point,) = entry_points(group="opentelemetry_instrumentor", name="taskito")
    distro.load_instrumentor(entry_point, tracer_provider=recordings.tracers)
    try:
        queue.enqueue("anything")
        assert [span.name for span in recordings.sent()] == ["send default"]
    finally:
        TaskitoInstrumentor().uninstrument()

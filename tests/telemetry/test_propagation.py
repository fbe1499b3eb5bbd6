"""The context of a call reaches the attempt, in whatever process it runs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from taskito import Queue, current_job
from tests.support.until import until
from tests.telemetry.conftest import MakeQueue, Work
from tests.telemetry.recordings import Recordings, context_of, facts_of, linked_to

ROOT = Path(__file__).resolve().parents[2]


def test_an_attempt_begins_a_trace_that_links_to_the_call(
    make_queue: MakeQueue, work: Work, recordings: Recordings
) -> None:
    queue = make_queue()

    @queue.task
    def nothing() -> None: ...

    work(queue)
    nothing.delay().result()
    (process,) = recordings.processed(1)
    (sent,) = recordings.sent()
    assert process.parent is None
    assert linked_to(process) == [context_of(sent).span_id]
    assert context_of(process).trace_id != context_of(sent).trace_id


def test_an_attempt_belongs_to_the_trace_of_the_call_if_asked(
    make_queue: MakeQueue, work: Work, recordings: Recordings
) -> None:
    queue = make_queue(propagation="parent")

    @queue.task
    def nothing() -> None: ...

    work(queue)
    nothing.delay().result()
    (process,) = recordings.processed(1)
    (sent,) = recordings.sent()
    assert process.parent is not None
    assert process.parent.span_id == context_of(sent).span_id
    assert context_of(process).trace_id == context_of(sent).trace_id
    assert linked_to(process) == []


def test_the_headers_are_those_of_w3c_beside_those_that_were_there(
    make_queue: MakeQueue, work: Work, recordings: Recordings
) -> None:
    queue = make_queue()

    @queue.task
    def headers() -> dict[str, str]:
        return current_job.headers

    work(queue)
    upstream = SpanContext(
        trace_id=1, span_id=2, is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=TraceState([("vendor", "x1")]),
    )  # fmt: skip
    with trace.use_span(NonRecordingSpan(upstream)):
        job = headers.options(headers={"tenant": "7", "traceparent": "stale"}).delay()
    found = job.result()
    (sent,) = recordings.sent()
    span_id = trace.format_span_id(context_of(sent).span_id)
    assert found == {
        "tenant": "7",
        "traceparent": f"00-{1:032x}-{span_id}-01",
        "tracestate": "vendor=x1",
    }


def test_without_an_sdk_headers_stay_as_they_are(tmp_path: Path, work: Work) -> None:
    from taskito.contrib.otel import OpenTelemetryMiddleware

    provider = trace.NoOpTracerProvider()
    middleware = OpenTelemetryMiddleware(tracer_provider=provider)
    with Queue(tmp_path / "plain.db", workers=1, middleware=[middleware]) as queue:

        @queue.task
        def headers() -> dict[str, str]:
            return current_job.headers

        work(queue)
        assert headers.delay().result() == {}
        assert headers.options(headers={"tenant": "7"}).delay().result() == {"tenant": "7"}


def test_a_job_without_a_sender_has_a_span_without_a_link(
    make_queue: MakeQueue, work: Work, recordings: Recordings, tmp_path: Path
) -> None:
    queue = make_queue()

    @queue.task(name="nothing")
    def nothing() -> None: ...

    with Queue(tmp_path / "0.db") as stranger:
        stranger.enqueue("nothing")
        stranger.enqueue("nothing", headers={"traceparent": "no trace context at all"})
    work(queue)
    for span in recordings.processed(2):
        assert linked_to(span) == []
        assert span.parent is None


@pytest.mark.parametrize("propagation", ["link", "parent"])
def test_a_worker_in_another_process_knows_the_call(
    tmp_path: Path, make_queue: MakeQueue, recordings: Recordings, propagation: str
) -> None:
    queue = make_queue(propagation=propagation)
    job = queue.enqueue("traced")
    exported = tmp_path / "spans"
    exported.touch()
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.telemetry.traced_worker", queue.db_path, propagation],
        cwd=ROOT,
        env={**os.environ, "SPANS": str(exported)},
    )
    try:
        assert job.result(timeout=30) == worker.pid
        span = json.loads(until(exported.read_text))
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    (sent,) = recordings.sent()
    sender = f"0x{context_of(sent).span_id:016x}"
    assert facts(span)["messaging.message.id"] == job.id == facts_of(sent)["messaging.message.id"]
    if propagation == "link":
        assert [link["context"]["span_id"] for link in span["links"]] == [sender]
        assert span["parent_id"] is None
    else:
        assert span["parent_id"] == sender
        assert span["context"]["trace_id"] == f"0x{context_of(sent).trace_id:032x}"


def facts(span: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = span["attributes"]
    return found

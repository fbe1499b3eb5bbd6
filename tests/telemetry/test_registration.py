"""Middleware that is given twice, to one task, in test mode, or to an SDK that is broken."""

import logging

import pytest
from opentelemetry import trace

from taskito import Queue, current_job
from taskito.contrib.otel import OpenTelemetryMiddleware
from tests.telemetry.conftest import MakeQueue, Work
from tests.telemetry.recordings import Recordings


class TestRegistration:
    def test_two_of_them_make_one_span(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()
        second = OpenTelemetryMiddleware(
            span_names="messaging",
            tracer_provider=recordings.tracers,
            meter_provider=recordings.meters,
        )

        @queue.task(name="once", middleware=[second], max_retries=1, retry_backoff=0)
        def once() -> None:
            if current_job.attempt == 1:
                raise OSError

        work(queue)
        once.delay().result()
        assert {span.name for span in recordings.processed(2)} == {"taskito.execute.once"}
        assert [span.name for span in recordings.sent()] == ["taskito.enqueue.once"]

    def test_of_one_task_leaves_the_others_alone(
        self, tmp_path: object, work: Work, recordings: Recordings
    ) -> None:
        middleware = OpenTelemetryMiddleware(tracer_provider=recordings.tracers)
        with Queue(f"{tmp_path}/own.db", workers=1) as queue:

            @queue.task(name="seen", middleware=[middleware])
            def seen() -> None: ...

            @queue.task
            def unseen() -> None: ...

            work(queue)
            unseen.delay().result()
            seen.delay().result()
            assert [s.name for s in recordings.processed(1)] == ["taskito.execute.seen"]
            assert len(recordings.sent()) == 1

    def test_test_mode_has_spans_too_nested_calls_included(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task(name="inner")
        def inner() -> None: ...

        @queue.task(name="outer")
        def outer() -> None:
            inner.delay()
            raise OSError("afterwards")

        with queue.test_mode():
            outer.delay()
        assert not trace.get_current_span().get_span_context().is_valid
        names = [span.name for span in recordings.spans()]
        assert names == [
            "taskito.execute.inner",
            "taskito.enqueue.inner",
            "taskito.execute.outer",
            "taskito.enqueue.outer",
        ]

    def test_a_batch_of_nothing_has_no_span(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        assert make_queue().enqueue_many("anything", []) == []
        assert recordings.spans() == []

    def test_what_telemetry_raises_changes_no_enqueue(
        self,
        make_queue: MakeQueue,
        recordings: Recordings,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        queue = make_queue()

        def broken(*_args: object, **_kwargs: object) -> None:
            raise RuntimeError("broken sampler")

        monkeypatch.setattr(recordings.tracers.sampler, "should_sample", broken)
        with caplog.at_level(logging.ERROR, logger="taskito"):
            job = queue.enqueue("anything")
            many = queue.enqueue_many("anything", [(), ()])
        assert [j.status for j in (job, *many)] == ["pending"] * 3
        assert "broken sampler" in caplog.text

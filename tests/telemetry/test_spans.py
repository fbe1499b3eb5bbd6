"""The spans that the SDK exports: names, kinds, attributes, what is current when."""

import asyncio
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from taskito import JobContext, TaskMiddleware, chain
from taskito.contrib.otel import OpenTelemetryMiddleware
from tests.telemetry.conftest import MakeQueue, Work
from tests.telemetry.recordings import Recordings, context_of, facts_of, linked_to


class TestNames:
    def test_are_those_of_tasks_by_default(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task(name="mail.send")
        def send() -> None: ...

        work(queue)
        send.delay().result()
        assert [span.name for span in recordings.processed(1)] == ["taskito.execute.mail.send"]
        assert [span.name for span in recordings.sent()] == ["taskito.enqueue.mail.send"]

    def test_are_those_of_the_conventions_if_asked(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue(span_names="messaging")

        @queue.task(queue="mails")
        def send() -> None: ...

        work(queue)
        send.delay().result()
        assert [span.name for span in recordings.processed(1)] == ["process mails"]
        assert [span.name for span in recordings.sent()] == ["send mails"]

    def test_follow_a_hook_that_changes_the_queue(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        queue = make_queue(span_names="messaging")

        @queue.on_enqueue
        def divert(_task: str, _args: object, _kwargs: object, options: dict[str, Any]) -> None:
            options["queue"] = "slow"

        queue.enqueue("anything")
        (span,) = recordings.sent()
        assert span.name == "send slow"
        assert facts_of(span)["messaging.destination.name"] == "slow"

    def test_another_kind_of_names_is_refused(self) -> None:
        with pytest.raises(ValueError, match="span_names must be 'taskito' or 'messaging'"):
            OpenTelemetryMiddleware(span_names="celery")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="propagation must be 'link' or 'parent', got 'none'"):
            OpenTelemetryMiddleware(propagation="none")  # type: ignore[arg-type]

    def test_the_scope_is_the_name_of_the_tracer(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        make_queue(tracer_name="shop").enqueue("anything")
        (span,) = recordings.sent()
        assert span.instrumentation_scope is not None
        assert span.instrumentation_scope.name == "shop"


class TestAttributes:
    def test_say_what_was_sent_and_processed(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task(name="send", queue="mails")
        def send() -> None: ...

        work(queue)
        job = send.delay()
        job.result()
        (process,) = recordings.processed(1)
        (sent,) = recordings.sent()
        common = {
            "messaging.system": "taskito",
            "messaging.destination.name": "mails",
            "messaging.message.id": job.id,
            "taskito.job_id": job.id,
            "taskito.task_name": "send",
            "taskito.queue": "mails",
        }
        (worker,) = queue.workers()
        assert sent.kind is SpanKind.PRODUCER
        assert facts_of(sent) == {
            **common,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
        }
        assert process.kind is SpanKind.CONSUMER
        assert facts_of(process) == {
            **common,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.client.id": worker["worker_id"],
            "taskito.retry_count": 0,
        }
        assert process.status.status_code is StatusCode.OK
        assert sent.status.status_code is StatusCode.OK

    def test_the_jobs_of_a_workflow_are_one_conversation(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task(name="step")
        def step() -> None: ...

        work(queue)
        chain(step.si(), step.si()).apply().result()
        (send,) = recordings.sent()
        assert facts_of(send)["messaging.batch.message_count"] == 2
        names = {facts_of(s)["messaging.message.conversation_id"] for s in recordings.processed(2)}
        assert len(names) == 1
        assert {*map(tuple, map(linked_to, recordings.processed(2)))} == {
            (context_of(send).span_id,)
        }

    def test_a_batch_is_one_span_that_counts_its_jobs(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task
        def double(n: int) -> int:
            return 2 * n

        work(queue)
        jobs = double.map([(1,), (2,), (3,)])
        assert [job.result() for job in jobs] == [2, 4, 6]
        (send,) = recordings.sent()
        facts = facts_of(send)
        assert facts["messaging.batch.message_count"] == 3
        assert "messaging.message.id" not in facts
        process = recordings.processed(3)
        assert {tuple(linked_to(span)) for span in process} == {(context_of(send).span_id,)}
        assert {facts_of(span)["messaging.message.id"] for span in process} == {j.id for j in jobs}

    def test_a_job_that_was_there_before_is_named_and_not_counted(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        queue = make_queue()
        jobs = [queue.enqueue("anything", unique_key="one") for _ in range(2)]
        assert jobs[0] == jobs[1]
        first, second = map(facts_of, recordings.sent())
        assert "taskito.deduplicated" not in first
        assert second["taskito.deduplicated"] is True
        assert second["messaging.message.id"] == jobs[0].id
        (point,) = recordings.points("messaging.client.sent.messages").values()
        assert point.value == 1


class TestCurrentSpan:
    def test_of_a_thread_is_that_of_the_attempt(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()
        tracer = recordings.tracers.get_tracer("shop")

        @queue.task(name="outer")
        def outer() -> int:
            with tracer.start_as_current_span("inner"):
                return trace.get_current_span().get_span_context().trace_id

        work(queue)
        trace_id = outer.delay().result()
        (process,) = recordings.processed(1)
        (inner,) = [span for span in recordings.spans() if span.name == "inner"]
        assert inner.parent is not None
        assert inner.parent.span_id == context_of(process).span_id
        assert context_of(process).trace_id == trace_id

    def test_of_coroutines_is_their_own_though_they_run_at_once(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()
        tracer = recordings.tracers.get_tracer("shop")
        meeting = asyncio.Barrier(3)

        @queue.task
        async def outer(n: int) -> None:
            await meeting.wait()
            with tracer.start_as_current_span(f"inner {n}"):
                await meeting.wait()
            with tracer.start_as_current_span(f"second {n}"):
                await asyncio.sleep(0)

        work(queue)
        jobs = {n: outer.delay(n) for n in range(3)}
        for job in jobs.values():
            job.result()
        spans = {facts_of(s)["messaging.message.id"]: s for s in recordings.processed(3)}
        for n, job in jobs.items():
            for name in (f"inner {n}", f"second {n}"):
                (inner,) = [span for span in recordings.spans() if span.name == name]
                assert inner.parent is not None
                assert inner.parent.span_id == context_of(spans[job.id]).span_id

    def test_is_none_after_the_attempt(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()
        left: list[bool] = []

        class After(TaskMiddleware):
            def after(self, ctx: JobContext, result: object, error: object) -> None:
                del ctx, result, error
                left.append(trace.get_current_span().get_span_context().is_valid)

        @queue.task(middleware=[After()])
        def plain() -> None: ...

        @queue.task(middleware=[After()])
        async def coroutine() -> None: ...

        work(queue)
        plain.delay().result()
        coroutine.delay().result()
        recordings.processed(2)
        assert left == [False, False]

    def test_of_an_enqueue_is_the_parent_of_its_span(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        queue = make_queue()
        tracer = recordings.tracers.get_tracer("shop")
        with tracer.start_as_current_span("request") as request:
            queue.enqueue("anything")
        (sent,) = recordings.sent()
        assert sent.parent is not None
        assert sent.parent.span_id == request.get_span_context().span_id

    def test_a_job_that_enqueues_is_the_parent_of_that(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task
        def first() -> None:
            queue.enqueue("second")

        work(queue)
        job = first.delay()
        job.result()
        (process,) = recordings.processed(1)
        # The job may have enqueued before the span of its own enqueue ended.
        (second,) = (
            span for span in recordings.sent() if facts_of(span)["messaging.message.id"] != job.id
        )
        assert second.parent is not None
        assert second.parent.span_id == context_of(process).span_id

"""The spans of what fails, is retried, or ends in another way than by returning."""

import asyncio
import threading

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from taskito import Cancel, Retry, Snooze, current_job
from tests.support.until import until
from tests.telemetry.conftest import MakeQueue, Work
from tests.telemetry.recordings import Recordings, context_of, facts_of, linked_to


class TestFailures:
    def test_are_errors_with_the_exception_recorded(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task(max_retries=0)
        def fail() -> None:
            raise KeyError("no such order")

        work(queue)
        fail.delay().wait()
        (span,) = recordings.processed(1)
        assert span.status.status_code is StatusCode.ERROR
        assert facts_of(span)["error.type"] == "KeyError"
        (event,) = span.events
        assert event.name == "exception"
        assert (event.attributes or {})["exception.message"] == "'no such order'"

    def test_that_are_retried_say_so_on_the_span_that_failed(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task(max_retries=2, retry_backoff=0)
        def flaky() -> int:
            if current_job.attempt == 1:
                raise ConnectionError("refused")
            return current_job.attempt

        @queue.task(max_retries=1, retry_backoff=0)
        async def again() -> int:
            if current_job.attempt == 1:
                raise Retry(reason="later")
            return current_job.attempt

        work(queue)
        for task in (flaky, again):
            job = task.delay()
            assert job.result() == 2
            failed, succeeded = recordings.spans_of(job.id, 2)
            assert [event.name for event in failed.events] == ["exception", "retry"]
            facts = dict(failed.events[1].attributes or {})
            assert facts["taskito.retry_count"] == 1
            assert facts["taskito.error"] in {"refused", "later"}
            assert failed.status.status_code is StatusCode.ERROR
            assert succeeded.status.status_code is StatusCode.OK
            assert list(succeeded.events) == []
            assert context_of(failed).trace_id != context_of(succeeded).trace_id
            assert linked_to(failed) == linked_to(succeeded)

    def test_a_snooze_is_none(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()
        slept: list[int] = []

        @queue.task
        def nap() -> None:
            if not slept:
                slept.append(1)
                raise Snooze(0)

        work(queue)
        nap.delay().result()
        for span in recordings.processed(2):
            assert span.status.status_code is StatusCode.OK
            assert list(span.events) == []

    def test_a_cancelled_attempt_ends_its_span(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        queue = make_queue()

        @queue.task
        def stop() -> None:
            raise Cancel("not needed")

        work(queue)
        stop.delay().wait()
        (span,) = recordings.processed(1)
        assert facts_of(span)["error.type"] == "taskito.exceptions.Cancel"

    def test_an_attempt_over_its_timeout_ends_its_span_at_the_deadline(
        self,
        make_queue: MakeQueue,
        work: Work,
        recordings: Recordings,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        queue = make_queue()
        leave = threading.Event()

        @queue.task(timeout=0.2, max_retries=0)
        def hang() -> None:
            leave.wait(30)

        @queue.task(timeout=0.2, max_retries=0)
        async def hang_too() -> None:
            await asyncio.sleep(20)

        @queue.task
        def after() -> int:
            return trace.get_current_span().get_span_context().trace_id

        work(queue)
        hang.delay().wait(30)
        hang_too.delay().wait(30)
        timed_out = recordings.processed(2)
        assert {facts_of(s)["error.type"] for s in timed_out} == {
            "taskito.exceptions.TaskTimeoutError"
        }
        leave.set()
        job = after.delay()
        trace_id = job.result()
        assert trace_id == context_of(recordings.processed(3)[-1]).trace_id
        opentelemetry = [r for r in caplog.records if r.name.startswith("opentelemetry")]
        assert opentelemetry == []  # nothing was detached where it had not been attached

    def test_an_exception_that_cannot_be_told_ends_the_span(
        self, make_queue: MakeQueue, work: Work, recordings: Recordings
    ) -> None:
        class MuteError(Exception):
            def __str__(self) -> str:
                raise ValueError("no words")

        queue = make_queue()

        @queue.task(max_retries=0)
        def fail() -> None:
            raise MuteError

        work(queue)
        fail.delay().wait()
        (span,) = recordings.processed(1)
        assert span.status.description == "MuteError"

    def test_jobs_that_were_taken_and_never_started_have_no_span(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        queue = make_queue()
        entered, leave = threading.Event(), threading.Event()

        @queue.task
        def brief(*, is_long: bool = False) -> None:
            if is_long:
                entered.set()
                leave.wait(30)

        # A worker takes jobs ahead only behind what it knows as brief.
        brief.map([()] * 100)
        held = brief.delay(is_long=True)
        waiting = brief.map([()] * 100)
        worker = threading.Thread(target=queue.run_worker, kwargs={"workers": 1}, daemon=True)
        worker.start()
        assert entered.wait(30)
        until(lambda: queue.stats()["running"] > 1)
        queue.shutdown(now=True)
        worker.join(30)

        assert queue.stats()["pending"] == 1 + len(waiting)
        told = {facts_of(span)["messaging.message.id"] for span in recordings.processed(101)}
        assert held.id in told  # its function still runs, but for nothing
        assert told.isdisjoint(job.id for job in waiting)
        leave.set()

    def test_of_an_enqueue_are_errors_of_its_span(
        self, make_queue: MakeQueue, recordings: Recordings
    ) -> None:
        queue = make_queue()
        with pytest.raises(TypeError):
            queue.enqueue("anything", [threading.Lock()])
        (span,) = recordings.sent()
        assert span.status.status_code is StatusCode.ERROR
        assert facts_of(span)["error.type"] == "taskito.exceptions.SerializationError"
        assert recordings.points("messaging.client.sent.messages") == {}

"""Attempts: what a task's function may do, and what is recorded of it."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from taskito import JsonSerializer, Queue, TaskFailedError, TaskWrapper
from taskito._failures import error_text
from tests.support.working import working
from tests.unit.conftest import StartWorker


class TestRun:
    def test_arguments_arrive_as_they_were_sent(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(name="t")
        def task(*args: object, **kwargs: object) -> object:
            return args, kwargs

        start_worker()
        assert task.delay(1, [2], k={"x": b"y"}).result() == ((1, [2]), {"k": {"x": b"y"}})
        assert queue.enqueue("t").result() == ((), {})

    def test_json_makes_lists_of_tuples(self) -> None:
        with Queue(":memory:", serializer=JsonSerializer(), workers=1) as queue:
            task = queue.task(name="t")(lambda x: [x, type(x).__name__])
            with working(queue):
                assert task.delay((1, 2)).result() == [[1, 2], "list"]

    def test_jobs_run_in_named_daemon_threads_that_keep_their_locals(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        local = threading.local()

        @queue.task(name="t")
        def count() -> tuple[str, bool, int]:
            local.n = getattr(local, "n", 0) + 1
            current = threading.current_thread()
            return current.name, current.daemon, local.n

        start_worker(workers=1)
        assert [count.delay().result() for _ in range(3)] == [
            ("taskito-1", True, n) for n in (1, 2, 3)
        ]

    def test_higher_priority_goes_first(self, queue: Queue, start_worker: StartWorker) -> None:
        ran: list[int] = []
        task = queue.task(name="t")(ran.append)
        jobs = [task.options(priority=p).delay(p) for p in (1, 5, 10)]
        start_worker(workers=1)
        for job in jobs:
            job.result()
        assert ran == [10, 5, 1]

    def test_an_unknown_task_waits_for_its_registration(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        waiting = queue.enqueue("late", [20])
        early = queue.task(name="early")(lambda: "early").delay()
        start_worker()
        assert early.result() == "early"
        assert waiting.status == "pending"
        queue.task(name="late")(lambda x: x + 1)
        assert waiting.result() == 21
        assert waiting.retry_count == 0

    def test_only_the_named_queues_are_served(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t")(lambda: "ran")
        other = task.options(queue="b").delay()
        start_worker("a")
        assert task.options(queue="a").delay().result() == "ran"
        assert other.status == "pending"
        start_worker(["b", ""])
        assert other.result() == "ran"


def exits() -> None:
    raise SystemExit(3)


def interrupts() -> None:
    raise KeyboardInterrupt


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def unspeakable() -> None:
    raise UnspeakableError


def wrong_arguments() -> None:
    int("1", bas=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


class TestFail:
    @pytest.mark.parametrize(
        ("function", "text"),
        [
            (exits, "SystemExit: 3"),
            (interrupts, "KeyboardInterrupt"),
            (unspeakable, "UnspeakableError: <exception str() failed>"),
            (wrong_arguments, "TypeError: 'bas' is an invalid keyword"),
        ],
    )
    def test_whatever_is_raised_fails_the_attempt_and_not_the_worker(
        self,
        queue: Queue,
        start_worker: StartWorker,
        function: Callable[[], None],
        text: str,
    ) -> None:
        job = queue.task(name="t", max_retries=0)(function).delay()
        fine = queue.task(name="fine")(lambda: "fine")
        start_worker(workers=1)
        job.wait()
        assert job.status == "dead"
        assert text in (job.error or "")
        assert fine.delay().result() == "fine"

    def test_the_traceback_starts_in_the_function(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        def fail() -> None:
            raise ValueError("café") from KeyError("k")

        job = queue.task(name="t", max_retries=0)(fail).delay()
        start_worker()
        job.wait()
        error = job.error or ""
        assert error.startswith("KeyError: 'k'\n\nThe above exception was the direct cause")
        assert "taskito/_" not in error
        assert "in fail\n" in error
        assert error.endswith("ValueError: café")

    def test_retries_until_it_succeeds(self, queue: Queue, start_worker: StartWorker) -> None:
        ran: list[int] = []

        @queue.task(name="t", max_retries=3, retry_backoff=0.001)
        def third_time() -> int:
            ran.append(1)
            if len(ran) < 3:
                raise OSError
            return len(ran)

        job = third_time.delay()
        start_worker()
        assert job.result() == 3
        assert job.status == "complete"
        assert job.retry_count == 2
        assert [error["attempt"] for error in job.errors] == [0, 1]

    @pytest.mark.parametrize(
        ("options", "attempts"),
        [
            ({"retry_on": [LookupError]}, 3),
            ({"retry_on": [OSError]}, 1),
            ({"retry_on": []}, 1),
            ({"dont_retry_on": [LookupError]}, 1),
            ({"dont_retry_on": [OSError]}, 3),
            ({"retry_on": [KeyError], "dont_retry_on": [LookupError]}, 1),
        ],
    )
    def test_filters_decide_by_class(
        self,
        queue: Queue,
        start_worker: StartWorker,
        options: dict[str, Any],
        attempts: int,
    ) -> None:
        @queue.task(name="t", max_retries=2, retry_backoff=0, **options)
        def fail() -> None:
            raise KeyError("k")

        job = fail.delay()
        start_worker()
        job.wait()
        assert job.status == "dead"
        assert len(job.errors) == attempts

    def test_undecodable_arguments_fail_the_attempt(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        queue.task(name="t", max_retries=0)(lambda: None)
        with Queue(queue.db_path, serializer=JsonSerializer()) as other:
            job = other.enqueue("t", max_retries=0)
        start_worker()
        assert queue.list_jobs()[0].wait(30)
        error = queue.job_errors(job.id)[0]["error"]
        assert "taskito.exceptions.SerializationError: the arguments of 't' cannot" in error
        assert "taskito/_" not in error

    def test_a_result_that_cannot_be_encoded_fails_the_attempt(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t", max_retries=0)(threading.Lock).delay()
        start_worker()
        with pytest.raises(TaskFailedError, match="SerializationError: the result of 't' cannot"):
            job.result()

    def test_a_serializer_that_returns_no_bytes_fails_the_attempt(self) -> None:
        class Textual(JsonSerializer):
            def dumps(self, obj: Any, /) -> Any:
                return "text" if obj == "done" else super().dumps(obj)

        with Queue(":memory:", serializer=Textual(), workers=1) as queue:
            job = queue.task(name="t", max_retries=0)(lambda: "done").delay()
            with working(queue), pytest.raises(TaskFailedError, match="SerializationError"):
                job.result()

    def test_a_too_large_result_is_not_retried(self) -> None:
        with Queue(":memory:", max_payload_bytes=1000, workers=1) as queue:
            job = queue.task(name="t", retry_backoff=0)(lambda: "x" * 1000).delay()
            with (
                working(queue),
                pytest.raises(TaskFailedError, match="PayloadTooLargeError: the result of 't'"),
            ):
                job.result()
            assert len(job.errors) == 1

    def test_large_results_are_logged_once_per_task(
        self, queue: Queue, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
    ) -> None:
        @queue.task(name="large")
        def large(size: int) -> str:
            return "x" * size

        small, *jobs = [large.delay(size) for size in (2**20 - 100, 2**20, 2**20)]
        start_worker()
        assert small.wait(30)
        assert all(job.wait(30) for job in jobs)
        assert [message[:32] for message in caplog.messages] == ["the result of 'large' takes 1048"]

    def test_the_last_failure_is_logged_on_one_line(
        self, queue: Queue, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
    ) -> None:
        @queue.task(name="t", max_retries=1, retry_backoff=0)
        def fail() -> None:
            raise ValueError("a\nb\x1b[31m")

        with caplog.at_level(logging.INFO, "taskito"):
            job = fail.delay()
            start_worker()
            job.wait()
        first, last = [r for r in caplog.records if r.name == "taskito"]
        assert (first.levelno, last.levelno) == (logging.INFO, logging.ERROR)
        assert "attempt 1 of 2" in first.message
        assert last.message.endswith(f"job {job.id}: ValueError: a\\nb\\x1b[31m")


class ExplodingError(Exception):
    """Breaks whoever asks for its notes."""


def exit_with(_error: BaseException) -> object:
    raise SystemExit


setattr(ExplodingError, "__notes__", property(exit_with))  # noqa: B010 - types forbid it


class TestDescribe:
    def test_long_text_loses_its_middle(self) -> None:
        text = error_text(ValueError("<" + "é" * 100_000 + ">"))
        assert len(text.encode()) <= 65_536
        assert text.startswith("ValueError: <é")
        assert text.endswith("é>")
        assert " bytes left out] ...\n" in text

    def test_surrogates_are_escaped(self) -> None:
        assert error_text(ValueError("\udc80")) == "ValueError: \\udc80"

    @pytest.mark.parametrize("error", [UnspeakableError(), ExplodingError()])
    def test_an_exception_that_cannot_be_formatted_is_named(self, error: Exception) -> None:
        assert f"{type(error).__name__}: <" in error_text(error)

    def test_groups_show_their_members(self) -> None:
        text = error_text(ExceptionGroup("several", [ValueError("one"), OSError("two")]))
        assert "ValueError: one" in text
        assert "OSError: two" in text


def test_replacing_a_function_reaches_a_running_worker(
    queue: Queue, start_worker: StartWorker
) -> None:
    old: TaskWrapper[[], str] = queue.task(name="t")(lambda: "old")
    start_worker()
    assert old.delay().result() == "old"
    queue.task(name="t")(lambda: "new")
    assert old.delay().result() == "new"

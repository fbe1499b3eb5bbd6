"""Hooks that fail, hang or come late: nothing they do changes what becomes of a job."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskito import JobContext, Queue, Snooze, TaskMiddleware
from tests.support.journal import HOOKS, Journal, Recorder, listen
from tests.support.until import until
from tests.unit.conftest import StartWorker


class Spoiler(TaskMiddleware):
    """Raises wherever it can."""

    def __init__(self, error: Callable[[], BaseException]) -> None:
        self.error = error

    def _fail(self, *_: Any, **__: Any) -> None:
        raise self.error()

    on_success = on_failure = after = on_timeout = on_retry = _fail
    on_dead_letter = on_cancel = _fail


def in_time(condition: Callable[[], object]) -> None:
    until(condition)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Set when the test ends, for whatever was held."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def journal() -> Journal:
    return Journal()


class TestRaise:
    @pytest.mark.parametrize(
        "error",
        [ValueError, SystemExit, KeyboardInterrupt, lambda: Snooze(5)],
        ids=["error", "exit", "interrupt", "control exception"],
    )
    def test_it_changes_no_outcome_and_the_others_are_called(
        self,
        queue: Queue,
        start_worker: StartWorker,
        journal: Journal,
        caplog: pytest.LogCaptureFixture,
        error: Callable[[], BaseException],
    ) -> None:
        def spoil(*_: object) -> None:
            raise error()

        for event in HOOKS:
            getattr(queue, event)(spoil)
        listen(queue, journal)
        both: list[TaskMiddleware] = [Spoiler(error), Recorder("own", journal)]
        good = queue.task(name="good", middleware=both)(lambda: 7).delay()

        @queue.task(name="bad", max_retries=0, middleware=both)
        def bad() -> None:
            raise OSError("the real one")

        start_worker(workers=1)
        assert good.result() == 7
        assert journal == [
            *("own.before", "before_task", "on_success", "after_task"),
            *("own.on_success", "own.after"),
        ]
        journal.clear()
        failed = bad.delay()
        in_time(lambda: len(journal) == 8)
        assert failed.status == "dead"
        assert "OSError: the real one" in (failed.error or "")
        assert journal == [
            *("own.before", "before_task", "on_failure", "after_task"),
            *("own.on_failure", "own.after", "own.on_dead_letter", "on_dead_letter"),
        ]
        hooks = [record.message for record in caplog.records if " hook " in record.message]
        assert [sum(job.id in text for text in hooks) for job in (good, failed)] == [5, 7]

    def test_it_is_logged_with_the_job_it_belongs_to(
        self, queue: Queue, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
    ) -> None:
        @queue.before_task
        def spoil(*_: object) -> None:
            raise ValueError("the hook is at fault")

        job = queue.task(name="t", queue="mail")(lambda: 7).delay()
        start_worker()
        assert job.result() == 7
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("taskito", logging.ERROR)
        assert record.message.startswith("before_task hook tests.unit.test_hook_failures.")
        assert record.message.endswith(f".spoil raised in job {job.id} of t")
        assert "the hook is at fault" in caplog.text
        about: Any = record
        assert (about.job_id, about.task_name, about.queue) == (job.id, "t", "mail")

    def test_middleware_whose_before_raised_hears_no_more_of_the_attempt(
        self, queue: Queue, start_worker: StartWorker, journal: Journal
    ) -> None:
        class Absent(Recorder):
            def before(self, ctx: JobContext) -> None:
                super().before(ctx)
                if ctx.attempt == 1:
                    raise ValueError

        both = [Absent("absent", journal), Recorder("present", journal)]

        @queue.task(middleware=both, max_retries=1, retry_backoff=0.2)
        def fail() -> None:
            raise OSError

        fail.delay()
        start_worker()
        first = ["absent.before", "present.before", "present.on_failure", "present.after"]
        in_time(lambda: len(journal) >= len(first) + 1)
        assert journal[:5] == [*first, "present.on_retry"]
        in_time(lambda: journal.count("absent.on_dead_letter") == 1)
        assert journal.count("absent.after") == 1

    def test_a_log_filter_that_raises_does_no_harm(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        def refuse(_record: logging.LogRecord) -> bool:
            raise SystemExit

        @queue.on_success
        def spoil(*_: object) -> None:
            raise ValueError

        logger = logging.getLogger("taskito")
        logger.addFilter(refuse)
        try:
            job = queue.task(name="t")(lambda: 7).delay()
            start_worker()
            assert job.result() == 7
        finally:
            logger.removeFilter(refuse)


class TestLate:
    def test_a_hook_registered_after_task_and_worker_applies(
        self, queue: Queue, start_worker: StartWorker, journal: Journal
    ) -> None:
        task = queue.task(name="t")(lambda: 7)
        start_worker()
        assert task.delay().result() == 7
        listen(queue, journal)
        assert task.delay().result() == 7
        assert journal == ["before_task", "on_success", "after_task"]

    def test_a_function_registered_again_has_its_own_middleware(
        self, queue: Queue, start_worker: StartWorker, journal: Journal
    ) -> None:
        task = queue.task(name="t", middleware=[Recorder("old", journal)])(lambda: 7)
        start_worker()
        assert task.delay().result() == 7
        journal.clear()
        queue.task(name="t", middleware=[Recorder("new", journal)])(lambda: 8)
        assert task.delay().result() == 8
        assert journal == ["new.before", "new.on_success", "new.after"]


class TestGiveUp:
    def test_what_a_function_does_after_its_timeout_triggers_nothing(
        self, queue: Queue, start_worker: StartWorker, journal: Journal, let_go: threading.Event
    ) -> None:
        ended = threading.Event()

        @queue.task(timeout=0.05, max_retries=0)
        def late() -> None:
            let_go.wait(30)
            ended.set()

        listen(queue, journal)
        late.delay()
        start_worker()
        expected = ["before_task", "on_failure", "after_task", "on_timeout", "on_dead_letter"]
        in_time(lambda: len(journal) == len(expected))
        let_go.set()
        assert ended.wait(30)
        assert queue.task(name="next", middleware=[])(lambda: 7).delay().result() == 7
        assert journal == [*expected, "before_task", "on_success", "after_task"]

    def test_an_attempt_that_is_handed_back_has_no_end(
        self, queue: Queue, start_worker: StartWorker, journal: Journal, let_go: threading.Event
    ) -> None:
        ended = threading.Event()
        listen(queue, journal)

        @queue.task(name="t")
        def held() -> None:
            let_go.wait(30)
            ended.set()

        job = held.delay()
        thread = start_worker()
        in_time(lambda: journal == ["before_task"])
        queue.shutdown(now=True)
        thread.join(30)
        let_go.set()
        assert ended.wait(30)
        in_time(lambda: not [t for t in threading.enumerate() if t.name == "taskito-1"])
        assert journal == ["before_task"]
        assert job.status == "pending"

    def test_hooks_that_take_long_do_not_hold_back_the_state_of_a_timeout(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        seen: list[str] = []

        @queue.on_failure
        def slow(*_: object) -> None:
            let_go.wait(30)
            seen.append("on_failure")

        queue.on_timeout(lambda *_: seen.append("on_timeout"))
        job = queue.task(timeout=0.05, max_retries=0)(lambda: let_go.wait(30)).delay()
        start_worker()
        assert job.wait(30)
        assert job.status == "dead"
        assert seen == []
        let_go.set()
        in_time(lambda: seen == ["on_failure", "on_timeout"])

    def test_a_timeout_that_passes_during_hooks_counts_and_ends_the_attempt_once(
        self, queue: Queue, start_worker: StartWorker, journal: Journal, let_go: threading.Event
    ) -> None:
        @queue.on_success
        def slow(*_: object) -> None:
            let_go.wait(30)

        listen(queue, journal)
        job = queue.task(timeout=0.1, max_retries=0)(lambda: 7).delay()
        start_worker()
        in_time(lambda: journal == ["before_task", "on_timeout", "on_dead_letter"])
        assert job.status == "dead"
        let_go.set()
        in_time(lambda: len(journal) == 5)
        assert journal[3:] == ["on_success", "after_task"]


class TestHang:
    def test_hooks_after_a_commit_hold_up_no_other_job(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        queue.on_dead_letter(lambda *_: let_go.wait(30))
        task = queue.task(name="t", max_retries=0)(lambda x: 1 / x)
        start_worker(workers=1)
        assert task.delay(0).wait(30)
        assert task.delay(1).result(30) == 1.0

    def test_nor_the_hooks_of_a_timeout(
        self, queue: Queue, start_worker: StartWorker, journal: Journal, let_go: threading.Event
    ) -> None:
        queue.on_dead_letter(lambda *_: let_go.wait(30))
        hang = queue.task(name="hang", max_retries=0)(lambda: 1 / 0)
        late = queue.task(name="late", timeout=0.05)(lambda: let_go.wait(30))
        start_worker()
        assert hang.delay().wait(30)
        queue.on_failure(journal.listener("on_failure"))
        late.delay()
        in_time(lambda: journal == ["on_failure"])

    def test_a_worker_waits_for_hooks_as_long_as_it_would_for_jobs(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        seen: list[str] = []

        @queue.on_dead_letter
        def slow(*_: object) -> None:
            seen.append("begun")
            let_go.wait(30)
            seen.append("ended")

        queue.task(name="t", max_retries=0)(lambda: 1 / 0).delay()
        thread = start_worker()
        in_time(lambda: seen)
        queue.shutdown()
        thread.join(0.5)
        assert thread.is_alive()
        let_go.set()
        thread.join(30)
        assert seen == ["begun", "ended"]

    def test_and_for_those_on_the_event_loop(
        self, queue: Queue, start_worker: StartWorker, journal: Journal, let_go: threading.Event
    ) -> None:
        listen(queue, journal)

        @queue.task(max_retries=0)
        async def fail() -> None:
            await asyncio.to_thread(let_go.wait, 30)
            raise OSError

        jobs = [fail.delay() for _ in range(5)]
        thread = start_worker()
        in_time(lambda: len(journal) == 5)
        queue.shutdown()
        let_go.set()
        thread.join(30)
        assert [job.status for job in jobs] == ["dead"] * 5
        assert journal.count("on_dead_letter") == 5

    def test_a_worker_that_is_stopped_leaves_them_behind(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        begun = threading.Event()

        @queue.on_dead_letter
        def hang(*_: object) -> None:
            begun.set()
            let_go.wait(30)

        queue.task(name="t", max_retries=0)(lambda: 1 / 0).delay()
        thread = start_worker(drain_timeout=600)
        assert begun.wait(30)
        queue.shutdown()
        queue.shutdown(now=True)
        thread.join(30)
        assert not thread.is_alive()

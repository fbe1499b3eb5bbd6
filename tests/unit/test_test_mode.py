"""Jobs that run where they are enqueued, without any database.

Long, as whatever a worker does has its test here once more.
"""

import asyncio
import contextvars
import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskito import (
    Cancel,
    DependencyError,
    DependencyFailedError,
    JobContext,
    JobResult,
    NoJobContextError,
    Queue,
    ResultTimeout,
    Retry,
    Snooze,
    SoftTimeoutError,
    TaskCancelledError,
    TaskFailedError,
    TaskMiddleware,
    TaskNotRegisteredError,
    TestMode,
    TestResult,
    TestResults,
    chain,
    chord,
    current_job,
    group,
)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """A queue in a directory that nothing may be written to."""
    directory = tmp_path / "untouched"
    directory.mkdir()
    yield Queue(directory / "jobs.db")
    assert list(directory.iterdir()) == []


@pytest.fixture
def results(queue: Queue) -> Iterator[TestResults]:
    with queue.test_mode() as results:
        yield results


def add(a: int, b: int = 0) -> int:
    return a + b


class TestRun:
    def test_a_task_runs_at_once_in_the_thread_that_enqueues_it(
        self, queue: Queue, results: TestResults
    ) -> None:
        here = queue.task(name="here")(threading.current_thread)
        job = here.delay()
        assert job.result() is threading.current_thread()
        assert results == [
            TestResult("test-000001", "here", (), {}, threading.current_thread(), progress=100)
        ]

    def test_every_way_to_enqueue_runs_the_task(self, queue: Queue, results: TestResults) -> None:
        task = queue.task(name="add")(add)
        jobs: list[JobResult[Any]] = [
            task.delay(1, b=1),
            task.apply_async((1,), {"b": 2}),
            task.options(priority=5).delay(1, 3),
            queue.enqueue("add", [1, 4]),
            *task.map([(1, 5), (1, 6)]),
            *queue.enqueue_many("add", [(1,), (2,)], [{"b": 7}, {"b": 7}]),
            task.s(1, 9).apply(),
        ]

        async def awaited() -> list[JobResult[Any]]:
            return [
                await task.adelay(1, 10),
                await task.aapply_async((1, 11)),
                *await task.amap([(1, 12)]),
                await queue.aenqueue("add", (1, 13)),
                *await queue.aenqueue_many("add", [(1, 14)]),
                await task.s(1, 15).aapply(),
            ]

        jobs += asyncio.run(awaited())
        assert [job.result() for job in jobs] == [*range(2, 17)]
        assert [job.id for job in jobs] == [f"test-{n:06}" for n in range(1, 16)]
        assert [result.job_id for result in results] == [job.id for job in jobs]
        assert queue.enqueue_many("add", []) == []

    def test_arguments_and_results_are_handed_over_as_they_are(
        self, queue: Queue, results: TestResults
    ) -> None:
        lock = threading.Lock()
        job = queue.task(name="same")(lambda value: value).delay(lock)
        assert job.result() is lock
        assert results[0].args[0] is lock

    def test_delay_retries_uniqueness_and_expiry_are_ignored(
        self, queue: Queue, results: TestResults
    ) -> None:
        task = queue.task(name="fail", max_retries=5, retry_backoff=0)(lambda: 1 / 0)
        for _ in range(2):
            job = task.options(delay=3600, unique_key="k", idempotency_key="i", expires=0).delay()
            assert job.status == "failed"
            assert not job.deduplicated
        assert len(results) == 2

    def test_a_task_that_nobody_registered_is_an_error(
        self, queue: Queue, results: TestResults
    ) -> None:
        with pytest.raises(TaskNotRegisteredError, match=r"^Task 'nobody' not found in registry\n"):
            queue.enqueue("nobody")
        with pytest.raises(KeyError, match="Task 'nobody' not found in registry"):
            queue.enqueue_many("nobody", [()])
        assert results == []

    def test_arguments_that_do_not_fit_are_refused_as_always(
        self, queue: Queue, results: TestResults
    ) -> None:
        task = queue.task(name="add")(add)
        with pytest.raises(TypeError, match="do not fit 'add'"):
            task.delay()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        with pytest.raises(TypeError, match="unknown option 'retries'"):
            task.options(retries=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert results == []

    def test_it_loads_and_writes_nothing_on_the_way_in(self, tmp_path: Path) -> None:
        code = (
            "import sys, taskito\n"
            "queue = taskito.Queue()\n"
            "mode = queue.test_mode()\n"
            "print({'taskito_core', 'asyncio'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == "set()\n"


class TestHandle:
    def test_of_a_success(self, queue: Queue, results: TestResults) -> None:
        task = queue.task(name="add", queue="sums", priority=2, timeout=9)(add)
        job = task.options(metadata={"k": 1}, unique_key="u", max_retries=7).delay(1)
        assert len(results) == 1
        assert (job.status, job.progress, job.error, job.errors) == ("complete", 100, None, [])
        assert (job.queue, job.task_name, job.priority) == ("sums", "add", 2)
        assert (job.retry_count, job.max_retries, job.metadata) == (0, 7, '{"k":1}')
        assert (job.dependencies, job.dependents, job.deduplicated) == ([], [], False)
        assert job.created_at == job.scheduled_at == job.started_at
        assert job.completed_at is not None
        assert job.completed_at >= job.created_at
        assert repr(job) == "<JobResult id=test-000001 status=complete>"
        facts = json.loads(json.dumps(job.to_dict()))
        assert facts["timeout_ms"] == 9000
        assert facts["unique_key"] == "u"
        assert len(facts) == 16
        job.refresh()
        assert job.wait() is job.wait(0) is True
        assert job.cancel() is False
        assert job.result(timeout=0) == 1
        assert queue.get_job(job.id) == job

    def test_of_a_failure(self, queue: Queue, results: TestResults) -> None:
        def fail() -> None:
            raise ValueError("boom")

        job = queue.task(name="fail")(fail).delay()
        assert (job.status, job.progress) == ("failed", None)
        assert job.error == results[0].traceback
        assert (job.error or "").startswith("Traceback (most recent call last):\n")
        assert (job.error or "").endswith('in fail\n    raise ValueError("boom")\nValueError: boom')
        assert "testing" not in (job.error or "")
        (error,) = job.errors
        assert set(error) == {"id", "job_id", "attempt", "error", "failed_at"}
        assert (error["attempt"], error["error"]) == (0, job.error)
        with pytest.raises(TaskFailedError, match=r"^Job test-000001 failed: boom$") as caught:
            job.result()
        assert caught.value.__cause__ is results[0].error
        assert (caught.value.job_id, caught.value.task_name) == ("test-000001", "fail")
        assert (caught.value.attempts, caught.value.exception_type) == (1, "ValueError")
        assert caught.value.error == job.error

    def test_its_coroutines_do_the_same(self, queue: Queue, results: TestResults) -> None:
        job = queue.task(name="add")(add).delay(2)

        async def awaited() -> list[object]:
            await job.arefresh()
            found = await queue.aget_job(job.id)
            return [await job.aresult(), await job.await_(0), await job.acancel(), found]

        assert asyncio.run(awaited()) == [2, True, False, job]
        assert len(results) == 1

    def test_every_member_is_there_without_a_database(self, queue: Queue) -> None:
        """If this fails for a new member, teach it to the handles of test mode."""
        with queue.test_mode():
            job = queue.task(name="add")(add).delay(1)
        queue.close()
        members = [name for name in dir(JobResult) if not name.startswith("_")]
        assert len(members) > 25

        async def use(name: str) -> None:
            member = getattr(job, name)
            answer = member() if callable(member) else member
            if asyncio.iscoroutine(answer):
                await answer

        for name in members:
            asyncio.run(use(name))

    def test_it_works_when_the_test_mode_is_over(self, queue: Queue) -> None:
        task = queue.task(name="add")(add)
        with queue.test_mode():
            job = task.delay(3)
        assert (job.result(), job.status, job.to_dict()["id"]) == (3, "complete", job.id)

    def test_an_id_that_no_job_has_is_none(self, queue: Queue, results: TestResults) -> None:
        assert queue.get_job("test-000001") is None
        assert results == []

    def test_a_job_can_look_at_itself_but_not_wait(
        self, queue: Queue, results: TestResults
    ) -> None:
        @queue.task(name="look")
        def look() -> str:
            job = queue.get_job(current_job.id)
            assert job is not None
            assert not job.wait(0)
            with pytest.raises(ResultTimeout, match=r"\(current status: running\)\nhint: "):
                job.result(0)
            return job.status

        assert look.delay().result() == "running"
        assert len(results) == 1

    @pytest.mark.parametrize("argument", ["timeout", "poll_interval"])
    def test_durations_are_checked_as_always(self, queue: Queue, argument: Any) -> None:
        with queue.test_mode():
            job = queue.task(name="add")(add).delay(1)
        with pytest.raises(TypeError, match=argument):
            job.result(**dict[str, Any]({argument: "soon"}))


class TestContext:
    def test_all_members_work(self, queue: Queue, results: TestResults) -> None:
        @queue.task(name="t", max_retries=2, timeout=60, queue="q")
        def task() -> list[object]:
            current_job.check_cancelled()
            current_job.check_timeout()
            current_job.update_progress(40)
            current_job.log("half", "warning", {"n": 1})
            return [
                current_job.id,
                current_job.task_name,
                current_job.queue_name,
                current_job.retry_count,
                current_job.attempt,
                current_job.max_retries,
                current_job.metadata,
                current_job.headers,
                current_job.is_cancelled(),
                current_job.deadline is not None,
            ]

        job = task.options(metadata="m", headers={"h": "1"}).delay()
        assert job.result() == [
            *("test-000001", "t", "q", 0, 1, 2, "m", {"h": "1"}, False, True),
        ]
        assert job.progress == results[0].progress == 40
        (line,) = results[0].logs
        assert set(line) == {"id", "job_id", "task_name", "level", "message", "extra", "logged_at"}
        assert (line["level"], line["message"], line["extra"]) == ("warning", "half", '{"n":1}')
        assert job.logs() == results[0].logs

    def test_a_soft_timeout_is_seen(self, queue: Queue, results: TestResults) -> None:
        @queue.task(name="t", soft_timeout=0.001)
        def slow() -> None:
            while True:
                current_job.check_timeout()

        slow.delay()
        assert type(results[0].error) is SoftTimeoutError

    def test_nested_jobs_have_their_own_and_the_outer_one_is_restored(
        self, queue: Queue, results: TestResults
    ) -> None:
        @queue.task(name="inner")
        def inner() -> str:
            return current_job.id

        @queue.task(name="outer")
        def outer() -> list[str]:
            return [current_job.id, inner.delay().result(), current_job.id]

        assert outer.delay().result() == ["test-000001", "test-000002", "test-000001"]
        assert [result.task_name for result in results] == ["inner", "outer"]
        with pytest.raises(NoJobContextError):
            _ = current_job.id

    def test_hooks_and_middleware_run_but_for_those_after_the_commit(
        self, queue: Queue, results: TestResults
    ) -> None:
        calls: list[str] = []

        class Listener(TaskMiddleware):
            def before(self, ctx: JobContext) -> None:
                calls.append(f"before {ctx.id}")

            def after(self, ctx: JobContext, result: Any, error: BaseException | None) -> None:
                calls.append(f"after {ctx.id} {result} {error!r}")

            def on_retry(self, ctx: JobContext, error: BaseException, retry_count: int) -> None:
                calls.append(f"never {ctx} {error} {retry_count}")

        queue.on_enqueue(lambda *facts: calls.append(f"on_enqueue {facts[0]}"))
        queue.before_task(lambda *facts: calls.append(f"before_task {facts}"))
        queue.on_success(lambda *facts: calls.append(f"on_success {facts}"))
        queue.on_failure(lambda *facts: calls.append(f"on_failure {facts}"))
        queue.after_task(lambda *facts: calls.append(f"after_task {facts}"))
        for never in (queue.on_retry, queue.on_dead_letter, queue.on_timeout, queue.on_cancel):
            never(lambda *_facts: calls.append("never"))
        task = queue.task(name="add", middleware=[Listener()])(add)
        task.delay(1)
        assert calls == [
            "on_enqueue add",
            "before test-000001",
            "before_task ('add', (1,), {})",
            "on_success ('add', (1,), {}, 1)",
            "after_task ('add', (1,), {}, 1, None)",
            "after test-000001 1 None",
        ]
        calls.clear()
        queue.task(name="fail", middleware=[Listener()])(lambda: 1 / 0).delay()
        error = results[1].error
        assert calls == [
            "on_enqueue fail",
            "before test-000002",
            "before_task ('fail', (), {})",
            f"on_failure ('fail', (), {{}}, {error!r})",
            f"after_task ('fail', (), {{}}, None, {error!r})",
            f"after test-000002 None {error!r}",
        ]

    def test_on_enqueue_may_change_options(self, queue: Queue, results: TestResults) -> None:
        @queue.on_enqueue
        def _route(_name: str, _args: Any, _kwargs: Any, options: dict[str, Any]) -> None:
            options["queue"] = "elsewhere"

        job = queue.task(name="t")(lambda: current_job.queue_name).delay()
        assert job.result() == job.queue == "elsewhere"
        assert len(results) == 1

    def test_a_hook_that_raises_changes_nothing(
        self, queue: Queue, results: TestResults, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue.before_task(lambda *_facts: 1 / 0)
        with caplog.at_level(logging.CRITICAL, "taskito"):
            assert queue.task(name="add")(add).delay(1).result() == 1
        assert results[0].succeeded


class TestCoroutines:
    def test_they_run_to_their_end(self, queue: Queue, results: TestResults) -> None:
        @queue.task(name="wait")
        async def wait(value: int) -> tuple[int, str]:
            await asyncio.sleep(0.001)
            return value, current_job.id

        @queue.task(name="fail")
        async def fail() -> None:
            await asyncio.sleep(0)
            raise OSError("no")

        assert wait.delay(1).result() == (1, "test-000001")
        job = fail.delay()
        assert (job.status, str(results[1].error)) == ("failed", "no")
        assert "_private_loops" not in (job.error or "")
        assert "asyncio" not in (job.error or "")

    def test_also_inside_a_running_loop_and_inside_one_another(
        self, queue: Queue, results: TestResults
    ) -> None:
        variable = contextvars.ContextVar("variable", default="none")

        @queue.task(name="inner")
        async def inner() -> list[str]:
            await asyncio.sleep(0.001)
            return [current_job.id, variable.get()]

        @queue.task(name="outer")
        async def outer() -> list[object]:
            variable.set("outer")
            awaited = await inner.adelay()
            return [current_job.id, inner.delay().result(), await awaited.aresult()]

        async def test() -> list[object]:
            return [outer.delay().result(), (await outer.adelay()).result()]

        assert asyncio.run(test()) == [
            ["test-000001", ["test-000003", "outer"], ["test-000002", "outer"]],
            ["test-000004", ["test-000006", "outer"], ["test-000005", "outer"]],
        ]
        assert len(results) == 6

    def test_what_they_leave_running_ends_with_the_test_mode(self, queue: Queue) -> None:
        ended: list[str] = []

        async def linger() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("ended")

        tasks: list[asyncio.Task[None]] = []

        @queue.task(name="leave")
        async def leave() -> None:
            tasks.append(asyncio.ensure_future(linger()))
            await asyncio.sleep(0)

        with queue.test_mode():
            leave.delay()
            assert ended == []
        assert ended == ["ended"]


class TestCanvas:
    def test_results_are_handed_on(self, queue: Queue, results: TestResults) -> None:
        task = queue.task(name="add")(add)
        total = queue.task(name="total")(sum)
        assert chain(task.s(1, 2), task.s(10), task.si(5)).apply().result() == 5
        assert (task.s(1, 2) | task.s(10)).apply().result() == 13
        handles = chain(task.s(1), group(task.s(1), task.s(2))).apply()
        assert [job.result() for job in handles] == [2, 3]
        assert chord([task.s(1, 1), task.s(2, 2)], total.s()).apply().result() == 6
        assert [result.args for result in results.filter("total")] == [([2, 4],)]
        assert len(results) == 3 + 2 + 3 + 3

    def test_what_depends_on_a_failure_is_cancelled_and_not_run(
        self, queue: Queue, results: TestResults
    ) -> None:
        fail = queue.task(name="fail")(lambda: 1 / 0)
        task = queue.task(name="add")(add)
        last = chain(fail.s(), task.si(1), task.si(2)).apply()
        assert (last.status, last.progress) == ("cancelled", None)
        assert last.error == "dependency failed: test-000001"
        assert last.started_at is None
        with pytest.raises(DependencyFailedError, match=r"^Job test-000003 cancelled") as caught:
            last.result()
        assert caught.value.root_id == "test-000001"
        assert type(caught.value.__cause__) is TaskFailedError
        assert [result.task_name for result in results] == ["fail"]

    def test_dependencies_are_known_from_both_ends(
        self, queue: Queue, results: TestResults
    ) -> None:
        task = queue.task(name="add")(add)
        first = task.delay(1)
        second = task.options(depends_on=[first, first.id]).delay(2)
        assert second.dependencies == [first.id]
        assert first.dependents == [second.id]
        assert [result.return_value for result in results] == [1, 2]

    def test_a_job_may_depend_on_the_one_that_enqueues_it(
        self, queue: Queue, results: TestResults
    ) -> None:
        task = queue.task(name="add")(add)
        outer = queue.task(name="outer")(
            lambda: task.options(depends_on=current_job.id).delay(4).result()
        )
        assert outer.delay().result() == 4
        assert len(results) == 2

    def test_a_dependency_that_does_not_exist_is_an_error(
        self, queue: Queue, results: TestResults
    ) -> None:
        task = queue.task(name="add")(add)
        with pytest.raises(DependencyError, match=r"^Dependency job 'nobody' not found$"):
            task.options(depends_on="nobody").delay(1)
        assert results == []

    def test_unknown_tasks_are_noticed_before_anything_runs(
        self, queue: Queue, results: TestResults
    ) -> None:
        task = queue.task(name="add")(add)
        foreign = Queue(":memory:").task(name="foreign")(add)
        with pytest.raises(TaskNotRegisteredError, match="'foreign'"):
            chain(task.s(1), foreign.s(2)).apply(queue=queue)
        assert results == []


class TestFail:
    @pytest.mark.parametrize(
        ("error", "status", "text"),
        [
            (Cancel("enough"), "cancelled", "enough"),
            (Cancel(), "cancelled", "cancelled by task"),
            (TaskCancelledError("x"), "cancelled", "cancelled by request"),
            (Retry(5, "later"), "failed", "later"),
            (Snooze(5, "later"), "failed", "later"),
            (SystemExit(3), "failed", "SystemExit: 3"),
            (asyncio.CancelledError("x"), "failed", "CancelledError: x"),
        ],
        ids=repr,
    )
    def test_what_a_task_raises_ends_its_job(
        self,
        queue: Queue,
        results: TestResults,
        error: BaseException,
        status: str,
        text: str,
    ) -> None:
        def fail() -> None:
            raise error

        async def afail() -> None:
            raise error

        for task in (queue.task(name="fail")(fail), queue.task(name="afail")(afail)):
            job = task.delay()
            assert job.status == status
            assert text in (job.error or "")
            with pytest.raises((TaskFailedError, TaskCancelledError), match=rf"^Job {job.id} "):
                job.result()
            assert results[-1].error is error

    def test_a_cancelled_job_takes_along_what_depends_on_it(
        self, queue: Queue, results: TestResults
    ) -> None:
        def stop() -> None:
            raise Cancel("enough")

        job = chain(queue.task(name="stop")(stop).s(), queue.task(name="add")(add).s()).apply()
        assert job.error == "dependency cancelled: test-000001"
        with pytest.raises(DependencyFailedError) as caught:
            job.result()
        assert str(caught.value.__cause__) == "Job test-000001 cancelled: enough"
        assert len(results) == 1

    def test_ctrl_c_is_for_the_test(self, queue: Queue, results: TestResults) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        async def wait_for_it() -> None:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(10)

        for function in (interrupt, wait_for_it):
            with pytest.raises(KeyboardInterrupt):
                queue.task(name=function.__name__)(function).delay()
        assert results == []


class TestPropagate:
    def test_errors_reach_whoever_enqueued_the_job(self, queue: Queue) -> None:
        failures: list[object] = []
        queue.on_failure(lambda *facts: failures.append(facts[3]))

        @queue.task(name="afail")
        async def afail() -> None:
            raise OSError("no")

        fail = queue.task(name="fail")(lambda: 1 / 0)
        add_one = queue.task(name="add")(add)
        with queue.test_mode(propagate_errors=True) as results:
            with pytest.raises(ZeroDivisionError):
                fail.delay()
            with pytest.raises(OSError, match="no"):
                afail.delay()
            with pytest.raises(ZeroDivisionError):
                chain(add_one.s(1), fail.si(), add_one.si(2)).apply()
            with pytest.raises(ZeroDivisionError):
                queue.enqueue_many("fail", [(), ()])
        assert [result.task_name for result in results] == ["add"]
        assert len(failures) == 4

    def test_a_nested_error_goes_through_the_job_around_it(self, queue: Queue) -> None:
        fail = queue.task(name="fail")(lambda: 1 / 0)
        outer = queue.task(name="outer")(fail.delay)
        with TestMode(queue, propagate_errors=True) as results, pytest.raises(ZeroDivisionError):
            outer.delay()
        assert results == []


class TestResultsList:
    def test_they_can_be_told_apart(self, queue: Queue, results: TestResults) -> None:
        task = queue.task(name="add")(add)
        fail = queue.task(name="fail")(lambda: 1 / 0)
        task.delay(1)
        fail.delay()
        task.delay(1)
        assert isinstance(results, list)
        assert [r.task_name for r in results.succeeded] == ["add", "add"]
        assert [r.task_name for r in results.failed] == ["fail"]
        assert results.filter("add") == results.succeeded == results.filter(succeeded=True)
        assert results.filter("add", succeeded=False) == []
        assert type(results.filter()) is type(results.failed) is TestResults
        assert (results[0].succeeded, results[0].failed) == (True, False)
        assert (results[1].succeeded, results[1].failed) == (False, True)

    def test_a_result_can_be_made_by_hand(self) -> None:
        result = TestResult("id", "task", (1,), {})
        assert (result.return_value, result.error, result.traceback) == (None, None, None)
        assert (result.progress, result.logs) == (None, [])


class TestScope:
    def test_numbers_begin_anew_and_the_database_is_back_at_the_end(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "jobs.db") as queue:
            task = queue.task(name="add")(add)
            before = task.delay(1)
            mode = queue.test_mode()
            for _ in range(2):
                with mode as results:
                    assert task.delay(2).id == "test-000001"
                    assert len(results) == 1
                    assert queue.get_job(before.id) == before
                    assert queue.stats()["pending"] == 1
            assert task.delay(3).status == "pending"
            assert queue.get_job("test-000001") is None

    def test_a_test_mode_inside_another_hides_it(self, queue: Queue) -> None:
        task = queue.task(name="add")(add)
        with queue.test_mode() as outer:
            task.delay(1)
            with queue.test_mode() as inner:
                task.delay(2)
                task.delay(3)
            task.delay(4)
        assert [r.args for r in outer] == [(1,), (4,)]
        assert [r.args for r in inner] == [(2,), (3,)]

    def test_other_queues_are_not_concerned(self, results: TestResults) -> None:
        with Queue(":memory:") as other:
            assert other.task(name="add")(add).delay(1).status == "pending"
        assert results == []

    def test_it_ends_when_the_block_raises(self, queue: Queue) -> None:
        with pytest.raises(ZeroDivisionError), queue.test_mode():
            _ = 1 / 0
        assert queue._producer.trial is None

    def test_threads_may_enqueue_at_the_same_time(self, queue: Queue, results: TestResults) -> None:
        @queue.task(name="wait")
        async def wait(number: int) -> int:
            await asyncio.sleep(0.0001)
            return number

        def enqueue() -> None:
            for number in range(20):
                assert wait.delay(number).result() == number

        threads = [threading.Thread(target=enqueue) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(result.job_id for result in results) == [
            f"test-{number:06}" for number in range(1, 81)
        ]

"""``current_job``: what a running job knows of itself, and what it can say.

Long, as all that it offers is here.
"""

import asyncio
import contextvars
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import taskito
from taskito import (
    JobContext,
    NoJobContextError,
    Queue,
    SoftTimeoutError,
    TaskCancelledError,
    current_job,
)
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.support.working import working
from tests.unit.conftest import StartWorker

LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Set when the test ends, for whatever was held."""
    event = threading.Event()
    yield event
    event.set()


def run_in_job(queue: Queue, start_worker: StartWorker, function: Callable[[], Any]) -> Any:
    """Run a function as a job and return what it returned."""
    job = queue.task(name="t", max_retries=0)(function).delay()
    start_worker()
    return job.result(30)


class TestOutside:
    def test_every_member_says_that_there_is_no_job(self) -> None:
        uses: list[Callable[[Any], object]] = [
            lambda job: job.id,
            lambda job: job.metadata,
            lambda job: job.update_progress(1),
            lambda job: job.log("x"),
            lambda job: job.check_cancelled(),
            lambda job: job.is_cancelled(),
            lambda job: job.check_timeout(),
            lambda job: job.anything,
            lambda job: setattr(job, "anything", 1),
            lambda job: delattr(job, "anything"),
        ]
        for use in uses:
            with pytest.raises(NoJobContextError, match=r"^No active job context.*\nhint: "):
                use(current_job)

    def test_it_can_be_shown_and_looked_into(self) -> None:
        assert repr(current_job) == "<current_job: none>"
        assert "update_progress" in dir(current_job)
        assert not hasattr(current_job, "__wrapped__")
        assert taskito.current_job is current_job

    @pytest.mark.parametrize("pickler", [pickle, cloudpickle])
    def test_it_is_pickled_by_its_name(self, pickler: Any) -> None:
        assert pickle.loads(pickler.dumps(current_job)) is current_job

    def test_it_is_gone_when_the_job_has_ended(self, queue: Queue) -> None:
        with manual_worker(queue) as worker:
            job = queue.task(name="t")(lambda: current_job.id).delay()
            worker.run()
            assert job.result(0) == job.id
            with pytest.raises(NoJobContextError):
                current_job.id  # noqa: B018


class TestFacts:
    def test_of_a_first_attempt(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(name="t", queue="mail", max_retries=5, timeout=60)
        def facts() -> list[object]:
            return [
                current_job.id,
                current_job.task_name,
                current_job.queue_name,
                current_job.retry_count,
                current_job.attempt,
                current_job.max_retries,
                current_job.metadata,
                current_job.headers,
            ]

        job = facts.options(metadata={"n": 1}, headers={"x": "ü"}, max_retries=2).delay()
        start_worker()
        assert job.result() == [job.id, "t", "mail", 0, 1, 2, '{"n":1}', {"x": "ü"}]

    def test_of_a_job_with_nothing(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(timeout=0)
        def facts() -> list[object]:
            return [current_job.metadata, current_job.headers, current_job.deadline]

        job = facts.delay()
        start_worker()
        assert job.result() == [None, {}, None]

    def test_of_a_retry(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(max_retries=1, retry_backoff=0)
        def count() -> tuple[int, int]:
            if current_job.retry_count == 0:
                raise OSError
            return current_job.retry_count, current_job.attempt

        job = count.delay()
        start_worker()
        assert job.result() == (1, 2)

    def test_the_deadline_is_the_timeout_from_the_start(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(timeout=60)
        def deadlines() -> tuple[float, int | None, int | None]:
            began = time.time() * 1000
            first = current_job.deadline
            time.sleep(0.01)  # so that one counted from the call would differ
            return began, first, current_job.deadline

        job = deadlines.delay()
        start_worker()
        began, first, second = job.result()
        assert first is not None
        # From the start of the attempt, which is before the call: by how much, a machine decides.
        assert began - 20_000 < first - 60_000 <= began + 1
        assert first == second

    def test_headers_are_a_copy(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task
        def change() -> dict[str, str]:
            current_job.headers["x"] = "changed"
            return current_job.headers

        job = change.options(headers={"x": "y"}).delay()
        start_worker()
        assert job.result() == {"x": "y"}

    def test_it_shows_what_runs(self, queue: Queue, start_worker: StartWorker) -> None:
        job = queue.task(name="t")(lambda: repr(current_job)).delay()
        start_worker()
        assert job.result() == (f"<current_job: <JobContext id={job.id} task='t' attempt=1>>")


class TestProgress:
    def test_readers_see_it_soon(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        @queue.task
        def work() -> None:
            current_job.update_progress(37)
            let_go.wait(30)

        job = work.delay()
        start_worker()
        until(lambda: job.progress == 37)
        let_go.set()
        job.result()
        assert job.progress == 37

    @pytest.mark.parametrize(
        ("progress", "error"),
        [(-1, ValueError), (101, ValueError), (1.5, TypeError), ("5", TypeError)],
    )
    def test_another_value_is_refused(
        self,
        queue: Queue,
        start_worker: StartWorker,
        progress: Any,
        error: type[Exception],
    ) -> None:
        def report() -> None:
            with pytest.raises(error, match="progress must be"):
                current_job.update_progress(progress)

        run_in_job(queue, start_worker, report)


class TestLog:
    def test_lines_are_kept_in_order_with_what_belongs_to_them(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(name="t")
        def work() -> None:
            current_job.log("plain")
            current_job.log("é", "any word", {"ü": [1, None]})
            current_job.log("empty", extra={})
            current_job.log("falsy", extra=[])

        job = work.delay()
        start_worker()
        job.result(30)
        lines = [(line["level"], line["message"], line["extra"]) for line in job.logs()]
        assert lines == [
            ("info", "plain", None),
            ("any word", "é", '{"ü":[1,null]}'),
            ("info", "empty", None),
            ("info", "falsy", "[]"),
        ]
        assert {(line["job_id"], line["task_name"]) for line in job.logs()} == {(job.id, "t")}

    def test_of_every_attempt_and_of_hooks(self, queue: Queue, start_worker: StartWorker) -> None:
        queue.on_failure(lambda *_: current_job.log("by a hook"))

        @queue.task(max_retries=1, retry_backoff=0)
        def fail() -> None:
            current_job.log(f"attempt {current_job.attempt}")
            raise OSError

        job = fail.delay()
        start_worker()
        assert job.wait(30)
        messages = [line["message"] for line in job.logs()]
        assert messages == ["attempt 1", "by a hook", "attempt 2", "by a hook"]

    def test_what_cannot_be_stored_is_escaped(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task
        def work() -> None:
            current_job.log("\udc80 broken", "le\udc80vel", {"k": "\udc80"})

        job = work.delay()
        start_worker()
        job.result(30)
        (line,) = job.logs()
        assert (line["message"], line["level"]) == ("\\udc80 broken", "le\\udc80vel")
        assert json.loads(line["extra"]) == {"k": "\udc80"}

    @pytest.mark.parametrize(
        "extra",
        [object(), {"x": object()}, {1j: 1}, float("nan"), LOOP],
        ids=["object", "inside", "key", "nan", "circular"],
    )
    def test_extra_must_be_json(
        self, queue: Queue, start_worker: StartWorker, extra: object
    ) -> None:
        def report() -> None:
            with pytest.raises(TypeError, match=r"^extra must be JSON, got "):
                current_job.log("x", extra=extra)

        run_in_job(queue, start_worker, report)

    @pytest.mark.parametrize("arguments", [(5,), ("x", 5)], ids=str)
    def test_the_rest_must_be_text(
        self, queue: Queue, start_worker: StartWorker, arguments: Any
    ) -> None:
        def report() -> None:
            with pytest.raises(TypeError, match="must be a str, got 5"):
                current_job.log(*arguments)

        run_in_job(queue, start_worker, report)


class TestCancel:
    def test_a_request_is_seen(self, queue: Queue, start_worker: StartWorker) -> None:
        running = threading.Event()
        seen: list[bool] = []

        @queue.task
        def patient() -> None:
            assert not current_job.is_cancelled()
            current_job.check_cancelled()
            running.set()
            seen.append(until(current_job.is_cancelled))
            current_job.check_cancelled()

        job = patient.delay()
        start_worker()
        assert running.wait(30)
        assert queue.cancel_running_job(job.id)
        with pytest.raises(TaskCancelledError, match="cancelled by request"):
            job.result(30)
        assert seen == [True]
        assert (job.status, job.error, job.errors) == ("cancelled", "cancelled by request", [])

    def test_a_function_that_never_looks_completes(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        running = threading.Event()

        @queue.task
        def blind() -> str:
            running.set()
            let_go.wait(30)
            return "done"

        job = blind.delay()
        start_worker()
        assert running.wait(30)
        assert queue.cancel_running_job(job.id)
        let_go.set()
        assert job.result(30) == "done"


class TestTimeout:
    def test_the_soft_one_is_raised_where_it_is_checked(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(soft_timeout=0.05, max_retries=0)
        def work() -> str:
            time.sleep(0.06)  # no clock of a real attempt can be stepped
            with pytest.raises(SoftTimeoutError, match=r"longer than its soft_timeout of 0\.05 s"):
                current_job.check_timeout()
            return "in time"

        job = work.delay()
        start_worker()
        assert job.result(30) == "in time"

    def test_the_soft_one_fails_the_attempt_like_any_exception(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(soft_timeout=0.01, dont_retry_on=[SoftTimeoutError])
        def work() -> None:
            time.sleep(0.02)  # no clock of a real attempt can be stepped
            current_job.check_timeout()

        job = work.delay()
        start_worker()
        assert job.wait(30)
        assert job.status == "dead"
        assert "SoftTimeoutError: task '" in (job.error or "")

    def test_the_hard_one_is_a_timeout_also_where_the_engine_does_not_look(
        self, queue: Queue
    ) -> None:
        timeouts: list[object] = []
        queue.on_timeout(lambda *call: timeouts.append(call))

        @queue.task(name="t", timeout=0.02, max_retries=0)
        def work() -> None:
            time.sleep(0.03)  # deadlines go by the clock of the machine
            current_job.check_timeout()

        with manual_worker(queue) as worker:
            job = work.delay()
            worker.run()
            assert job.status == "dead"
        assert "TaskTimeoutError: task 't' ran longer than its timeout of 0.02 s" in str(job.error)
        assert timeouts == [("t", (), {})]

    def test_a_function_that_ends_as_its_timeout_is_noticed_is_heard_of_once(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        heard: list[str] = []
        queue.on_timeout(lambda *_: heard.append("timeout"))
        queue.after_task(lambda *_: heard.append("end"))

        @queue.task(timeout=0.05, max_retries=0)
        def work() -> None:
            while True:
                current_job.check_timeout()

        start_worker()
        for _ in range(5):
            heard.clear()
            job = work.delay()
            assert job.wait(30)
            assert job.status == "dead"
            until(lambda: heard == ["end", "timeout"])

    def test_without_limits_or_far_from_them_nothing_is_raised(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        def check() -> None:
            current_job.check_timeout()

        none = queue.task(name="none", timeout=0, soft_timeout=0)(check).delay()
        far = queue.task(name="far", timeout=600, soft_timeout=300)(check).delay()
        start_worker()
        assert none.result(30) is far.result(30) is None

    def test_an_attempt_that_was_given_up_is_cancelled_and_mute(
        self, queue: Queue, start_worker: StartWorker, let_go: threading.Event
    ) -> None:
        seen: list[object] = []

        @queue.task(timeout=0.05, max_retries=0)
        def late() -> None:
            let_go.wait(30)
            try:
                current_job.check_cancelled()
            except TaskCancelledError:
                seen.append(current_job.is_cancelled())
            current_job.update_progress(99)
            current_job.log("too late")

        job = late.delay()
        start_worker()
        assert job.wait(30)
        let_go.set()
        until(lambda: seen == [True])
        assert queue.task(name="next")(lambda: 7).delay().result(30) == 7
        assert (job.status, job.progress, job.logs()) == ("dead", None, [])


class TestFollow:
    """The context goes where the code goes."""

    def test_into_coroutines_tasks_and_threads(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        async def inner() -> str:
            await asyncio.sleep(0)
            return current_job.id

        def in_thread(context: contextvars.Context) -> str:
            found: list[str] = []
            thread = threading.Thread(
                target=context.run, args=(lambda: found.append(current_job.id),)
            )
            thread.start()
            thread.join()
            return found[0]

        @queue.task
        async def outer() -> list[str]:
            return [
                current_job.id,
                await inner(),
                await asyncio.create_task(inner()),
                await asyncio.to_thread(lambda: current_job.id),
                in_thread(contextvars.copy_context()),
            ]

        @queue.task
        def plain() -> list[str]:
            return [in_thread(contextvars.copy_context()), asyncio.run(inner())]

        jobs = [outer.delay() for _ in range(5)]
        start_worker()
        for job in jobs:
            assert job.result() == 5 * [job.id]
        other = plain.delay()
        assert other.result() == 2 * [other.id]

    def test_not_into_a_thread_of_its_own(self, queue: Queue, start_worker: StartWorker) -> None:
        def outside() -> bool:
            failed: list[bool] = []

            def look() -> None:
                with pytest.raises(NoJobContextError):
                    current_job.id  # noqa: B018
                failed.append(True)

            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
            return failed == [True]

        assert run_in_job(queue, start_worker, outside)

    def test_many_jobs_at_once_never_mix(self, queue: Queue, start_worker: StartWorker) -> None:
        barrier = threading.Barrier(4)

        @queue.task(name="plain")
        def plain() -> list[str]:
            mine = [current_job.id]
            barrier.wait(30)
            current_job.mark = mine[0]
            barrier.wait(30)
            return [*mine, current_job.id, current_job.mark]

        jobs = [plain.delay() for _ in range(4)]
        start_worker(workers=4)
        for job in jobs:
            assert job.result() == 3 * [job.id]

    def test_two_queues_in_one_process_never_mix(self, tmp_path: Path) -> None:
        barrier = threading.Barrier(2)

        def both() -> tuple[str, str]:
            barrier.wait(30)
            current_job.update_progress(50)
            barrier.wait(30)
            return current_job.id, current_job.queue_name

        with Queue(tmp_path / "a.db", workers=1) as one, Queue(tmp_path / "b.db", workers=1) as two:
            jobs = [
                queue.task(name="t", queue=queue.db_path[-4:])(both).delay() for queue in (one, two)
            ]
            with working(one), working(two):
                results = [job.result(30) for job in jobs]
            assert results == [(jobs[0].id, "a.db"), (jobs[1].id, "b.db")]
            assert [job.progress for job in jobs] == [50, 50]

    def test_a_job_that_is_run_within_another_gives_way_to_it_again(
        self, tmp_path: Path, queue: Queue, start_worker: StartWorker
    ) -> None:
        def nested() -> list[str]:
            outer = current_job.id
            with Queue(tmp_path / "other.db") as other, manual_worker(other) as worker:
                job = other.task(name="inner")(lambda: current_job.id).delay()
                worker.run()
                assert job.result(0) == job.id != outer
            return [outer, current_job.id]

        outer, again = run_in_job(queue, start_worker, nested)
        assert outer == again


def test_attributes_belong_to_the_context(queue: Queue, start_worker: StartWorker) -> None:
    def use() -> bool:
        current_job.mine = 5
        assert current_job.mine == 5
        del current_job.mine
        with pytest.raises(AttributeError, match="mine"):
            current_job.mine  # noqa: B018
        with pytest.raises(AttributeError):
            current_job.id = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        return not isinstance(current_job, JobContext)

    assert run_in_job(queue, start_worker, use)

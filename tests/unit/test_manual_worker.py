"""Jobs that a test steps: what ``taskito_worker`` does."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskito import JobResult, Queue, QueueClosedError
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


class TestRun:
    def test_jobs_run_in_claim_order_in_the_thread_that_asks(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        ran: list[tuple[str, object]] = []

        @queue.task(name="note")
        def note(name: str) -> None:
            ran.append((name, threading.current_thread()))
            if name == "first":
                note.options(priority=9).delay("urgent, from the first")

        jobs = [note.delay("first"), note.options(priority=-1).delay("low"), note.delay("second")]
        done = worker.run()

        here = threading.current_thread()
        names = ["first", "urgent, from the first", "second", "low"]
        assert ran == [(name, here) for name in names]
        assert [done[0], done[3], done[2]] == jobs
        assert all(job.status == "complete" for job in done)

    def test_a_job_runs_while_the_others_wait(self, queue: Queue, worker: ManualWorker) -> None:
        stats = queue.task(name="stats")(queue.stats)
        jobs = [stats.delay() for _ in range(2)]
        worker.run()
        assert [(job.result()["pending"], job.result()["running"]) for job in jobs] == [
            (1, 1),
            (0, 1),
        ]

    def test_no_more_than_asked_for_are_run(self, queue: Queue, worker: ManualWorker) -> None:
        jobs = queue.task(name="t")(int).map([()] * 3)
        assert worker.run(max_jobs=0) == []
        assert worker.run(max_jobs=2) == jobs[:2]
        assert [job.status for job in jobs] == ["complete", "complete", "pending"]
        assert worker.run() == jobs[2:]

    @pytest.mark.parametrize(("value", "kind"), [(-1, ValueError), ("1", TypeError)])
    def test_a_number_that_is_none_is_refused(
        self, worker: ManualWorker, value: Any, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind, match="max_jobs"):
            worker.run(max_jobs=value)

    def test_jobs_of_every_queue_run_and_those_of_unknown_tasks_wait(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        known = queue.task(name="known")(int)
        jobs = [known.options(queue=name).delay() for name in ("mail", "default")]
        unknown = queue.enqueue("unknown")
        assert set(worker.run()) == set(jobs)
        assert unknown.status == "pending"

    def test_a_task_registered_between_two_runs_is_run(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.enqueue("late")
        assert worker.run() == []
        queue.task(name="late")(lambda: "here")
        assert worker.run() == [job]
        assert job.result(timeout=0) == "here"

    def test_a_failure_is_recorded_like_that_of_any_worker(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="fail", max_retries=0)(lambda: 1 / 0).delay()
        assert worker.run() == [job]
        assert job.status == "dead"
        (letter,) = queue.dead_letters()
        assert "ZeroDivisionError" in letter["error"]
        assert letter["failed_at"] == worker.now

    def test_a_job_may_not_have_others_run(self, queue: Queue, worker: ManualWorker) -> None:
        greedy = queue.task(name="greedy", max_retries=0)(worker.run)
        jobs = [greedy.delay(), greedy.delay()]
        assert worker.run() == jobs
        for job in jobs:
            assert "this worker runs a job already" in (job.error or "")

    def test_a_queue_that_a_job_shuts_down_gets_the_job_back(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="stop")(queue.shutdown).delay()
        with pytest.raises(ValueError, match="this worker has left"):
            worker.run()
        assert job.status == "pending"

    def test_a_closed_queue_says_so_and_lets_the_worker_go(self, queue: Queue) -> None:
        with manual_worker(queue) as worker:
            queue.close()
            with pytest.raises(QueueClosedError):
                worker.run()

    def test_it_is_on_the_roster_until_the_end(self, queue: Queue) -> None:
        with manual_worker(queue):
            assert len(queue.workers()) == 1
        assert queue.workers() == []


class TestRunCoroutines:
    def test_async_tasks_run_to_their_end_in_their_turn(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        ran: list[str] = []

        @queue.task(name="wait")
        async def wait(name: str) -> str:
            ran.append(f"{name} begins")
            await asyncio.sleep(0.001)
            ran.append(f"{name} ends")
            return name

        jobs: list[JobResult[Any]] = [wait.delay("a")]
        jobs.append(queue.task(name="t")(lambda: ran.append("t")).delay())
        jobs.append(wait.delay("b"))
        assert worker.run() == jobs
        assert ran == ["a begins", "a ends", "t", "b begins", "b ends"]
        assert jobs[2].result(timeout=0) == "b"

    def test_they_share_an_event_loop_that_is_not_that_of_the_test(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        loops: list[asyncio.AbstractEventLoop] = []

        @queue.task(name="loop")
        async def loop() -> None:
            loops.append(asyncio.get_running_loop())

        loop.map([()] * 2)

        async def test() -> None:
            worker.run()
            loops.append(asyncio.get_running_loop())

        asyncio.run(test())
        first, second, own = loops
        assert first is second is not own

    def test_a_failure_and_a_cancellation_are_those_of_the_job(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        @queue.task(name="fail", max_retries=0)
        async def fail() -> None:
            raise OSError("no")

        job = fail.delay()
        worker.run()
        assert job.status == "dead"
        assert "OSError: no" in (job.error or "")

    def test_what_a_job_leaves_running_ends_with_the_worker(self, queue: Queue) -> None:
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

        with manual_worker(queue) as worker:
            leave.delay()
            worker.run()
            assert ended == []
        assert ended == ["ended"]


class TestRunUntilIdle:
    def test_retries_are_run_when_they_fall_due(self, queue: Queue, worker: ManualWorker) -> None:
        attempts: list[int] = []

        @queue.task(name="flaky", max_retries=2, retry_backoff=60)
        def flaky() -> str:
            attempts.append(worker.now)
            if len(attempts) < 3:
                raise OSError
            return "at last"

        start = worker.now
        job = flaky.delay()
        assert worker.run_until_idle() == [job, job, job]
        assert job.result(timeout=0) == "at last"
        assert attempts[0] == start
        assert 60_000 <= attempts[1] - attempts[0] < 120_000
        assert 120_000 <= attempts[2] - attempts[1] < 180_000

    def test_delays_pass_in_order_up_to_the_horizon(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        task = queue.task(name="t")(lambda: worker.now)
        start = worker.now
        late, soon, beyond = (task.options(delay=s).delay() for s in (3599, 60, 3600))
        assert worker.run_until_idle(horizon=timedelta(hours=1)) == [soon, late]
        assert (soon.result(), late.result()) == (start + 60_000, start + 3_599_000)
        assert worker.now == start + 3_599_000
        assert beyond.status == "pending"

    def test_without_jobs_no_time_passes(self, worker: ManualWorker) -> None:
        start = worker.now
        assert worker.run_until_idle() == []
        assert worker.now == start

    def test_jobs_of_unknown_tasks_do_not_keep_it_going(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        queue.enqueue("unknown", delay=60)
        assert worker.run_until_idle() == []

    def test_schedules_do_not_keep_it_going_but_fire_on_the_way(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        queue.periodic(every=60, name="minutely")(int)
        assert worker.run_until_idle() == []
        job = queue.task(name="t")(int).options(delay=150).delay()
        done = worker.run_until_idle()
        assert [run.task_name for run in done].count("minutely") in {2, 3}
        assert done[-1] == job or done[-2] == job

    def test_the_horizon_must_be_a_duration(self, worker: ManualWorker) -> None:
        with pytest.raises(ValueError, match="horizon"):
            worker.run_until_idle(horizon=-1)


class TestAdvance:
    def test_time_begins_now_and_stands_still(self, worker: ManualWorker) -> None:
        now = time.time_ns() // 1_000_000
        assert now - 60_000 < worker.now <= now
        assert repr(worker).endswith(f" at {worker.now}>")

    def test_it_moves_the_time_of_the_queue_and_runs_nothing(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        start = worker.now
        before = queue.enqueue("t")
        worker.advance(1.5)
        worker.advance(timedelta(seconds=1))
        after = queue.task(name="t")(int).delay()
        assert worker.now == start + 2500
        assert (before.created_at, after.created_at) == (start, start + 2500)
        assert queue.stats()["pending"] == 2

    def test_schedules_fire_each_at_its_time(self, queue: Queue, worker: ManualWorker) -> None:
        queue.periodic(every=60, name="minutely")(int)
        queue.periodic(every=90, name="slower")(int)
        worker.advance(180)
        jobs = [(job.created_at, job.task_name) for job in reversed(queue.list_jobs())]
        first = worker.now - 180_000
        assert jobs == sorted(
            (second * 1000, name)
            for name, period in (("minutely", 60), ("slower", 90))
            for second in range(first // 1000 + 1, worker.now // 1000 + 1)
            if second % period == 0
        )
        assert len(jobs) == 5
        assert worker.run()[0].created_at == jobs[0][0]

    def test_a_job_that_expired_is_not_run(self, queue: Queue, worker: ManualWorker) -> None:
        job = queue.task(name="t")(int).apply_async(expires=60)
        worker.advance(59)
        assert job.status == "pending"
        worker.advance(1)
        assert job.status == "cancelled"
        assert worker.run() == []
        assert job.error == "expired before execution"

    def test_a_job_whose_time_to_live_is_over_is_gone(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="t")(int).apply_async(result_ttl=60)
        worker.run()
        worker.advance(120)
        assert queue.get_job(job.id) is None

    @pytest.mark.parametrize(("value", "kind"), [(-1, ValueError), ("1", TypeError)])
    def test_it_moves_forward_only(
        self, worker: ManualWorker, value: Any, kind: type[Exception]
    ) -> None:
        with pytest.raises(kind, match="seconds"):
            worker.advance(value)


class TestSchedules:
    def test_each_fire_that_the_clock_passes_becomes_a_job_of_its_time(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        ran: list[int] = []
        queue.periodic(every=60, name="tick")(lambda: ran.append(worker.now))
        start = worker.now
        worker.advance(3600)
        assert worker.now == start + 3_600_000
        assert queue.stats()["pending"] == 60
        times = sorted(job.created_at for job in queue.list_jobs(limit=100))
        first = (start // 60_000 + 1) * 60_000
        assert times == [first + 60_000 * number for number in range(60)]
        assert ran == []
        assert len(worker.run()) == 60
        assert ran == [worker.now] * 60

    def test_they_do_not_keep_the_worker_from_being_idle(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        queue.periodic(every=60, name="tick")(int)
        start = worker.now
        assert worker.run_until_idle() == []
        assert worker.now == start

    def test_what_they_fire_on_the_way_is_run(self, queue: Queue, worker: ManualWorker) -> None:
        queue.periodic(every=3600, name="tick")(int)
        job = queue.task(name="t")(int).options(delay=3600).delay()
        ran = worker.run_until_idle()
        assert sorted(each.task_name for each in ran) == ["t", "tick"]
        assert job in ran


class TestBind:
    """What the plugin does with the Queue of a program."""

    def test_a_queue_elsewhere_leaves_its_own_database_alone(self, tmp_path: Path) -> None:
        with Queue(":memory:") as queue:
            own = queue.enqueue("own")
            with queue._database.elsewhere(str(tmp_path / "other.db")):
                assert queue.list_jobs() == []
                queue.enqueue("other")
                queue.close()
            assert queue.list_jobs() == [own]
            assert queue.db_path == ":memory:"

    def test_the_time_of_a_queue_is_its_own_again(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "own.db") as queue:
            other = queue._database.elsewhere(str(tmp_path / "other.db"))
            with other, manual_worker(queue) as worker:
                worker.advance(1e9)
                assert queue.enqueue("t").created_at == worker.now
            assert queue.enqueue("t").created_at < worker.now

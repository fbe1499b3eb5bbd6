"""What the private functions of ``taskito._watching`` tell those who watch a queue."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from taskito import Queue, Snooze, _watching
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

UNKNOWN = "01890000-0000-7000-8000-000000000000"
HOUR = 3600


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


@pytest.fixture
def database(queue: Queue) -> Any:
    return queue._database


class TestCurves:
    def test_have_a_bucket_where_anything_ended(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        good = queue.task(name="good")(int)
        bad = queue.task(name="bad", max_retries=1, retry_backoff=0)(lambda: 1 / 0)
        good.delay()
        bad.delay()
        worker.run()
        worker.advance(60)
        good.delay()
        worker.run()
        told = _watching.curves(database, seconds=HOUR, step=10)
        assert list(told) == ["since", "until", "step_ms", "series"]
        assert (told["step_ms"], told["until"]) == (10_000, worker.now)
        (buckets,) = told["series"].values()
        assert list(buckets[0]) == ["at", "done", "failed", "retried", "wait_ms", "run_ms"]
        assert sum(bucket["done"] for bucket in buckets) == 2
        assert sum(bucket["failed"] for bucket in buckets) == 2
        assert sum(bucket["retried"] for bucket in buckets) == 1
        assert buckets[-1]["at"] - buckets[0]["at"] >= 60_000
        assert set(told["series"]) == {""}

    def test_can_be_of_a_stretch_that_is_over(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        good = queue.task(name="good")(int)
        begin = worker.now // 10_000 * 10_000
        for _ in range(3):
            good.delay()
            worker.run()
            worker.advance(60)
        told = _watching.curves(database, seconds=60, step=10, until=begin + 120_000)
        assert (told["since"], told["until"]) == (begin + 60_000, begin + 120_000)
        assert [bucket["done"] for bucket in told["series"][""]] == [1]

    def test_can_be_told_apart_and_picked(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        for name, place in (("a", "x"), ("b", "x"), ("a", "y")):
            queue.task(name=name)(int)
            queue.enqueue(name, queue=place)
        worker.run()

        def done(**asked: Any) -> dict[str, int]:
            told = _watching.curves(database, seconds=HOUR, step=2 * HOUR, **asked)
            return {name: bucket["done"] for name, (bucket,) in told["series"].items()}

        assert done(by="task") == {"a": 2, "b": 1}
        assert done(by="queue") == {"x": 2, "y": 1}
        assert done(by="task", queue="x") == {"a": 1, "b": 1}
        assert done(task="a") == {"": 2}
        assert done(task="unknown") == {}
        with pytest.raises(ValueError, match=r"^by is 'queue', 'task' or None, not 'state'$"):
            done(by="state")

    def test_of_long_ago_are_by_the_hour(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        queue.task(name="t")(int).delay()
        worker.run()
        worker.advance(80 * HOUR)
        told = _watching.curves(database, seconds=90 * HOUR, step=10)
        assert told["step_ms"] == 3_600_000
        ((bucket,),) = told["series"].values()
        assert (bucket["done"], bucket["at"] % 3_600_000) == (1, 0)
        worker.advance(91 * 24 * HOUR)
        assert _watching.curves(database, seconds=200 * 24 * HOUR, step=10)["series"] == {}

    def test_tell_how_long_jobs_waited_and_ran(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        queue.task(name="t")(lambda: time.sleep(0.02)).delay()
        worker.advance(30)
        worker.run()
        (bucket,) = _watching.curves(database, seconds=60, step=120)["series"][""]
        assert 30_000 / 1.42 < bucket["wait_ms"]["p50"] < 30_000 * 1.42
        assert bucket["run_ms"]["p99"] > 20 / 1.42


class TestRunTimes:
    def test_are_counted_by_how_long_attempts_ran(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        queue.task(name="t")(lambda: time.sleep(0.02)).delay()
        queue.task(name="other")(int).delay()
        worker.run()
        end = worker.now + 1
        counts = _watching.run_times(database, seconds=60, until=end, task="t")
        assert (len(counts), sum(counts)) == (48, 1)
        # Bucket n ends at sqrt(2) ** n ms.
        assert 2 ** (counts.index(1) / 2) > 20
        assert sum(_watching.run_times(database, seconds=60, until=end)) == 2
        assert _watching.run_times(database, seconds=60, until=end, task="none") == [0] * 48


class TestArrivals:
    def test_are_counted_by_queue(self, queue: Queue, worker: ManualWorker, database: Any) -> None:
        queue.enqueue("t", queue="a")
        worker.advance(60)
        since = worker.now
        queue.enqueue_many("t", [()] * 3, queue="b")
        assert _watching.arrivals(database, since=since, cap=9) == (since, {"b": 3})
        assert _watching.arrivals(database, since=0, cap=9) == (0, {"a": 1, "b": 3})
        assert _watching.arrivals(database, since=0, cap=3) == (since, {"b": 3})


class TestTaskLimits:
    def test_are_those_a_worker_announced(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        queue.task(name="fast", rate_limit="9/s")(int)
        queue.task(name="few", max_concurrent=2)(int)
        queue.task(name="free")(int).delay()
        worker.run()
        assert _watching.task_limits(database) == {"fast": ("9/s", None), "few": (None, 2)}


class TestLanes:
    def test_tell_how_many_jobs_are_in_each_state(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        bad = queue.task(name="bad", retry_backoff=60)(lambda: 1 / 0)
        bad.delay()
        worker.run()
        first = queue.task(name="t")(int).delay()
        queue.enqueue("t", delay=60)
        queue.enqueue("t", depends_on=first)
        none = dict.fromkeys(["blocked", "scheduled", "ready", "running", "completed"], 0)
        none |= {"dead": 0, "cancelled": 0}
        assert _watching.lanes(database) == [
            {"queue": "default", "task": "bad", **none, "scheduled": 1},
            {"queue": "default", "task": "t", **none, "blocked": 1, "scheduled": 1, "ready": 1},
        ]


class TestAttempts:
    def test_of_a_job_that_fails_once(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        outcomes = [ZeroDivisionError(), None]

        def flaky() -> None:
            outcome = outcomes.pop(0)
            if outcome:
                raise outcome

        job = queue.task(name="t", retry_backoff=0)(flaky).delay()
        worker.run()
        first, last = _watching.attempts(database, job.id)
        assert list(first) == [
            *("attempt", "outcome", "claimed_at", "started_at", "finished_at", "error")
        ]
        assert (first["attempt"], first["outcome"]) == (0, "failed")
        assert (last["attempt"], last["outcome"], last["error"]) == (1, "completed", None)
        assert first["claimed_at"] <= first["started_at"] <= first["finished_at"]
        assert first["finished_at"] <= last["claimed_at"] <= last["started_at"]
        assert last["finished_at"] == job.to_dict()["completed_at"]

    def test_the_last_of_a_dead_job_is_there_once(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        job = queue.task(name="t", max_retries=1, retry_backoff=0)(lambda: 1 / 0).delay()
        worker.run()
        told = _watching.attempts(database, job.id)
        assert [attempt["outcome"] for attempt in told] == ["failed", "failed"]

    def test_what_never_ran_has_none(self, queue: Queue, database: Any) -> None:
        job = queue.task(name="t")(int).delay()
        assert _watching.attempts(database, job.id) == []
        queue.cancel_job(job.id)
        assert _watching.attempts(database, job.id) == []
        assert _watching.attempts(database, UNKNOWN) == []

    def test_a_snooze_leaves_no_trace(
        self, queue: Queue, worker: ManualWorker, database: Any
    ) -> None:
        def later() -> None:
            raise Snooze(60)

        job = queue.task(name="t")(later).delay()
        worker.run()
        assert _watching.attempts(database, job.id) == []


class TestNow:
    def test_what_runs_is_told_with_its_worker(
        self, queue: Queue, start_worker: StartWorker, database: Any
    ) -> None:
        go_on: list[bool] = []
        task = queue.task(name="t")(lambda: until(lambda: go_on))
        assert _watching.running(database) == []
        job = task.delay()
        start_worker()
        until(lambda: _watching.running(database))
        (told,) = _watching.running(database)
        (member,) = _watching.crew(database)
        assert (told["job_id"], told["task_name"], told["queue"]) == (job.id, "t", "default")
        assert told["worker_id"] == member["worker_id"]
        assert told["since"] >= job.to_dict()["started_at"]
        assert (member["slots"], member["held"], member["draining"]) == (2, 1, False)
        assert member["tasks"] == ["t"]
        assert member["rss"] is None or member["rss"] > 1_000_000
        (attempt,) = _watching.attempts(database, job.id)
        assert (attempt["outcome"], attempt["finished_at"]) == ("running", None)
        go_on.append(True)
        job.wait()
        until(lambda: not _watching.running(database))

    def test_in_memory_all_that_is_claimed_runs(self) -> None:
        with Queue(":memory:") as queue, manual_worker(queue) as worker:
            found = []
            task = queue.task(name="t")(lambda: found.extend(_watching.running(queue._database)))
            job = task.delay()
            worker.run()
            assert [one["job_id"] for one in found] == [job.id]


class TestWaiting:
    def test_so_many_are_before(self, queue: Queue, worker: ManualWorker, database: Any) -> None:
        task = queue.task(name="t")(int)
        jobs = [task.delay() for _ in range(3)]
        assert [_watching.position(database, job.id) for job in jobs] == [0, 1, 2]
        assert _watching.position(database, jobs[2].id, cap=1) == 1
        assert _watching.position(database, UNKNOWN) is None
        worker.run()
        assert _watching.position(database, jobs[0].id) is None

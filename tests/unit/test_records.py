"""What is written down about attempts: errors, run times, workers that fall silent."""

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

import taskito
from taskito import JobNotFoundError, Queue
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

DAY = 86_400


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


class UnpicklableError(Exception):
    def __reduce__(self) -> str:
        raise RuntimeError("not to be pickled")


class LongError(Exception):
    def __str__(self) -> str:
        return "<" + "ü" * 200_000 + ">"


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (UnpicklableError("cause"), "UnpicklableError: cause"),
            (ValueError("\ud800 \x00"), "ValueError: "),
            (LongError(), "bytes left out"),
        ],
        ids=["unpicklable", "unstorable", "long"],
    )
    def test_every_exception_is_recorded_as_a_traceback(
        self, queue: Queue, worker: ManualWorker, error: Exception, text: str
    ) -> None:
        def fail() -> None:
            raise error

        job = queue.task(name="t", max_retries=0)(fail).delay()
        worker.run()
        assert job.status == "dead"
        told = str(job.error)
        assert told.startswith("Traceback (most recent call last):\n")
        assert text in told
        assert len(told.encode()) <= 2**16
        assert job.errors[0]["error"] == queue.dead_letters()[0]["error"] == told

    def test_are_live_and_empty_for_an_unknown_job(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="t", retry_backoff=0, max_retries=2)(lambda: 1 / 0).delay()
        for count in range(3):
            assert len(job.errors) == count
            worker.run(max_jobs=1)
        assert [error["attempt"] for error in job.errors] == [0, 1, 2]
        assert queue.job_errors("nobody") == queue.task_logs("nobody") == []

    def test_a_handle_of_a_deleted_job_keeps_what_it_knew(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="t", max_retries=0)(lambda: 1 / 0).delay()
        queue.update_progress(job.id, 30)
        worker.run()
        known = (job.status, job.progress, job.error)
        worker.advance(1)
        assert queue.purge_jobs("dead", older_than=0) == 1
        job.refresh()
        assert (job.status, job.progress, job.error) == known
        assert (job.errors, job.dependencies, job.dependents, job.logs()) == ([], [], [], [])
        assert job.to_dict()["status"] == "dead"
        with pytest.raises(JobNotFoundError, match=f"^job not found: {job.id}$"):
            job.result()


class TestRunTimes:
    def test_are_kept_for_seven_days(self, queue: Queue, worker: ManualWorker) -> None:
        queue.task(name="t")(int).delay()
        worker.run()
        worker.advance(6 * DAY)
        assert queue.metrics(since=60 * DAY)["t"]["count"] == 1
        worker.advance(1.1 * DAY)
        assert queue.metrics(since=60 * DAY) == {}


class TestWorkers:
    def test_one_without_a_heartbeat_for_fifteen_seconds_is_stale(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        def silent_for(ms: int) -> str:
            with closing(sqlite3.connect(queue.db_path)) as connection:
                connection.execute("UPDATE worker SET heartbeat_at = ?", [worker.now - ms])
                connection.commit()
            (row,) = queue.workers()
            assert row["last_heartbeat"] == worker.now - ms
            return str(row["status"])

        assert silent_for(0) == silent_for(14_900) == "active"
        assert silent_for(15_100) == "stale"

    def test_a_worker_says_where_it_runs(self, queue: Queue, start_worker: StartWorker) -> None:
        start_worker()
        until(queue.workers)
        (row,) = queue.workers()
        assert (row["hostname"], row["pid"]) == (platform.node(), os.getpid())
        assert (row["version"], row["running"]) == (taskito.__version__, 0)
        assert row["started_at"] <= row["last_heartbeat"]

"""What time does to jobs: those that start too late, and those that ended long ago."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskito import JobNotFoundError, JobResult, Queue, TaskCancelledError
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

EXPIRED = "expired before execution"

CALLS: dict[str, Callable[..., JobResult[Any]]] = {
    "enqueue": lambda queue, **options: queue.enqueue("t", **options),
    "enqueue_many": lambda queue, **options: queue.enqueue_many("t", [()], **options)[0],
    "options_list": lambda queue, **options: queue.enqueue_many("t", [()], options_list=[options])[
        0
    ],
    "apply_async": lambda queue, **options: queue.task(name="t")(print).apply_async(**options),
    "options": lambda queue, **options: queue.task(name="t")(print).options(**options).delay(),
}


def let_a_millisecond_pass(queue: Queue) -> None:
    with queue._database as store:
        begin = store.now
        until(lambda: store.now > begin)


class TestExpire:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    @pytest.mark.parametrize("expires", [0, -1])
    def test_zero_or_less_never_starts(
        self,
        queue: Queue,
        start_worker: StartWorker,
        call: Callable[..., JobResult[Any]],
        expires: int,
    ) -> None:
        started: list[int] = []
        job = call(queue, expires=expires)
        queue.task(name="t")(lambda: started.append(1))
        start_worker()
        assert job.wait(30)
        assert (job.status, job.error, started) == ("cancelled", EXPIRED, [])

    def test_result_says_why_there_is_none(self, queue: Queue, start_worker: StartWorker) -> None:
        job = queue.task(name="t")(print).apply_async(expires=0)
        start_worker()
        with pytest.raises(TaskCancelledError, match=f"^Job {job.id} cancelled: {EXPIRED}$"):
            job.result()

    def test_a_job_that_starts_in_time_runs(self, queue: Queue, start_worker: StartWorker) -> None:
        job = queue.task(name="t")(lambda: "done").apply_async(expires=60)
        start_worker()
        assert job.result() == "done"

    def test_a_job_that_waits_for_its_retry_expires(self, queue: Queue) -> None:
        with manual_worker(queue) as worker:
            job = queue.task(name="t", retry_delays=[20])(lambda: 1 / 0).apply_async(expires=10)
            worker.run()
            worker.advance(11)
        assert (job.status, job.error, len(job.errors)) == ("cancelled", EXPIRED, 1)


class TestTimeToLive:
    """A worker sweeps when it starts, what ended in an earlier millisecond."""

    def test_a_job_goes_when_its_own_time_is_over(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        short, long, ever = (queue.enqueue("t", result_ttl=ttl) for ttl in (0, 3600, None))
        for job in (short, long, ever):
            job.cancel()
        assert short.status == "cancelled"
        let_a_millisecond_pass(queue)
        start_worker()
        until(lambda: queue.get_job(short.id) is None)
        assert [job.id for job in queue.list_jobs()] == [ever.id, long.id]
        assert queue.stats()["cancelled"] == 2
        assert short.status == "cancelled", "a handle keeps what it knew"

    def test_the_queue_decides_for_jobs_that_say_nothing(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "jobs.db", workers=1, result_ttl=timedelta(0)) as queue:
            gone, kept = (queue.enqueue("t", result_ttl=ttl) for ttl in (None, 3600))
            waiting = queue.enqueue("t")
            for job in (gone, kept):
                job.cancel()
            let_a_millisecond_pass(queue)
            worker = threading.Thread(target=queue.run_worker)
            worker.start()
            until(lambda: queue.get_job(gone.id) is None)
            assert [job.id for job in queue.list_jobs()] == [waiting.id, kept.id]
        worker.join(30)


class TestPurge:
    def test_only_jobs_that_ended_long_enough_ago(self, queue: Queue) -> None:
        job = queue.enqueue("t")
        job.cancel()
        let_a_millisecond_pass(queue)
        assert queue.purge_jobs("cancelled", older_than=60) == 0
        assert queue.purge_jobs("cancelled", older_than=0) == 1
        assert queue.get_job(job.id) is None
        assert queue.purge_jobs("cancelled", older_than=0) == 0

    def test_completed_jobs_go_with_their_results(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t")(lambda: 1).delay()
        waiting = queue.enqueue("unknown")
        start_worker()
        assert job.result() == 1
        let_a_millisecond_pass(queue)
        assert queue.purge_completed() == 0
        assert queue.purge_completed(0) == 1
        with pytest.raises(JobNotFoundError, match=f"job not found: {job.id}"):
            job.result()
        assert waiting.status == "pending"

    def test_the_dead_go_with_errors_and_letters(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t", max_retries=0)(lambda: 1 / 0).delay()
        start_worker()
        job.wait()
        let_a_millisecond_pass(queue)
        assert queue.purge_jobs("dead", older_than=0) == 1
        assert (job.errors, queue.dead_letters(), queue.stats()["dead"]) == ([], [], 0)

    def test_filters_by_queue_and_task(self, queue: Queue) -> None:
        jobs = [queue.enqueue(task, queue=name) for task in "tu" for name in "ab"]
        for job in jobs:
            job.cancel()
        let_a_millisecond_pass(queue)
        assert queue.purge_jobs("cancelled", older_than=0, queue="nowhere") == 0
        assert queue.purge_jobs("cancelled", older_than=0, queue="a", task_name="t") == 1
        assert queue.purge_jobs("cancelled", older_than=0, task_name="t") == 1
        assert [job.id for job in queue.list_jobs()] == [jobs[3].id, jobs[2].id]
        assert queue.purge_jobs("cancelled", older_than=0, queue="b") == 1

    @pytest.mark.parametrize("status", ["pending", "running", "failed", "", "done"])
    def test_only_finished_jobs_can_be_deleted(self, queue: Queue, status: str) -> None:
        message = "status must be one of complete, dead, cancelled, got"
        with pytest.raises(ValueError, match=message):
            queue.purge_jobs(status)

    def test_a_negative_age_is_refused(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match="older_than must not be negative"):
            queue.purge_completed(-1)

    def test_a_purge_of_many_lets_others_write_meanwhile(self, queue: Queue) -> None:
        def is_written_halfway() -> bool:
            jobs = queue.enqueue_many("t", [()] * 3000)
            with queue._database as store:
                for job in jobs:
                    store.cancel(job.id)
            let_a_millisecond_pass(queue)
            left: list[int] = []
            done = threading.Event()

            def produce() -> None:
                while not done.is_set():
                    queue.enqueue("other")
                    left.append(queue.stats()["cancelled"])

            producer = threading.Thread(target=produce)
            producer.start()
            assert queue.purge_jobs("cancelled", older_than=0) == 3000
            done.set()
            producer.join()
            return any(0 < number < 3000 for number in left)

        # On a busy machine the producer may get no turn between two portions.
        assert any(is_written_halfway() for _ in range(5))

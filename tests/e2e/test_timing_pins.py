"""The bounds in seconds that programs may rely on, one test for each.

Those below a tenth of a second are in ``test_latency_pins.py``. Each docstring says what
breaks when the test goes red.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskito import (
    DependencyFailedError,
    JobResult,
    Queue,
    TaskFailedError,
    chain,
    chord,
    current_job,
    group,
)
from tests.support.pins import within
from tests.support.processes import Site
from tests.support.until import until
from tests.support.working import working

Folder = Callable[[], Path]


@pytest.fixture
def fresh(tmp_path: Path) -> Folder:
    """Where the next database may be."""
    numbers = itertools.count()
    return lambda: tmp_path / f"{next(numbers)}" / "jobs.db"


@pytest.fixture
def queue(fresh: Folder) -> Iterator[Queue]:
    with Queue(fresh(), workers=2) as queue:
        yield queue


class TestWorker:
    def test_a_pending_job_runs_within_a_third_of_a_second_of_the_start(
        self, fresh: Folder
    ) -> None:
        """Red if a worker looks for work only when it has slept, or starts up slowly."""

        def measure() -> float:
            with Queue(fresh(), workers=1) as queue:
                ran = threading.Event()
                queue.task(name="t")(ran.set).delay()
                began = time.monotonic()
                with working(queue):
                    assert ran.wait(30)
                    return time.monotonic() - began

        within(0.3, measure)

    def test_a_job_of_one_second_completes_during_a_shutdown(self, queue: Queue) -> None:
        """Red if a drain gives up what runs, or waits for its whole time."""
        task = queue.task(name="t")(lambda: time.sleep(1))  # the second that is promised

        def measure() -> float:
            job = task.delay()
            with working(queue, drain_timeout=60) as worker:
                until(lambda: job.status == "running")
                began = time.monotonic()
                queue.shutdown()
                worker.join(60)
                assert job.status == "complete"
                return time.monotonic() - began

        within(10, measure, rounds=2)

    def test_an_idle_worker_returns_within_two_seconds(self, queue: Queue) -> None:
        """Red if a worker that sleeps is not woken by a shutdown, or waits for its drain."""
        task = queue.task(name="t")(int)

        def measure() -> float:
            with working(queue) as worker:
                task.delay().result()
                began = time.monotonic()
                queue.shutdown()
                worker.join(30)
                return time.monotonic() - began

        within(2, measure)

    def test_a_worker_that_is_killed_leaves_no_job_running_for_two_seconds(
        self, site: Site
    ) -> None:
        """Red if the death of a worker is noticed by its silence, or by timeouts."""
        gate, rounds = str(site.gate()), itertools.count()

        def measure() -> float:
            number = next(rounds)
            victim = site.ready_worker(workers=2)
            again = site.queue.enqueue("hold", [f"again {number}", gate])
            lethal = site.queue.enqueue("hold", [f"lethal {number}", gate], max_retries=0)
            for token in (f"again {number}", f"lethal {number}"):
                site.marks.wait("start", token)
            survivor = site.ready_worker(workers=2)
            killed = time.monotonic()
            victim.kill()
            until(lambda: again.errors and lethal.status == "dead")
            seconds = time.monotonic() - killed
            survivor.kill()
            again.cancel()
            return seconds

        within(2, measure, rounds=3)


class TestFailure:
    def measured(self, fresh: Folder, **options: Any) -> float:
        """Seconds from the start of a worker until the dead letter and all failures are there."""
        attempts = options["max_retries"] + 1
        with Queue(fresh(), workers=1) as queue:
            failures: list[object] = []
            queue.on_failure(lambda *facts: failures.append(facts))
            queue.task(name="t", **options)(lambda: 1 / 0).delay()
            began = time.monotonic()
            with working(queue):
                until(lambda: queue.dead_letters() and len(failures) == attempts)
                return time.monotonic() - began

    def test_a_job_without_retries_is_a_dead_letter_within_two_seconds(self, fresh: Folder) -> None:
        """Red if an outcome is not written when it is known."""
        within(2, lambda: self.measured(fresh, max_retries=0))

    @pytest.mark.parametrize(("max_retries", "bound"), [(1, 3), (2, 5)])
    def test_short_backoffs_lead_to_a_dead_letter_soon(
        self, fresh: Folder, max_retries: int, bound: float
    ) -> None:
        """Red if a retry waits for anything but its backoff."""
        within(
            bound,
            lambda: self.measured(fresh, max_retries=max_retries, retry_backoff=0.1),
            rounds=3,
        )

    def test_three_failures_are_followed_by_a_success_within_fifteen_seconds(
        self, queue: Queue
    ) -> None:
        """Red if short backoffs are rounded up to whole ticks of some poll."""
        runs = itertools.count()

        @queue.task(name="t", max_retries=3, retry_backoff=0.01)
        def fourth_time() -> int:
            if (run := next(runs)) < 3:
                raise OSError
            return run

        job = fourth_time.delay()
        with working(queue):
            assert job.result(timeout=30) == 3


class TestOrder:
    def test_three_jobs_run_by_priority_within_three_seconds(self, fresh: Folder) -> None:
        """Red if a worker takes jobs in the order they came."""

        def measure() -> float:
            with Queue(fresh(), workers=1) as queue:
                ran: list[int] = []
                task = queue.task(name="t")(ran.append)
                jobs = [task.options(priority=p).delay(p) for p in (1, 5, 10)]
                began = time.monotonic()
                with working(queue):
                    assert all(job.wait(30) for job in jobs)
                assert ran == [10, 5, 1]
                return time.monotonic() - began

        within(3, measure)

    def test_four_jobs_at_two_a_second_all_run_within_five_seconds(self, fresh: Folder) -> None:
        """Red if a rate is not kept, or its next token not waited for exactly."""

        def measure() -> float:
            with Queue(fresh(), workers=4) as queue:
                starts: list[float] = []
                task = queue.task(name="t", rate_limit="2/s")(
                    lambda: starts.append(time.monotonic())
                )
                jobs = task.map([()] * 4)
                began = time.monotonic()
                with working(queue):
                    assert all(job.wait(30) for job in jobs)
                assert max(starts) - min(starts) >= 0.5
                return time.monotonic() - began

        within(5, measure, rounds=3)

    def test_tasks_registered_after_the_start_run_a_whole_canvas(self, queue: Queue) -> None:
        """Red if a worker knows only the tasks it found when it started."""
        with working(queue):
            until(queue.workers)

            @queue.task(name="add")
            def add(a: int, b: int) -> int:
                return a + b

            total = queue.task(name="total")(sum)
            steps = chain(add.s(1, 2), add.s(3)).apply()
            members = group(add.s(1, 1), add.s(2, 2)).apply()
            callback = chord([add.s(1, 1), add.s(2, 2)], total.s()).apply()
            assert steps.result(timeout=30) == 6
            assert [job.result(timeout=30) for job in members] == [2, 4]
            assert callback.result(timeout=30) == 6

    @pytest.mark.parametrize(("fires", "bound"), [(1, 15), (9, 12)])
    def test_a_schedule_of_every_second_completes_in_time(
        self, fresh: Folder, fires: int, bound: float
    ) -> None:
        """Red if schedules are looked at now and then: a fire is lost or late."""

        def measure() -> float:
            with Queue(fresh(), workers=2) as queue:
                queue.periodic("* * * * * *", name="s")(int)
                began = time.monotonic()
                with working(queue):
                    until(lambda: queue.stats()["completed"] >= fires)
                    return time.monotonic() - began

        within(bound, measure, rounds=2)


class TestAtOnce:
    """What is so the moment a call returns: no bound but none at all."""

    def test_a_cancelled_job_reads_cancelled_with_all_that_depends_on_it(
        self, queue: Queue
    ) -> None:
        """Red if the cascade is left to a worker, or to a later transaction."""
        for _ in range(20):
            root = queue.enqueue("t")
            jobs = [root]
            for _ in range(5):
                jobs += queue.enqueue_many("t", [()] * 3, depends_on=jobs[-3:])
            assert queue.cancel_job(root.id)
            assert {job.status for job in jobs} == {"cancelled"}

    def test_when_a_result_is_there_its_key_is_free_its_hooks_ran_and_its_errors_are_whole(
        self, queue: Queue
    ) -> None:
        """Red if the result is told before the transaction with all the rest, or before hooks."""
        heard: list[str] = []
        queue.after_task(lambda *_facts: heard.append(current_job.id))

        @queue.task(name="t", max_retries=1, retry_backoff=0)
        def second_time(fails: int) -> None:
            if current_job.retry_count < fails:
                raise OSError

        with working(queue):
            for number in range(60):
                job: JobResult[Any] = second_time.options(unique_key="k").delay(1 + number % 2)
                assert not job.deduplicated
                try:
                    job.result()
                except TaskFailedError:
                    assert number % 2
                assert heard == [job.id] * 2
                assert len(job.errors) == 1 + number % 2
                heard.clear()

    def test_when_a_failure_is_told_its_dependents_are_cancelled(self, queue: Queue) -> None:
        """Red if a cascade comes after the settlement that causes it."""
        fail = queue.task(name="t", max_retries=0)(lambda: 1 / 0)
        with working(queue):
            for _ in range(20):
                root = fail.options(delay=0.005).delay()
                last = fail.options(depends_on=root).delay()
                with pytest.raises(TaskFailedError):
                    root.result()
                with pytest.raises(DependencyFailedError):
                    last.result(timeout=0)


def test_a_new_database_takes_its_first_job_within_a_fifth_of_a_second(fresh: Folder) -> None:
    """Red if the schema is made in many transactions, or a pragma waits for the disk."""

    def measure() -> float:
        with Queue(fresh()) as queue:
            began = time.monotonic()
            queue.enqueue("t")
            return time.monotonic() - began

    within(0.2, measure, rounds=20)

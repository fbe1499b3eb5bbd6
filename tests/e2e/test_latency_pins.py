"""How soon one thing follows another, and what idling costs. Long: a few lines for each bound.

Medians of many samples, of which one round must keep to the bound (``tests/support/pins.py``).
All of them go red if sleepers are not woken and look once a second instead.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskito import Queue, TaskCancelledError, current_job, group
from tests.support.pins import median_within, processor_seconds, within
from tests.support.processes import PROGRAMS, STARTING, Site, open_site
from tests.support.until import until
from tests.support.working import working

WAKING = 0.020
"""Seconds from an event to whoever waits for it."""
OPENING = 0.2
"""Seconds from the instant at which a job may start to its start."""
STOPPING = 0.5
"""Seconds from a deadline or a request to its effect."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Processes that share a database without waiting for the disk, which others use as well."""
    with open_site(tmp_path, durability="normal") as site:
        yield site


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """A queue with a worker that is idle."""
    with Queue(tmp_path / "jobs.db", workers=4, durability="normal") as queue, working(queue):
        until(queue.workers)
        yield queue


class TestWaking:
    @pytest.mark.parametrize("kind", ["plain", "async"])
    def test_an_idle_worker_starts_a_job_at_once(self, queue: Queue, kind: str) -> None:
        """Red if the dispatcher is not woken by an insert."""

        async def anow() -> float:
            return time.monotonic()

        function: Callable[[], Any] = time.monotonic if kind == "plain" else anow
        now = queue.task(name="now")(function)

        def measure() -> float:
            called = time.monotonic()
            return float(now.delay().result()) - called

        median_within(WAKING, measure)

    def test_an_idle_worker_of_another_process_starts_a_job_at_once(self, site: Site) -> None:
        """Red if processes do not wake each other."""
        site.ready_worker()

        def measure() -> float:
            called = time.monotonic()
            site.queue.enqueue("note", ["x"]).result()
            return site.marks.all("start")[-1].at - called

        median_within(WAKING, measure)

    def test_whoever_waits_for_a_result_is_woken(self, queue: Queue) -> None:
        """Red if a waiter sleeps for its poll interval: half a second here."""
        now = queue.task(name="now")(time.monotonic)

        def measure() -> float:
            job = now.options(delay=0.01).delay()
            ended = job.result(poll_interval=0.5, max_poll_interval=0.5)
            return time.monotonic() - ended

        median_within(WAKING, measure)

    def test_whoever_awaits_a_result_is_woken(self, queue: Queue) -> None:
        """Red if coroutines wait by polling."""
        now = queue.task(name="now")(time.monotonic)

        async def wait() -> float:
            ended = await (await now.options(delay=0.01).adelay()).aresult()
            return time.monotonic() - ended

        with asyncio.Runner() as runner:
            median_within(WAKING, lambda: runner.run(wait()))

    def test_whoever_waits_in_another_process_is_woken(self, site: Site) -> None:
        """Red if a settlement wakes only its own process."""
        site.ready_worker()

        def measure() -> float:
            job = site.queue.enqueue("note", ["x"], delay=0.01)
            job.result(poll_interval=0.5, max_poll_interval=0.5)
            return time.monotonic() - site.marks.all("start")[-1].at

        median_within(WAKING, measure)


class TestOpening:
    """A job that waits starts soon after it may, and not before."""

    def test_after_a_delay(self, queue: Queue) -> None:
        """Red if due jobs are looked for now and then."""
        now = queue.task(name="now")(time.time)

        def measure() -> float:
            job = now.options(delay=0.13).delay()
            late = job.result() - job.scheduled_at / 1000
            assert late > -0.002
            return late

        median_within(OPENING, measure, samples=5)

    def test_after_a_backoff(self, queue: Queue) -> None:
        """Red if retries wait for the next look of somebody."""
        ends: list[float] = []

        @queue.task(name="t", max_retries=1, retry_delays=[0.13])
        def second_time() -> float:
            if current_job.retry_count == 0:
                ends.append(time.monotonic())
                raise OSError
            return time.monotonic()

        def measure() -> float:
            late = float(second_time.delay().result()) - ends[-1] - 0.13
            assert late > -0.002
            return late

        median_within(OPENING, measure, samples=5)

    def test_after_the_next_token_of_a_rate(self, queue: Queue) -> None:
        """Red if nobody wakes when a token comes."""
        names = itertools.count()

        def measure() -> float:
            # A task of its own, so that its bucket is full: five start, the others wait.
            now = queue.task(name=f"now {next(names)}", rate_limit="5/s")(time.monotonic)
            first, *_, sixth, seventh = sorted(job.result() for job in now.map([()] * 7))
            return float(max(sixth - first - 0.2, seventh - first - 0.4))

        median_within(OPENING, measure, samples=5)

    @pytest.mark.parametrize("scope", ["task", "key", "queue", "group"])
    def test_after_the_end_of_a_job_that_took_the_only_place(
        self, queue: Queue, scope: str
    ) -> None:
        """Red if the end of a job wakes nobody that a limit holds back."""
        spans: list[float] = []

        def run() -> None:
            spans.append(time.monotonic())
            time.sleep(0.03)
            spans.append(time.monotonic())

        task = queue.task(name="t", max_concurrent=1 if scope in {"task", "key"} else None)(run)
        if scope == "queue":
            queue.set_queue_concurrency("default", 1)

        def measure() -> float:
            spans.clear()
            if scope == "group":
                jobs = group(task.s(), task.s(), max_concurrency=1).apply()
            else:
                bound = task.options(limit_key="k") if scope == "key" else task.options()
                jobs = bound.map([()] * 2)
            assert all(job.wait(30) for job in jobs)
            _, end, start, _ = spans
            assert start >= end
            return float(start - end)

        median_within(OPENING, measure, samples=5)


class TestStopping:
    @pytest.mark.parametrize("kind", ["plain", "async"])
    def test_the_state_is_written_soon_after_a_hard_deadline(self, queue: Queue, kind: str) -> None:
        """Red if deadlines are looked at now and then."""
        let_go = threading.Event()

        async def asleep() -> None:
            await asyncio.sleep(30)

        function: Callable[[], Any] = asleep if kind == "async" else lambda: let_go.wait(30)
        task = queue.task(name="t", timeout=0.1, max_retries=0)(function)

        def measure() -> float:
            job = task.delay()
            assert job.wait(30)
            assert job.status == "dead"
            facts = job.to_dict()
            return float(facts["completed_at"] - facts["started_at"]) / 1000 - 0.1

        try:
            within(STOPPING, measure)
        finally:
            let_go.set()

    def test_a_coroutine_is_cancelled_soon_after_the_request(self, queue: Queue) -> None:
        """Red if nobody rings when a cancellation is asked for."""
        cancelled: list[float] = []
        started = threading.Event()

        @queue.task(name="t")
        async def asleep() -> None:
            try:
                started.set()
                await asyncio.sleep(30)
            finally:
                cancelled.append(time.monotonic())

        def measure() -> float:
            started.clear()
            job = asleep.delay()
            assert started.wait(30)
            asked = time.monotonic()
            assert queue.cancel_running_job(job.id)
            assert job.wait(30)
            return cancelled[-1] - asked

        within(STOPPING, measure)

    def test_a_function_that_looks_is_told_soon_after_the_request(self, queue: Queue) -> None:
        """Red if ``check_cancelled`` knows only what the claim knew."""
        told: list[float] = []
        started = threading.Event()

        @queue.task(name="t")
        def look() -> None:
            try:
                started.set()
                while True:
                    current_job.check_cancelled()
                    time.sleep(0.001)
            except TaskCancelledError:
                told.append(time.monotonic())
                raise

        def measure() -> float:
            started.clear()
            job = look.delay()
            assert started.wait(30)
            asked = time.monotonic()
            assert queue.cancel_running_job(job.id)
            assert job.wait(30)
            return told[-1] - asked

        within(STOPPING, measure)

    def test_progress_is_seen_soon_after_it_is_told(self, queue: Queue) -> None:
        """Red if progress is stored only with the end of the job."""
        gate = threading.Event()
        told: list[float] = []

        @queue.task(name="t")
        def report() -> None:
            told.append(time.monotonic())
            current_job.update_progress(50)
            gate.wait(30)

        def measure() -> float:
            gate.clear()
            job = report.delay()
            until(lambda: job.progress == 50)
            seen = time.monotonic()
            gate.set()
            job.result()
            return seen - told[-1]

        within(OPENING, measure)


def test_an_idle_worker_takes_less_than_a_hundredth_of_a_processor(site: Site) -> None:
    """Red if any thread of a worker looks for work instead of being woken.

    The worker has a schedule that is not due, threads for plain functions and a loop for
    coroutines. Time on the processor is measured, so that a busy machine changes nothing.
    """
    worker = site.taskito("worker", "--app", f"{PROGRAMS}.idle:queue")
    until(lambda: site.status_of(worker) == "active", within=STARTING)
    assert site.queue.enqueue("coroutine").result(timeout=STARTING) == "done"
    assert site.queue.enqueue("plain").result(timeout=STARTING) == "done"

    def measure() -> float:
        before = processor_seconds(worker.pid)
        begin = time.monotonic()
        time.sleep(3)
        return (processor_seconds(worker.pid) - before) / (time.monotonic() - begin)

    share = within(0.01, measure, rounds=4)
    print(f"{share:.3%} of a processor")

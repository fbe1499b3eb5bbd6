"""Queues as operators see and set them: pausing, limits, counts."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskito import Queue
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

COUNTS = ("pending", "running", "completed", "failed", "dead", "cancelled")


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


def divided(number: int, by: int) -> int:
    return number // by


class TestPause:
    def test_nothing_of_the_queue_starts_until_it_is_resumed(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        task = queue.task(name="t")(int)
        queue.pause("mail")
        held = task.options(queue="mail", priority=9).delay()
        other = task.delay()
        assert worker.run() == [other]
        assert held.status == "pending"
        queue.resume("mail")
        assert worker.run() == [held]

    def test_the_default_queue_is_meant_if_none_is_named(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="t")(int).delay()
        queue.pause()
        assert (queue.paused_queues(), worker.run()) == (["default"], [])
        queue.resume()
        assert (queue.paused_queues(), worker.run()) == ([], [job])

    def test_both_may_be_said_twice_and_are_stored(self, queue: Queue) -> None:
        for name in ("zebra", "ant", "zebra"):
            queue.pause(name)
        queue.resume("unknown")
        with Queue(queue.db_path) as another:
            assert another.paused_queues() == ["ant", "zebra"]
            another.resume("ant")
            another.resume("ant")
        assert queue.paused_queues() == ["zebra"]

    def test_a_job_that_runs_goes_on(self, queue: Queue, start_worker: StartWorker) -> None:
        gate, started = threading.Event(), threading.Event()

        @queue.task
        def waits() -> bool:
            started.set()
            return gate.wait(30)

        job = waits.delay()
        start_worker()
        assert started.wait(30)  # a job that is claimed and not yet started is handed back
        queue.pause()
        gate.set()
        assert job.result(timeout=30)

    def test_jobs_that_were_claimed_in_advance_do_not_start(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        """A worker holds the next jobs of a brief task in memory."""
        paused, gate, started = threading.Event(), threading.Event(), 0

        @queue.task
        def brief() -> None:
            nonlocal started
            started += 1
            if started == 500:
                queue.pause()
                paused.set()
                gate.wait(30)

        brief.map([()] * 3000)
        start_worker(workers=1)
        assert paused.wait(30)
        until(lambda: queue.stats()["running"] == 1)  # those behind it are handed back
        gate.set()
        until(lambda: queue.stats()["running"] == 0)
        assert started == 500
        queue.resume()
        until(lambda: queue.stats()["completed"] == 3000)
        assert started == 3000

    @pytest.mark.parametrize("verb", [Queue.pause, Queue.resume])
    def test_a_name_that_is_none_is_refused(
        self, queue: Queue, verb: Callable[[Queue, Any], None]
    ) -> None:
        with pytest.raises(ValueError, match="queue is empty\nhint: name a queue"):
            verb(queue, "")
        with pytest.raises(TypeError, match="queue must be a str, got 5"):
            verb(queue, 5)


class TestLimits:
    def test_a_rate_holds_for_all_tasks_of_the_queue_and_no_other(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        one, two = queue.task(name="one")(int), queue.task(name="two")(int)
        queue.set_queue_rate_limit("mail", "2/h")
        held = [task.options(queue="mail").delay() for task in (one, two, one)]
        free = one.delay()
        assert set(worker.run()) == {held[0], held[1], free}
        queue.set_queue_rate_limit("mail", None)
        assert worker.run() == [held[2]]

    def test_so_does_the_number_of_jobs_that_run_at_once(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        gate = threading.Event()
        wait = queue.task(name="wait")(lambda: gate.wait(30))
        queue.set_queue_concurrency("mail", 1)
        held = [wait.options(queue="mail").delay() for _ in range(3)]
        free = [wait.delay() for _ in range(3)]
        start_worker(workers=8)
        until(lambda: all(job.status == "running" for job in free))
        assert queue.stats_by_queue()["mail"]["running"] == 1
        queue.set_queue_concurrency("mail", 2)
        until(lambda: queue.stats_by_queue()["mail"]["running"] == 2)
        queue.set_queue_concurrency("mail", None)
        until(lambda: queue.stats_by_queue()["mail"]["running"] == 3)
        gate.set()
        assert all(job.wait(30) for job in held + free)

    def test_all_limits_must_allow_it(self, queue: Queue, worker: ManualWorker) -> None:
        limited = queue.task(name="limited", rate_limit="2/h")(int)
        other = queue.task(name="other")(int)
        queue.set_queue_rate_limit("default", "3/h")
        jobs = [*limited.map([()] * 3), *other.map([()] * 3)]
        ran = worker.run()
        assert len(ran) == 3
        queue.set_queue_rate_limit("default", None)
        ran += worker.run()
        assert set(ran) == set(jobs) - {jobs[2]}

    @pytest.mark.parametrize(
        ("verb", "value", "error", "message"),
        [
            ("set_queue_rate_limit", "fast", ValueError, "rate is malformed: .*fast.*\nhint: writ"),
            ("set_queue_rate_limit", 5, TypeError, "rate must be a str, got 5"),
            ("set_queue_concurrency", 0, ValueError, "limit must be between 1 and .*, got 0"),
            ("set_queue_concurrency", "5", TypeError, "limit must be an integer, got '5'"),
        ],
    )
    def test_a_bad_value_is_refused_and_changes_nothing(
        self, queue: Queue, verb: str, value: object, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            getattr(queue, verb)("default", value)
        with pytest.raises(ValueError, match="queue is empty"):
            getattr(queue, verb)("", None)
        assert queue.list_queues() == []


class TestList:
    def test_a_queue_is_listed_with_the_documented_keys(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        fails = queue.task(name="fails", max_retries=0)(divided)
        queue.enqueue_many("fails", [(1, 0), (1, 1)])
        worker.run()
        fails.delay(1, 1).cancel()
        fails.delay(1, 1)
        due = worker.now
        worker.advance(1)
        fails.options(priority=9).delay(1, 1)
        fails.options(delay=5).delay(1, 1)
        queue.set_queue_rate_limit("default", " 10 / min ")
        queue.set_queue_concurrency("default", 7)
        queue.pause()
        (row,) = queue.list_queues()
        assert row == {
            "name": "default",
            "paused": True,
            "rate_limit": "10/min",
            "max_concurrent": 7,
            "oldest_due_at": due,
            "workers": 1,
            "pending": 3,
            "running": 0,
            "completed": 1,
            "failed": 0,
            "dead": 1,
            "cancelled": 1,
        }
        assert {name: row[name] for name in COUNTS} == queue.stats()

    def test_those_with_jobs_settings_or_workers_of_their_own_are_listed(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        queue.enqueue("unknown", queue="with a job")
        queue.pause("with a setting")
        start_worker(["served", "with a job"])
        until(queue.workers)
        start_worker()
        until(lambda: len(queue.workers()) == 2)
        rows = {row["name"]: row for row in queue.list_queues()}
        assert {name: row["workers"] for name, row in rows.items()} == {
            "served": 2,
            "with a job": 2,
            "with a setting": 1,
        }
        assert rows["served"]["oldest_due_at"] is None
        assert not any(rows["served"][name] for name in COUNTS)

    def test_a_setting_that_is_taken_back_leaves_nothing(self, queue: Queue) -> None:
        queue.pause()
        queue.set_queue_rate_limit("default", "1/s")
        queue.resume()
        queue.set_queue_rate_limit("default", None)
        assert queue.list_queues() == []

    def test_counts_are_those_of_queues_that_have_a_job(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        task = queue.task(name="t")(int)
        task.options(queue="done").delay()
        worker.run()
        task.options(queue="due").delay()
        queue.pause("none")
        stats = queue.stats_by_queue()
        assert set(stats) == {"done", "due"}
        assert tuple(stats["done"]) == COUNTS
        assert stats["done"]["completed"] == stats["due"]["pending"] == 1
        assert sum(sum(one.values()) for one in stats.values()) == 2


def test_every_verb_has_a_coroutine(queue: Queue) -> None:
    async def use() -> tuple[Any, ...]:
        await queue.apause("mail")
        await queue.aset_queue_rate_limit("mail", "1/s")
        await queue.aset_queue_concurrency("mail", 3)
        await queue.aenqueue("t", queue="mail")
        shown = (
            await queue.apaused_queues(),
            await queue.alist_queues(),
            await queue.astats_by_queue(),
            await queue.acircuit_breakers(),
        )
        await queue.aresume("mail")
        return (*shown, await queue.apaused_queues())

    paused, (row,), stats, breakers, none = asyncio.run(use())
    assert (paused, breakers, none) == (["mail"], [], [])
    assert (row["rate_limit"], row["max_concurrent"], row["paused"]) == ("1/s", 3, True)
    assert stats["mail"]["pending"] == 1

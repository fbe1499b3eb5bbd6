"""A circuit breaker that is half open: one job is tried, and its end decides."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from taskito import Cancel, Queue, Snooze, TaskCancelledError
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

SETTINGS = {"threshold": 1, "window": 60, "cooldown": 30}


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


def state(queue: Queue) -> str:
    (breaker,) = queue.circuit_breakers()
    return str(breaker["state"])


class TestProbe:
    def test_one_job_is_tried_and_the_breaker_is_half_open_meanwhile(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        seen: list[str] = []

        @queue.task(name="t", circuit_breaker=SETTINGS, max_retries=0)
        def fragile(fails: int) -> None:
            seen.append(state(queue))
            if fails:
                raise ConnectionError

        fragile.delay(1)
        worker.run()
        assert state(queue) == "open"
        fragile.map([(0,)] * 3)
        assert worker.run() == []
        worker.advance(30)
        assert len(worker.run()) == 3
        assert seen == ["closed", "half_open", "closed", "closed"]

    @pytest.mark.parametrize(
        "end",
        [lambda: Snooze(3600), lambda: Cancel("no"), TaskCancelledError],
        ids=["snooze", "cancel", "cancelled"],
    )
    def test_a_probe_without_verdict_lets_the_next_job_probe_at_once(
        self, queue: Queue, worker: ManualWorker, end: Callable[[], BaseException]
    ) -> None:
        ran: list[str] = []

        @queue.task(name="t", circuit_breaker=SETTINGS, max_retries=0)
        def fragile(what: str) -> None:
            ran.append(what)
            if what == "fails":
                raise ConnectionError
            if what == "no verdict":
                raise end()

        fragile.delay("fails")
        worker.run()
        fragile.map([("no verdict",), ("well",), ("after",)])
        worker.advance(30)
        worker.run()
        assert ran == ["fails", "no verdict", "well", "after"]
        assert state(queue) == "closed"

    def test_a_probe_that_is_handed_back_does_too(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        gate, entered = threading.Event(), threading.Event()

        @queue.task(name="t", circuit_breaker={"threshold": 1, "cooldown": 0}, max_retries=0)
        def fragile(fails: int) -> str:
            if fails:
                raise ConnectionError
            entered.set()
            gate.wait(30)
            return "done"

        fragile.delay(1)
        probe = fragile.delay(0)
        worker = start_worker(workers=1)
        assert entered.wait(30)
        assert state(queue) == "half_open"
        queue.shutdown(now=True)
        worker.join(30)
        gate.set()
        assert probe.status == "pending"
        start_worker(workers=1)
        assert probe.result() == "done"
        assert state(queue) == "closed"


class TestSettings:
    def test_are_those_of_the_code_of_the_last_worker_and_the_count_is_stored(
        self, queue: Queue
    ) -> None:
        settings: dict[str, Any] = {"threshold": 3, "window": 60, "cooldown": 30}
        queue.task(name="t", circuit_breaker=settings, max_retries=0)(lambda: 1 / 0)
        queue.enqueue_many("t", [()] * 4)
        with manual_worker(queue) as worker:
            worker.run(max_jobs=2)
            assert (queue.circuit_breakers()[0]["failure_count"], state(queue)) == (2, "closed")
        queue.task(name="t", circuit_breaker={**settings, "threshold": 4}, max_retries=0)(
            lambda: 1 / 0
        )
        with manual_worker(queue) as worker:
            worker.run()
            (breaker,) = queue.circuit_breakers()
            assert (breaker["threshold"], breaker["failure_count"]) == (4, 4)
            assert breaker["state"] == "open"


class TestQueues:
    def test_schedules_fire_into_a_queue_that_is_paused(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        queue.periodic(every=60, name="s", queue="mail")(int)
        queue.pause("mail")
        worker.advance(60)
        (job,) = queue.list_jobs()
        assert worker.run() == []
        with closing(sqlite3.connect(queue.db_path)) as connection:
            (name,) = connection.execute("SELECT schedule_name FROM jobs").fetchone()
        assert (job.status, name) == ("pending", "s")
        queue.resume("mail")
        assert worker.run() == [job]


class TestExpiry:
    def test_a_job_of_an_unknown_task_expires_while_a_worker_lives(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        root = queue.enqueue("unknown", expires=0.1)
        child = queue.enqueue("unknown", depends_on=root)
        queue.task(name="known")(int)
        start_worker()
        until(lambda: root.status == "cancelled")
        assert root.error == "expired before execution"
        assert (child.status, child.error) == ("cancelled", f"dependency cancelled: {root.id}")

    def test_no_attempt_starts_later_than_that_after_the_call(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        ran: list[str] = []
        task = queue.task(name="t")(ran.append)
        for name, expires in (("in time", 10.001), ("late", 10)):
            task.apply_async([name], expires=expires, delay=10)
        worker.advance(10)
        worker.run()
        assert ran == ["in time"]
        assert queue.stats()["cancelled"] == 1

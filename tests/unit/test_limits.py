"""Limits of tasks: rates, how many run at once, limit keys, circuit breakers."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from taskito import Queue
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

BREAKER = {"threshold": 2, "window": 60, "cooldown": 30}


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


class TestOptions:
    @pytest.mark.parametrize(
        ("units", "seconds"),
        [("s sec second", 1), ("m min minute", 60), ("h hr hour", 3600), ("d day", 86_400)],
    )
    @pytest.mark.parametrize("spelling", ["0.5/{}", " 0.5 / {} "])
    def test_a_rate_is_a_count_and_a_period(
        self, queue: Queue, worker: ManualWorker, units: str, seconds: int, spelling: str
    ) -> None:
        for unit in units.split():
            limited = queue.task(name=unit, rate_limit=spelling.format(unit))(int)
            limited.map([()] * 2)
        worker.run()
        worker.advance(2 * seconds - 0.001)
        assert worker.run() == []
        worker.advance(0.001)
        assert len(worker.run()) == len(units.split())

    @pytest.mark.parametrize(
        "rate",
        [
            "",
            "10",
            "10/",
            "/s",
            "0/s",
            "-1/s",
            "1e3/s",
            "inf/s",
            "ten/s",
            "1/week",
            "1/s/s",
            "1/2s",
        ],
    )
    def test_a_malformed_rate_fails_at_the_decorator(self, queue: Queue, rate: str) -> None:
        with pytest.raises(ValueError, match=r"rate_limit is malformed: .*\nhint: write '10/s'"):
            queue.task(rate_limit=rate)

    @pytest.mark.parametrize(
        ("option", "value", "error", "message"),
        [
            ("rate_limit", 10, TypeError, "rate_limit must be a str, got 10"),
            ("max_concurrent", 0, ValueError, "max_concurrent must be between 1 and .*, got 0"),
            ("max_concurrent", True, TypeError, "max_concurrent must be an integer, got True"),
            ("circuit_breaker", 5, TypeError, "must be a mapping, got 5\nhint: write circuit_b"),
            (
                "circuit_breaker",
                {"treshold": 1},
                TypeError,
                "unknown option 'treshold' for circuit_breaker\nhint: did you mean 'threshold'",
            ),
            (
                "circuit_breaker",
                {"threshold": 0},
                ValueError,
                r"circuit_breaker\['threshold'\] must be between 1 and .*, got 0",
            ),
            (
                "circuit_breaker",
                {"window": 0},
                ValueError,
                r"circuit_breaker\['window'\] must be positive, got 0",
            ),
            (
                "circuit_breaker",
                {"cooldown": -1},
                ValueError,
                r"circuit_breaker\['cooldown'\] must not be negative, got -1",
            ),
        ],
    )
    def test_a_bad_value_fails_at_the_decorator(
        self, queue: Queue, option: str, value: object, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            queue.task(**{option: value})  # type: ignore[call-overload]

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({}, (5, 60_000, 300_000)),
            ({"threshold": 1, "window": 0.5, "cooldown": 0}, (1, 500, 0)),
        ],
    )
    def test_a_breaker_says_what_it_is_set_to(
        self, queue: Queue, given: Mapping[str, float], expected: tuple[int, int, int]
    ) -> None:
        queue.task(name="t", circuit_breaker=given)(print)
        with manual_worker(queue):
            (breaker,) = queue.circuit_breakers()
        assert breaker == {
            "task_name": "t",
            "state": "closed",
            "failure_count": 0,
            "last_failure_at": None,
            "opened_at": None,
            "threshold": expected[0],
            "window_ms": expected[1],
            "cooldown_ms": expected[2],
        }


class TestRate:
    def test_jobs_over_it_wait_for_the_next_token_and_stay_as_they_are(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        limited = queue.task(name="limited", rate_limit="2/m")(int)
        jobs = limited.map([()] * 4)
        stored = jobs[3].to_dict()
        assert worker.run() == jobs[:2]
        worker.advance(29.999)
        assert worker.run() == []
        assert jobs[3].to_dict() == stored
        worker.advance(0.001)
        assert worker.run() == [jobs[2]]
        worker.advance(3600)
        assert worker.run() == [jobs[3]]

    def test_time_passes_until_all_have_started(self, queue: Queue, worker: ManualWorker) -> None:
        limited = queue.task(name="limited", rate_limit="1/m")(int)
        jobs = limited.map([()] * 3)
        began = worker.now
        assert worker.run_until_idle() == jobs
        assert worker.now == began + 120_000

    def test_every_attempt_takes_a_token(self, queue: Queue, worker: ManualWorker) -> None:
        queue.task(name="fails", rate_limit="2/m", max_retries=5, retry_delays=[0])(divmod)
        job = queue.enqueue("fails", (1, 0))
        worker.run()
        assert (job.status, len(job.errors)) == ("pending", 2)

    def test_it_counts_over_all_queues_and_holds_after_a_restart(self, queue: Queue) -> None:
        limited = queue.task(name="limited", rate_limit="1/h")(int)
        with manual_worker(queue) as first:
            job = limited.delay()
            assert first.run() == [job]
        limited.options(queue="other", priority=9).delay()
        with manual_worker(queue) as second:
            assert second.run() == []

    def test_whom_it_holds_back_holds_back_nobody_else(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        limited = queue.task(name="limited", rate_limit="1/h")(int)
        held = limited.options(priority=9).map([()] * 50)
        other = queue.task(name="other")(int).delay()
        assert worker.run() == [held[0], other]

    def test_a_worker_starts_them_when_the_tokens_come(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        """The timing pin: four jobs at two a second."""
        jobs = queue.task(name="limited", rate_limit="2/s")(int).map([()] * 4)
        start_worker()
        until(lambda: all(job.status == "complete" for job in jobs))
        starts = sorted(job.started_at or 0 for job in jobs)
        assert starts[3] - starts[0] >= 1000


class TestKeys:
    def test_every_key_has_its_own_rate_and_jobs_without_one_share_one_more(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        limited = queue.task(name="limited", rate_limit="1/h")(int)
        jobs = [
            limited.apply_async(limit_key="a"),
            limited.options(limit_key="a").delay(),
            *queue.enqueue_many("limited", [(), ()], limit_key="b"),
            queue.enqueue("limited", limit_key="c"),
        ]
        plain = [limited.delay(), limited.options(queue="other").delay()]
        ran = set(worker.run())
        assert ran - set(plain) == {jobs[0], jobs[2], jobs[4]}
        assert len(ran) == 4

    def test_every_key_has_its_own_count(self, queue: Queue, start_worker: StartWorker) -> None:
        gate = threading.Event()
        one = queue.task(name="one", max_concurrent=1)(lambda: gate.wait(30))
        jobs = [one.options(limit_key=key).delay() for key in "aab"]
        plain = [one.delay(), one.delay()]
        start_worker(workers=8)
        until(lambda: [job.status for job in (jobs[0], jobs[2], plain[0])] == ["running"] * 3)
        assert (jobs[1].status, plain[1].status) == ("pending", "pending")
        gate.set()
        assert all(job.wait(30) for job in [*jobs, *plain])

    def test_copies_keep_the_key(self, queue: Queue, worker: ManualWorker) -> None:
        queue.task(name="fails", max_retries=0)(divmod)
        job = queue.enqueue("fails", (1, 0), limit_key="a")
        worker.run()
        (letter,) = queue.dead_letters()
        copies = [queue.replay(job.id).id, queue.retry_dead(letter["id"])]
        queue.task(name="fails", rate_limit="1/h")(divmod)
        ran = worker.run()
        assert [job.id for job in ran] == copies[:1]


class TestConcurrency:
    def test_no_more_run_at_once(self, queue: Queue, start_worker: StartWorker) -> None:
        lock, running, most = threading.Lock(), 0, 0

        @queue.task(max_concurrent=2)
        def count() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.01)
            with lock:
                running -= 1

        jobs = count.map([()] * 30)
        start_worker(workers=8)
        assert all(job.wait(30) for job in jobs)
        assert most == 2

    def test_coroutines_are_counted_too(self, queue: Queue, start_worker: StartWorker) -> None:
        gate = threading.Event()
        running: list[int] = []

        @queue.task(max_concurrent=2)
        async def wait(number: int) -> None:
            running.append(number)
            await asyncio.to_thread(gate.wait, 30)

        other = queue.task(name="other")(int)
        jobs = wait.map([(number,) for number in range(5)])
        start_worker()
        until(lambda: running == [0, 1])
        assert other.delay().result(timeout=30) == 0
        assert running == [0, 1]
        gate.set()
        assert all(job.wait(30) for job in jobs)


class TestBreaker:
    @pytest.fixture
    def outcome(self) -> dict[str, Any]:
        return {"fails": True, "runs": 0}

    @pytest.fixture
    def task(self, queue: Queue, outcome: dict[str, Any]) -> str:
        @queue.task(name="fragile", circuit_breaker=BREAKER, max_retries=3, retry_delays=[0])
        def fragile() -> None:
            outcome["runs"] += 1
            if outcome["fails"]:
                raise ConnectionError

        return "fragile"

    def test_failures_within_the_window_open_it_and_nothing_is_spent(
        self, queue: Queue, worker: ManualWorker, task: str, outcome: dict[str, Any]
    ) -> None:
        jobs = queue.enqueue_many(task, [()] * 3)
        opened_at = worker.now
        worker.run()
        worker.advance(29)
        worker.run()
        assert outcome["runs"] == 2
        assert sum(job.to_dict()["retry_count"] for job in jobs) == 2
        assert {job.status for job in jobs} == {"pending"}
        assert queue.circuit_breakers() == [
            {
                "task_name": task,
                "state": "open",
                "failure_count": 2,
                "last_failure_at": opened_at,
                "opened_at": opened_at,
                "threshold": 2,
                "window_ms": 60_000,
                "cooldown_ms": 30_000,
            }
        ]

    def test_a_probe_that_fails_opens_it_again_and_one_that_succeeds_closes_it(
        self, queue: Queue, worker: ManualWorker, task: str, outcome: dict[str, Any]
    ) -> None:
        jobs = queue.enqueue_many(task, [()] * 3)
        worker.run()
        worker.advance(30)
        worker.run()
        assert (outcome["runs"], state(queue)) == (3, "open")
        outcome["fails"] = False
        worker.advance(30)
        assert sorted(job.id for job in worker.run()) == sorted(job.id for job in jobs)
        assert state(queue) == "closed"

    def test_failures_that_lie_further_apart_do_not_open_it(
        self, queue: Queue, worker: ManualWorker, task: str
    ) -> None:
        queue.enqueue(task)
        worker.run(max_jobs=1)
        worker.advance(61)
        worker.run(max_jobs=1)
        assert state(queue) == "closed"
        worker.run(max_jobs=1)
        assert state(queue) == "open"

    def test_a_success_between_them_clears_the_count(
        self, queue: Queue, worker: ManualWorker, task: str, outcome: dict[str, Any]
    ) -> None:
        queue.enqueue_many(task, [()] * 3)
        for fails in (True, False, True):
            outcome["fails"] = fails
            worker.run(max_jobs=1)
        assert state(queue) == "closed"

    def test_a_timeout_is_a_failure(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(circuit_breaker=BREAKER, max_concurrent=1, timeout=0.05, max_retries=0)
        async def slow() -> None:
            await asyncio.sleep(60)

        jobs = slow.map([()] * 3)
        start_worker()
        assert all(job.wait(30) for job in jobs[:2])
        assert (state(queue), jobs[2].status) == ("open", "pending")

    def test_a_cancelled_job_is_not(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(circuit_breaker=BREAKER)
        async def wait() -> None:
            await asyncio.sleep(60)

        jobs = wait.map([()] * 3)
        start_worker()
        for job in jobs:
            until(lambda job=job: job.status == "running")  # type: ignore[misc]
            job.cancel()
            assert job.wait(30)
        assert {job.status for job in jobs} == {"cancelled"}
        assert state(queue) == "closed"


def state(queue: Queue) -> str:
    (breaker,) = queue.circuit_breakers()
    return str(breaker["state"])

"""Why a job does not run: every reason, and what is said about it."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from taskito import JobNotFoundError, JobResult, Queue, Reason, Snooze, Why, group
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

UNKNOWN = "01a207ef-0e53-7688-9529-2e63d115a560"


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Open at the end, so that jobs that wait for it end."""
    gate = threading.Event()
    yield gate
    gate.set()


def the_reason(job: JobResult[Any]) -> Reason:
    """Return the one reason why a job does not run."""
    why = job.why()
    (reason,) = why.reasons
    assert str(why) == reason.message
    assert not why.ready or reason.code == "workers_busy"
    return reason


class TestAnswer:
    def test_a_job_that_will_run_next_is_ready(self, queue: Queue, worker: ManualWorker) -> None:
        task = queue.task(name="t")(int)
        worker.run()
        job = task.delay()
        assert job.why() == Why(job.id, "pending", ready=True, reasons=())
        assert str(job.why()) == ""

    def test_it_can_be_asked_in_four_ways(self, queue: Queue) -> None:
        job = queue.enqueue("t", delay=60)

        async def ask() -> list[Why]:
            return [await queue.awhy(job.id), await job.awhy()]

        answers = [queue.why(job.id), job.why(), *asyncio.run(ask())]
        assert len(set(map(str, answers))) == 1
        assert answers[0].job_id == job.id

    def test_all_reasons_are_listed_one_a_line(self, queue: Queue) -> None:
        job = queue.enqueue("t", delay=60)
        queue.pause()
        why = job.why()
        assert [reason.code for reason in why.reasons] == ["scheduled", "queue_paused", "no_worker"]
        assert not why.ready
        assert str(why).splitlines() == [reason.message for reason in why.reasons]

    def test_it_cannot_be_changed(self, queue: Queue) -> None:
        why = queue.enqueue("t").why()
        with pytest.raises(FrozenInstanceError):
            why.ready = True  # type: ignore[misc]
        with pytest.raises(FrozenInstanceError):
            why.reasons[0].code = "running"  # type: ignore[misc]

    @pytest.mark.parametrize("job_id", [UNKNOWN, "no id"])
    def test_there_must_be_such_a_job(self, queue: Queue, job_id: str) -> None:
        with pytest.raises(JobNotFoundError, match=f"job not found: {job_id}"):
            queue.why(job_id)
        with pytest.raises(TypeError, match="job_id must be a str, got 5"):
            queue.why(5)  # type: ignore[arg-type]


class TestTime:
    def test_a_delay(self, queue: Queue, worker: ManualWorker) -> None:
        job = queue.task(name="t")(int).options(delay=60).delay()
        worker.run()
        reason = the_reason(job)
        assert (reason.code, reason.until) == ("scheduled", worker.now + 60_000)
        assert reason.details == {}
        worker.advance(60)
        assert job.why().ready

    def test_a_retry(self, queue: Queue, worker: ManualWorker) -> None:
        queue.task(name="fails", retry_delays=[60])(divmod)
        job = queue.enqueue("fails", (1, 0))
        worker.run()
        reason = the_reason(job)
        assert (reason.code, reason.until) == ("retry_backoff", worker.now + 60_000)
        assert reason.details == {"attempt": 1}
        assert "for retry 1 of 3" in reason.message

    def test_a_task_that_put_itself_off(self, queue: Queue, worker: ManualWorker) -> None:
        @queue.task(name="puts off")
        def puts_off() -> None:
            raise Snooze(60)

        job = puts_off.delay()
        worker.run()
        reason = the_reason(job)
        assert (reason.code, reason.until) == ("snoozed", worker.now + 60_000)

    def test_other_jobs(self, queue: Queue, worker: ManualWorker) -> None:
        task = queue.task(name="t")(int)
        parents = [task.options(delay=60 * n).delay() for n in range(2)]
        job = task.options(depends_on=[parent.id for parent in parents]).delay()
        worker.run(max_jobs=1)
        reason = the_reason(job)
        assert (reason.code, reason.until) == ("dependencies", None)
        assert reason.details == {"waiting": [parents[1].id]}
        assert parents[1].id in reason.message

    def test_many_other_jobs_are_named_in_part(self, queue: Queue) -> None:
        parents = queue.enqueue_many("t", [()] * 9)
        reason = queue.enqueue("t", depends_on=parents).why().reasons[0]
        assert len(reason.details["waiting"]) == 9
        assert sum(parent.id in reason.message for parent in parents) == 5
        assert reason.message.startswith("it waits for 9 of its dependencies")


class TestLimits:
    def test_a_paused_queue(self, queue: Queue, worker: ManualWorker) -> None:
        job = queue.task(name="t", queue="mail")(int).delay()
        queue.pause("mail")
        assert worker.run() == []
        reason = the_reason(job)
        assert (reason.code, reason.until) == ("queue_paused", None)
        assert reason.details == {"queue": "mail"}

    @pytest.mark.parametrize(
        ("call", "details"),
        [
            ({}, {"scope": "task", "name": "t", "key": None}),
            ({"limit_key": "a"}, {"scope": "key", "name": "t", "key": "a"}),
        ],
    )
    def test_the_rate_of_its_task(
        self, queue: Queue, worker: ManualWorker, call: dict[str, Any], details: dict[str, Any]
    ) -> None:
        queue.task(name="t", rate_limit="0.5/m")(int)
        jobs = [queue.enqueue("t", **call) for _ in range(2)]
        worker.run()
        reason = the_reason(jobs[1])
        assert (reason.code, reason.until) == ("rate_limited", worker.now + 120_000)
        assert reason.details == {**details, "limit": "0.5/m"}
        worker.advance(120)
        assert jobs[1].why().ready

    def test_the_rate_of_its_queue(self, queue: Queue, worker: ManualWorker) -> None:
        jobs = queue.task(name="t")(int).map([()] * 2)
        queue.set_queue_rate_limit("default", "1/h")
        worker.run()
        reason = the_reason(jobs[1])
        assert (reason.code, reason.until) == ("rate_limited", worker.now + 3_600_000)
        assert reason.details == {
            "scope": "queue",
            "name": "default",
            "key": None,
            "limit": "1/h",
        }

    def test_how_many_of_each_limit_run(
        self, queue: Queue, start_worker: StartWorker, gate: threading.Event
    ) -> None:
        wait = queue.task(name="wait", max_concurrent=1)(lambda: gate.wait(30))
        free = queue.task(name="free")(lambda: gate.wait(30))
        queue.set_queue_concurrency("narrow", 1)
        pairs = {
            "task": wait.map([()] * 2),
            "key": [wait.options(limit_key="a").delay() for _ in range(2)],
            "queue": [free.options(queue="narrow").delay() for _ in range(2)],
        }
        pairs["group"] = group([free.s(), free.s()], max_concurrency=1).apply()
        start_worker(workers=8)
        until(lambda: [jobs[0].status for jobs in pairs.values()] == ["running"] * 4)
        details = {"limit": 1, "running": 1}
        expected = {
            "task": {"scope": "task", "name": "wait", "key": None, **details},
            "key": {"scope": "key", "name": "wait", "key": "a", **details},
            "queue": {"scope": "queue", "name": "narrow", "key": None, **details},
            "group": {"scope": "group", "name": None, "key": None, **details},
        }
        for scope, jobs in pairs.items():
            reason = the_reason(jobs[1])
            assert (reason.code, reason.until) == ("concurrency_full", None)
            assert reason.details == expected[scope]
            assert reason.message.startswith("1 of at most 1 jobs of ")

    def test_a_circuit_breaker(self, queue: Queue, worker: ManualWorker) -> None:
        settings = {"threshold": 1, "cooldown": 30}
        queue.task(name="fails", circuit_breaker=settings, max_retries=0)(divmod)
        jobs = queue.enqueue_many("fails", [(1, 0), (1, 0)])
        worker.run()
        reason = the_reason(jobs[1])
        assert (reason.code, reason.until) == ("circuit_open", worker.now + 30_000)
        assert reason.details == {"task": "fails"}
        worker.advance(30)
        assert jobs[1].why().ready

    def test_the_one_job_that_it_tries(
        self, queue: Queue, start_worker: StartWorker, gate: threading.Event
    ) -> None:
        settings = {"threshold": 1, "cooldown": 0}
        tried: list[int] = []

        @queue.task(circuit_breaker=settings, max_retries=0)
        def fragile(number: int) -> None:
            tried.append(number)
            if number == 0:
                raise ConnectionError
            gate.wait(30)

        jobs = fragile.map([(number,) for number in range(3)])
        start_worker(workers=1)
        until(lambda: tried == [0, 1])
        start_worker(workers=1)
        until(lambda: len(queue.workers()) == 2)
        reason = the_reason(jobs[2])
        assert (reason.code, reason.until) == ("circuit_open", None)
        assert reason.message.endswith("is open while one job is tried")


class TestWorkers:
    def test_there_is_none(self, queue: Queue) -> None:
        reason = the_reason(queue.enqueue("t"))
        assert (reason.code, reason.until, reason.details) == ("no_worker", None, {})

    def test_none_serves_its_queue(self, queue: Queue, start_worker: StartWorker) -> None:
        task = queue.task(name="t")(int)
        job = task.options(queue="mail").delay()
        start_worker("default")
        until(queue.workers)
        reason = the_reason(job)
        assert (reason.code, reason.details) == ("no_worker_for_queue", {"queue": "mail"})

    def test_none_knows_its_task(self, queue: Queue, start_worker: StartWorker) -> None:
        queue.task(name="t")(int)
        job = queue.enqueue("unknown")
        start_worker()
        until(queue.workers)
        reason = the_reason(job)
        assert (reason.code, reason.details) == ("no_worker_for_task", {"task": "unknown"})
        other = queue.enqueue("unknown", queue="mail")
        queue.shutdown(wait=True)
        start_worker("default")
        until(queue.workers)
        codes = [reason.code for reason in other.why().reasons]
        assert codes == ["no_worker_for_queue", "no_worker_for_task"]

    def test_all_of_them_are_busy(
        self, queue: Queue, start_worker: StartWorker, gate: threading.Event
    ) -> None:
        wait = queue.task(name="wait")(lambda: gate.wait(30))
        jobs = wait.map([()] * 2)
        start_worker(workers=2)
        until(lambda: all(job.status == "running" for job in jobs))
        job = wait.delay()
        reason = the_reason(job)
        assert (reason.code, reason.until) == ("workers_busy", None)
        assert reason.details == {"running": 2, "slots": 2}
        assert job.why().ready


class TestElsewhere:
    def test_it_runs(self, queue: Queue, start_worker: StartWorker, gate: threading.Event) -> None:
        wait = queue.task(name="wait", timeout=60)(lambda: gate.wait(30))
        job, endless = wait.delay(), wait.options(timeout=0).delay()
        start_worker(workers=2)
        until(lambda: job.status == endless.status == "running")
        (worker,) = queue.workers()
        reason = the_reason(job)
        assert (reason.code, reason.details) == ("running", {"worker_id": worker["worker_id"]})
        job.refresh()
        assert job.started_at is not None
        assert reason.until == job.started_at + 60_000
        assert the_reason(endless).until is None

    def test_it_has_ended(self, queue: Queue, worker: ManualWorker) -> None:
        queue.task(name="divide", max_retries=0)(divmod)
        jobs = queue.enqueue_many("divide", [(1, 1), (1, 0)])
        worker.run()
        jobs.append(queue.enqueue("divide"))
        jobs[2].cancel()
        reasons = [the_reason(job) for job in jobs]
        assert {reason.code for reason in reasons} == {"finished"}
        assert [reason.details for reason in reasons] == [
            {"status": job.status, "error": job.error} for job in jobs
        ]
        assert reasons[0].message == "it is complete"
        assert reasons[1].message == (
            "it is dead: ZeroDivisionError: integer division or modulo by zero"
        )

    def test_test_mode_knows_it_too(self, queue: Queue) -> None:
        said: list[Why] = []

        @queue.task(name="asks")
        def asks() -> None:
            said.append(queue.get_job("test-000001").why())  # type: ignore[union-attr]

        with queue.test_mode():
            job = asks.delay()
            assert the_reason(job).details == {"status": "complete", "error": None}
            assert asyncio.run(job.awhy()) == job.why()
        (reason,) = said[0].reasons
        assert (reason.code, reason.details) == ("running", {"worker_id": None})

"""How long attempts ran, and what they logged."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskito import JobResult, Queue
from taskito._core import Engine, Outcome, RetryPolicy
from tests.support.until import until
from tests.unit.conftest import StartWorker

UNKNOWN = "01890000-0000-7000-8000-000000000000"


class TestMetrics:
    def test_has_the_documented_keys_for_tasks_that_ran(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        good = queue.task(name="good")(lambda: time.sleep(0.02))
        bad = queue.task(name="bad", max_retries=1, retry_backoff=0)(lambda: 1 / 0)
        queue.task(name="idle")(print)
        jobs: list[JobResult[Any]] = [good.delay(), good.delay(), bad.delay()]
        start_worker()
        for job in jobs:
            job.wait()
        told = queue.metrics()
        assert list(told) == ["bad", "good"]
        assert " ".join(told["good"]) == (
            "count success_count failure_count avg_ms p50_ms p95_ms p99_ms min_ms max_ms"
        )
        assert [told["good"][key] for key in list(told["good"])[:3]] == [2, 2, 0]
        assert [told["bad"][key] for key in list(told["bad"])[:3]] == [2, 0, 2]
        assert 20 <= told["good"]["min_ms"] <= told["good"]["avg_ms"] <= told["good"]["max_ms"]
        assert told["good"]["p50_ms"] == told["good"]["p99_ms"] == told["good"]["max_ms"]
        for value in told["good"].values():
            assert value == round(value, 2)
        assert list(queue.metrics("good")) == ["good"]
        assert queue.metrics("idle") == queue.metrics("unknown") == {}

    def test_only_attempts_of_the_last_seconds(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t")(lambda: None).delay()
        start_worker()
        job.wait()
        assert queue.metrics(since=60)["t"]["count"] == 1
        until(lambda: queue.metrics(since=0) == {})

    def test_a_timeout_counts_as_a_failure_of_that_length(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        gate = threading.Event()
        task = queue.task(name="t", timeout=0.05, max_retries=0)(lambda: gate.wait(30))
        job = task.delay()
        start_worker()
        job.wait()
        gate.set()
        told = queue.metrics()["t"]
        assert (told["count"], told["failure_count"]) == (1, 1)
        assert 50 <= told["max_ms"] < 30_000

    @pytest.mark.parametrize("since", [-1, float("nan")])
    def test_a_span_that_is_none_is_refused(self, queue: Queue, since: float) -> None:
        with pytest.raises(ValueError, match="since must"):
            queue.metrics(since=since)
        with pytest.raises(ValueError, match="since must"):
            queue.query_logs(since=since)


@pytest.fixture
def log(queue: Queue) -> Iterator[Callable[..., str]]:
    """Have a job log lines of level, message and extra; its id."""
    with queue._database as store:
        engine = Engine(store, threads=1)
    for task in ("a", "b"):
        engine.register(task, RetryPolicy())
    engine.start()

    def run(task: str, *lines: tuple[str, str, str | None]) -> str:
        job = queue.enqueue(task)
        claim = engine.next()
        assert claim is not None
        for line in lines:
            engine.log(claim, *line)
        engine.settle(claim, Outcome.done(b""))
        job.wait()
        return job.id

    yield run
    engine.stop()
    assert engine.join(5000)


class TestLogs:
    def test_of_a_job_oldest_first(self, queue: Queue, log: Callable[..., str]) -> None:
        job_id = log(
            "a", ("info", "one", None), ("error", "two", '{"x":[1]}'), ("info", "three", None)
        )
        lines = queue.task_logs(job_id)
        assert [" ".join(line) for line in lines] == 3 * [
            "id job_id task_name level message extra logged_at"
        ]
        assert [(line["level"], line["message"]) for line in lines] == [
            ("info", "one"),
            ("error", "two"),
            ("info", "three"),
        ]
        assert [line["extra"] for line in lines] == [None, '{"x":[1]}', None]
        assert {(line["job_id"], line["task_name"]) for line in lines} == {(job_id, "a")}
        job = queue.get_job(job_id)
        assert job is not None
        assert job.logs() == lines
        assert queue.task_logs(UNKNOWN) == queue.task_logs("no id") == []

    def test_of_all_jobs_newest_first(self, queue: Queue, log: Callable[..., str]) -> None:
        log("a", ("info", "one", None), ("error", "two", None))
        log("b", ("info", "three", None))

        def said(**which: Any) -> list[str]:
            return [line["message"] for line in queue.query_logs(**which)]

        assert said() == ["three", "two", "one"]
        assert said(limit=2) == ["three", "two"]
        assert said(task_name="a") == ["two", "one"]
        assert said(level="info") == ["three", "one"]
        assert said(task_name="b", level="error") == []
        until(lambda: said(since=0) == [])

    def test_go_with_their_job(self, queue: Queue, log: Callable[..., str]) -> None:
        log("a", ("info", "one", None))
        until(lambda: queue.purge_completed(0) == 1)
        assert queue.query_logs() == []

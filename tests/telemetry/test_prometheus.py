"""Metrics as a Prometheus server reads them, over HTTP."""

import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from taskito import Cancel, Queue, Snooze, current_job
from taskito.contrib.prometheus import (
    PrometheusMiddleware,
    PrometheusStatsCollector,
    start_metrics_server,
)
from tests.support.processes import open_site
from tests.support.until import until
from tests.telemetry.conftest import Work


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def queue(tmp_path: Path, registry: CollectorRegistry) -> Iterator[Queue]:
    middleware = PrometheusMiddleware(registry=registry)
    path = tmp_path / "jobs.db"
    with Queue(path, workers=2, durability="normal", middleware=[middleware]) as queue:
        yield queue


@pytest.fixture
def scrape(registry: CollectorRegistry) -> Iterator[Any]:
    """Ask a metrics server over HTTP; return samples by name and labels, task before status."""
    server = start_metrics_server(0, registry=registry)

    def ask() -> dict[tuple[str, tuple[str, ...]], float]:
        url = f"http://127.0.0.1:{server.port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
        return {
            (sample.name, by_name(sample.labels)): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    yield ask
    server.close()


def by_name(labels: dict[str, str]) -> tuple[str, ...]:
    return tuple(text for _, text in sorted(labels.items(), reverse=True))


class TestJobs:
    def test_are_counted_by_how_they_ended(self, queue: Queue, work: Work, scrape: Any) -> None:
        slept: list[int] = []

        @queue.task(name="good")
        def good() -> None: ...

        @queue.task(name="flaky", max_retries=2, retry_backoff=0)
        def flaky() -> None:
            if current_job.attempt < 3:
                raise OSError("again")

        @queue.task(name="bad", max_retries=1, retry_backoff=0)
        async def bad() -> None:
            raise OSError("always")

        @queue.task(name="called off")
        def called_off() -> None:
            raise Cancel

        @queue.task(name="sleepy")
        def sleepy() -> None:
            if not slept:
                slept.append(1)
                raise Snooze(0)

        work(queue)
        for task in (good, flaky, bad, called_off, sleepy):
            task.delay().wait()

        def counted() -> dict[Any, float]:
            found: dict[Any, float] = scrape()
            assert ("taskito_jobs_total", ("bad", "dead")) in found
            assert ("taskito_jobs_total", ("called off", "cancelled")) in found
            return found

        found = until(counted)
        totals = {labels: n for (name, labels), n in found.items() if name == "taskito_jobs_total"}
        assert totals == {
            ("good", "complete"): 1,
            ("flaky", "complete"): 1,
            ("bad", "dead"): 1,
            ("called off", "cancelled"): 1,
            ("sleepy", "complete"): 1,
        }
        assert found[("taskito_retries_total", ("flaky",))] == 2
        assert found[("taskito_retries_total", ("bad",))] == 1
        assert found[("taskito_job_duration_seconds_count", ("flaky",))] == 3
        assert found[("taskito_job_duration_seconds_count", ("sleepy",))] == 2
        assert found[("taskito_active_jobs", ())] == 0

    def test_are_active_while_they_run(self, queue: Queue, work: Work, scrape: Any) -> None:
        leave = threading.Event()

        @queue.task
        def wait() -> None:
            leave.wait(30)

        work(queue)
        jobs = [wait.delay(), wait.delay()]
        until(lambda: scrape()[("taskito_active_jobs", ())] == 2)
        leave.set()
        for job in jobs:
            job.result()
        assert scrape()[("taskito_active_jobs", ())] == 0

    def test_over_their_timeout_are_no_longer_active(
        self, queue: Queue, work: Work, scrape: Any
    ) -> None:
        leave = threading.Event()

        @queue.task(name="hang", timeout=0.1, max_retries=0)
        def hang() -> None:
            leave.wait(30)

        work(queue)
        hang.delay().wait()
        until(lambda: scrape().get(("taskito_jobs_total", ("hang", "dead"))) == 1)
        assert scrape()[("taskito_active_jobs", ())] == 0
        leave.set()

    def test_are_counted_once_by_any_number_of_middlewares(
        self, tmp_path: Path, registry: CollectorRegistry, work: Work, scrape: Any
    ) -> None:
        first, second, third = (PrometheusMiddleware(registry=registry) for _ in range(3))
        other = PrometheusMiddleware(registry=registry, namespace="shop")
        with Queue(tmp_path / "two.db", workers=1, middleware=[first, second, other]) as queue:

            @queue.task(name="good", middleware=[third])
            def good() -> None: ...

            work(queue)
            good.delay().result()
            found = scrape()
            assert found[("taskito_jobs_total", ("good", "complete"))] == 1
            assert found[("shop_jobs_total", ("good", "complete"))] == 1
            assert found[("taskito_active_jobs", ())] == found[("shop_active_jobs", ())] == 0

    def test_of_a_worker_that_died_are_counted_by_the_one_that_buries_them(
        self, tmp_path: Path, registry: CollectorRegistry, scrape: Any, work: Work
    ) -> None:
        with open_site(tmp_path) as site:
            job = site.queue.enqueue("hold", ("one", str(site.gate())), max_retries=0)
            worker = site.worker()
            until(lambda: job.status == "running")
            middleware = PrometheusMiddleware(registry=registry)
            with Queue(site.database, workers=1, middleware=[middleware]) as queue:
                work(queue)
                until(lambda: len(queue.workers()) == 2)
                worker.kill()
                until(
                    lambda: scrape().get(("taskito_jobs_total", ("hold", "dead"))) == 1,
                )
                assert job.status == "dead"


class TestQueues:
    def test_are_shown_as_they_stand(
        self, queue: Queue, registry: CollectorRegistry, scrape: Any, work: Work
    ) -> None:
        collector = PrometheusStatsCollector(queue, interval=0, registry=registry)
        leave = threading.Event()

        @queue.task(name="wait")
        def wait() -> None:
            leave.wait(30)

        @queue.task(name="bad", max_retries=0)
        def bad() -> None:
            raise OSError

        collector.start()
        collector.start()
        for _ in range(2):
            queue.enqueue("unknown", queue="mails")
        queue.enqueue("unknown", queue="later", delay=1000)
        work(queue)
        bad.delay().wait()
        wait.delay()
        until(lambda: scrape().get(("taskito_running", ("default",))) == 1)
        found = scrape()
        leave.set()
        assert found[("taskito_queue_depth", ("mails",))] == 2
        assert found[("taskito_queue_depth", ("later",))] == 1
        assert found[("taskito_queue_depth", ("default",))] == 0
        assert 0 < found[("taskito_queue_oldest_due_seconds", ("mails",))] < 60
        assert found[("taskito_queue_oldest_due_seconds", ("later",))] == 0
        assert found[("taskito_dlq_size", ())] == 1
        assert found[("taskito_workers", ("active",))] == 1
        assert found[("taskito_workers", ("stale",))] == 0
        assert queue.delete_dead(queue.dead_letters()[0]["id"])  # the job itself stays dead
        assert queue.stats()["dead"] == 1
        assert scrape()[("taskito_dlq_size", ())] == 0
        collector.stop()
        collector.stop()
        assert not [name for name, _ in scrape() if name == "taskito_dlq_size"]

    def test_count_more_dead_letters_than_are_read_at_once(
        self,
        queue: Queue,
        registry: CollectorRegistry,
        scrape: Any,
        work: Work,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("taskito.contrib.prometheus._collector._PORTION", 2)

        @queue.task(max_retries=0)
        def bad() -> None:
            raise OSError

        PrometheusStatsCollector(queue, 0, registry=registry).start()
        work(queue)
        for number in (4, 5):
            for job in bad.map([()] * (number - queue.stats()["dead"])):
                job.wait()
            assert scrape()[("taskito_dlq_size", ())] == number

    def test_are_read_once_in_an_interval(
        self, queue: Queue, registry: CollectorRegistry, scrape: Any
    ) -> None:
        PrometheusStatsCollector(queue, 3600, registry=registry).start()
        queue.enqueue("anything")
        assert scrape()[("taskito_queue_depth", ("default",))] == 1
        queue.enqueue("anything")
        assert scrape()[("taskito_queue_depth", ("default",))] == 1

    def test_that_cannot_be_read_leave_the_other_metrics_alone(
        self,
        tmp_path: Path,
        registry: CollectorRegistry,
        scrape: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        PrometheusMiddleware(registry=registry)
        (tmp_path / "broken.db").write_text("this is no database, however long one looks at it")
        PrometheusStatsCollector(Queue(tmp_path / "broken.db"), registry=registry).start()
        assert scrape()[("taskito_active_jobs", ())] == 0
        assert "cannot be read" in caplog.text

    def test_starting_reads_nothing(self, tmp_path: Path, registry: CollectorRegistry) -> None:
        PrometheusStatsCollector(Queue(tmp_path / "new.db"), registry=registry).start()
        assert list(tmp_path.iterdir()) == []

    def test_two_databases_under_one_name_are_refused(
        self, queue: Queue, registry: CollectorRegistry, tmp_path: Path, scrape: Any
    ) -> None:
        other = Queue(tmp_path / "other.db")
        PrometheusStatsCollector(queue, registry=registry).start()
        with pytest.raises(ValueError, match=r"'taskito' are registered already\nhint: give each"):
            PrometheusStatsCollector(other, registry=registry).start()
        PrometheusStatsCollector(other, registry=registry, namespace="other").start()
        assert scrape()[("other_dlq_size", ())] == 0
        other.close()

    def test_a_negative_interval_is_refused(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match="interval must not be negative, got -1"):
            PrometheusStatsCollector(queue, -1)


def test_the_default_registry_takes_several_of_them(tmp_path: Path) -> None:
    for number in range(2):
        Queue(tmp_path / f"{number}.db", middleware=[PrometheusMiddleware()])


def test_a_name_that_is_taken_by_something_else_is_refused(registry: CollectorRegistry) -> None:
    from prometheus_client import Gauge

    Gauge("taskito_active_jobs", "of another program", registry=registry)
    for _ in range(2):
        with pytest.raises(ValueError, match="taskito_active_jobs"):
            PrometheusMiddleware(registry=registry)

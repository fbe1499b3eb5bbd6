"""What runs now, since when, and in which worker."""

import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from werkzeug.test import Client

from taskito import Queue, current_job
from taskito_dashboard import create_app
from tests.dashboard.asking import get, page, words
from tests.support.until import until

KEYS = {
    *("job_id", "task_name", "queue", "retry_count", "progress", "timeout_ms"),
    *("worker_id", "since", "preview"),
}


@pytest.fixture
def holding(queue: Queue) -> Iterator[Callable[[], str]]:
    """What starts a job that runs until the test is over, and returns its id."""
    gate = threading.Event()

    @queue.task(name="hold", timeout=60)
    def hold() -> None:
        current_job.update_progress(42)
        gate.wait()

    worker = threading.Thread(target=queue.run_worker, name="worker")

    def start() -> str:
        job = hold.delay()
        worker.start()
        return job.id

    yield start
    gate.set()
    if worker.ident is not None:
        queue.close()
        worker.join()


def test_a_job_that_runs_is_told_everywhere(
    client: Client, queue: Queue, holding: Callable[[], str]
) -> None:
    assert get(client, "/api/running") == []
    assert 'id="running"' not in page(client, "/workers")
    job_id = holding()

    def told() -> dict[str, object]:
        rows = get(client, "/api/running")
        assert [row["progress"] for row in rows] == [42]
        return dict(rows[0])

    row = until(told)
    assert row.keys() == KEYS
    assert (row["job_id"], row["task_name"], row["queue"]) == (job_id, "hold", "default")
    assert row["timeout_ms"] == 60_000
    assert get(client, "/api/running?limit=0") == []

    overview = page(client, "/")
    section = overview[overview.index('id="running"') :]
    assert f'href="/jobs/{job_id}"' in section
    assert re.search(r"hold\(\) 42 % \S+:\d+ \d+", words(section))

    workers = page(client, "/workers")
    (worker,) = queue.workers()
    assert re.search(r" active \S+ \w+ all 1/2 hold\(\) \d[^·]*s 0 ", words(workers))
    below = words(workers[workers.index('id="running"') :])
    assert f"{worker['hostname']}:{os.getpid()} 1 min" in below

    job = page(client, f"/jobs/{job_id}")
    assert re.search(r'aria-label="Attempt 1: wait [^"]* start [^"]* run ', job)
    assert '<rect class="running"' in job


def test_workers_tell_memory_and_version(tmp_path: Path, client: Client, queue: Queue) -> None:
    with queue._stepping():
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as database, database:
            assert database.execute("UPDATE worker SET rss = 5 << 20").rowcount == 1
        (worker,) = queue.workers()

        assert f" 5.0 MiB {worker['version']} " in words(page(client, "/workers"))


def test_another_process_would_see_the_same(tmp_path: Path, holding: Callable[[], str]) -> None:
    job_id = holding()
    with Queue(tmp_path / "jobs.db") as other:
        elsewhere = Client(create_app(other))

        def told() -> bool:
            return [row["job_id"] for row in get(elsewhere, "/api/running")] == [job_id]

        until(told)

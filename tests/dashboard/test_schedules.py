"""The page of schedules: when they fired, how late, and what became of that."""

import itertools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.dashboard.asking import page, words

MINUTE = 60


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    """A worker whose clock moves when it is told to, for a schedule whose second job fails."""
    runs = itertools.count()

    @queue.periodic(every=MINUTE, name="beat", max_retries=0)
    def beat() -> None:
        if next(runs) == 1:
            raise RuntimeError("the second")

    with manual_worker(queue) as worker:
        yield worker


def change(queue: Queue, statement: str) -> None:
    with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as database:
        database.execute(statement)


def row(client: Client) -> str:
    html = page(client, "/schedules")
    return html[html.index("<tbody>") : html.index("</tbody>")]


def test_the_last_results_are_a_strip_that_can_be_heard(
    client: Client, worker: ManualWorker
) -> None:
    for _ in range(3):
        worker.advance(MINUTE)
        worker.run()
    found = re.findall(r'aria-label="([^"]*); the newest last"', row(client))
    assert found == ["Completed, Dead, Completed"]


def test_no_more_than_twelve_are_looked_at(client: Client, worker: ManualWorker) -> None:
    for _ in range(14):
        worker.advance(MINUTE)
        worker.run()
    (heard,) = re.findall(r'aria-label="([^"]*); the newest last"', row(client))
    assert heard.count(",") == 11


def test_the_last_run_says_how_late_it_began_and_how_long_it_ran(
    client: Client, queue: Queue, worker: ManualWorker
) -> None:
    worker.advance(MINUTE)
    worker.run()
    (job,) = queue.list_jobs(task_name=queue.list_periodic()[0]["task_name"])
    change(
        queue,
        "UPDATE job SET claimed_at = fire_time, started_at = fire_time + 400,"
        " finished_at = fire_time + 12500",
    )
    said = words(row(client))
    assert "(+400 ms)" in said
    assert "✓ 12.1 s" in said
    assert job.id in row(client)


def test_a_slot_that_passed_without_a_worker_is_missed(client: Client, queue: Queue) -> None:
    @queue.periodic("0 8 * * 1", name="weekly")
    def weekly() -> None:
        raise NotImplementedError

    with queue._stepping():
        pass
    change(queue, "UPDATE schedule SET next_run = 1763366400000")
    assert "missed 2025-11-17 08:00 (no worker)" in words(row(client))


def test_a_job_that_is_gone_leaves_no_mark(
    client: Client, queue: Queue, worker: ManualWorker
) -> None:
    worker.advance(MINUTE)
    worker.run()
    change(queue, "DELETE FROM job")
    said = words(row(client))
    assert "deleted" in said
    assert "aria-label" not in row(client)

"""What a replay and a retried dead letter take over from the job they repeat."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from taskito import JobNotFoundError, Queue
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker

KEPT = """
    queue task_name payload priority max_retries timeout_ms result_ttl_ms limit_key
""".split()  # noqa: SIM905 - a list of words is read as one


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


def row(queue: Queue, job_id: str) -> dict[str, Any]:
    with closing(sqlite3.connect(queue.db_path)) as connection:
        connection.row_factory = sqlite3.Row
        return dict(connection.execute("SELECT * FROM jobs WHERE id = ?", [job_id]).fetchone())


@pytest.fixture
def source(queue: Queue, worker: ManualWorker) -> str:
    """A dead job with every setting there is; its id."""
    queue.task(name="divide", max_retries=0)(divmod)
    job = queue.enqueue(
        "divide",
        (1, 0),
        priority=-7,
        queue="mail",
        max_retries=0,
        timeout=12.5,
        unique_key="u",
        metadata={"who": "ann"},
        expires=3600,
        result_ttl=7200,
        idempotency_key="i",
        limit_key="l",
        headers={"trace": "x"},
    )
    worker.run()
    assert job.status == "dead"
    return job.id


class TestReplay:
    def test_keeps_the_settings_and_names_its_source(self, queue: Queue, source: str) -> None:
        before, copy = row(queue, source), row(queue, queue.replay(source).id)
        assert {name: copy[name] for name in KEPT} == {name: before[name] for name in KEPT}
        assert copy["metadata"] == f'{{"replayed_from": "{source}"}}'
        assert (copy["status"], copy["retry_count"], copy["error"]) == (0, 0, None)
        for name in ("unique_key", "idempotency_key", "expires_at", "headers"):
            assert copy[name] is None
        assert row(queue, source) == before

    def test_of_any_status(self, queue: Queue, worker: ManualWorker) -> None:
        task = queue.task(name="t")(int)
        done, waiting, cancelled = task.delay(), task.options(delay=60).delay(), task.delay()
        cancelled.cancel()
        worker.run()
        copies = [queue.replay(job.id) for job in (done, waiting, cancelled)]
        assert worker.run() == copies

    def test_the_record_goes_with_the_job(
        self, queue: Queue, worker: ManualWorker, source: str
    ) -> None:
        copy = queue.replay(source)
        queue.replay(copy.id)
        assert len(queue.replay_history(source)) == 1
        with pytest.raises(JobNotFoundError, match="job not found: no id"):
            queue.replay("no id")
        copy.cancel()
        worker.advance(1)
        assert queue.purge_jobs("cancelled", older_than=0) == 1
        assert queue.replay_history(source) == queue.replay_history(copy.id) == []


class TestRetryDead:
    def test_keeps_the_settings_with_metadata_and_headers(self, queue: Queue, source: str) -> None:
        before = row(queue, source)
        (letter,) = queue.dead_letters()
        copy = row(queue, queue.retry_dead(letter["id"]))
        kept = [*KEPT, "metadata", "headers"]
        assert {name: copy[name] for name in kept} == {name: before[name] for name in kept}
        assert (copy["status"], copy["retry_count"], copy["error"]) == (0, 0, None)
        assert (queue.dead_letters(), row(queue, source)) == ([], before)

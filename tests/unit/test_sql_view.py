"""The public SQL view, read by Python's own SQLite."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from taskito import Queue
from tests.support.until import until
from tests.unit.conftest import StartWorker

COLUMNS = (
    "id queue task_name payload status priority created_at scheduled_at started_at completed_at "
    "retry_count max_retries result error timeout_ms unique_key progress metadata "
    "cancel_requested expires_at result_ttl_ms idempotency_key limit_key headers workflow_id "
    "schedule_name fire_time worker_id waiting_on"
)
CODES = {"pending": 0, "running": 1, "completed": 2, "failed": 3, "dead": 4, "cancelled": 5}


@pytest.fixture
def plain(queue: Queue) -> Iterator[sqlite3.Connection]:
    queue.stats()
    with closing(sqlite3.connect(f"file:{queue.db_path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(plain: sqlite3.Connection) -> list[dict[str, object]]:
    return [dict(row) for row in plain.execute("SELECT * FROM jobs ORDER BY id")]


class TestColumns:
    def test_are_the_documented_ones_in_order(self, plain: sqlite3.Connection) -> None:
        cursor = plain.execute("SELECT * FROM jobs")
        assert " ".join(column[0] for column in cursor.description) == COLUMNS

    def test_say_what_the_handle_says(self, queue: Queue, plain: sqlite3.Connection) -> None:
        job = queue.enqueue(
            "t",
            (1,),
            priority=-3,
            delay=60,
            queue="mail",
            max_retries=5,
            timeout=2,
            unique_key="u",
            metadata="m",
            expires=90,
            result_ttl=3600,
            idempotency_key="i",
            headers={"h": "x"},
        )
        queue.update_progress(job.id, 7)
        (row,) = rows(plain)
        facts = job.to_dict()
        shared = facts.keys() & row.keys() - {"status"}
        assert len(shared) == 15
        assert {key: row[key] for key in shared} == {key: facts[key] for key in shared}
        assert queue.serializer.loads(row["payload"]) == ((1,), {})  # type: ignore[arg-type]
        assert row["expires_at"] == job.created_at + 90_000
        assert (row["result_ttl_ms"], row["idempotency_key"]) == (3_600_000, "i")
        assert json.loads(str(row["headers"])) == {"h": "x"}
        assert (row["status"], row["cancel_requested"], row["waiting_on"]) == (0, 0, 0)
        for column in ("started_at", "completed_at", "result", "error", "limit_key"):
            assert row[column] is None
        for column in ("workflow_id", "schedule_name", "fire_time", "worker_id"):
            assert row[column] is None

    def test_ids_are_the_public_ones(self, queue: Queue, plain: sqlite3.Connection) -> None:
        jobs = queue.enqueue_many("t", [()] * 500)
        assert [row["id"] for row in rows(plain)] == [job.id for job in jobs]
        workflow = {row["workflow_id"] for row in rows(plain)}
        assert workflow == {None}
        link = queue.task(name="t")(print)
        last = (link.s() | link.s()).apply()
        first = last.dependencies[0]
        found = plain.execute("SELECT workflow_id, waiting_on FROM jobs WHERE id = ?", (last.id,))
        assert tuple(found.fetchone()) == (first, 1)

    def test_a_running_job_names_its_worker(
        self, queue: Queue, plain: sqlite3.Connection, start_worker: StartWorker
    ) -> None:
        gate = threading.Event()

        @queue.task(name="t")
        def hold() -> None:
            gate.wait(30)

        job = hold.delay()
        start_worker()
        until(lambda: job.status == "running")
        (row,) = rows(plain)
        assert row["worker_id"] == queue.workers()[0]["worker_id"]
        assert row["started_at"] == job.started_at
        assert row["status"] == 1
        gate.set()
        job.result()
        (row,) = rows(plain)
        assert row["worker_id"] is None
        assert queue.serializer.loads(row["result"]) is None  # type: ignore[arg-type]


class TestCount:
    def test_by_status_agrees_with_stats(
        self, queue: Queue, plain: sqlite3.Connection, start_worker: StartWorker
    ) -> None:
        ok = queue.task(name="ok")(print)
        bad = queue.task(name="bad", max_retries=0)(lambda: 1 / 0)
        for task in (ok, ok, bad):
            task.delay()
        queue.enqueue("unknown", delay=60)
        queue.enqueue("unknown", depends_on=[queue.enqueue("unknown").id])
        queue.enqueue("unknown").cancel()
        start_worker()
        until(lambda: queue.stats()["completed"] == 2 and queue.stats()["dead"] == 1)
        counted = dict(
            plain.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall()
        )
        told = {CODES[word]: count for word, count in queue.stats().items() if count}
        assert counted == told == {0: 3, 2: 2, 4: 1, 5: 1}


class TestReadOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM jobs",
            "UPDATE jobs SET priority = 1",
            "INSERT INTO jobs (id) VALUES ('x')",
        ],
    )
    def test_writing_fails(self, queue: Queue, statement: str) -> None:
        job = queue.enqueue("t")
        with closing(sqlite3.connect(queue.db_path)) as connection:
            message = "cannot modify jobs because it is a view"
            with pytest.raises(sqlite3.OperationalError, match=message):
                connection.execute(statement)
        assert job.status == "pending"

    def test_another_process_reads_it_while_workers_write(
        self, queue: Queue, start_worker: StartWorker, tmp_path: Path
    ) -> None:
        task = queue.task(name="t")(lambda: None)
        start_worker()
        jobs = task.map([()] * 200)
        code = (
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1])\n"
            "print(c.execute('SELECT count(*), count(DISTINCT id) FROM jobs').fetchone())"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, queue.db_path],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        assert done.stdout == "(200, 200)\n"
        for job in jobs:
            job.result()

    def test_counting_reads_neither_results_nor_workers(self, plain: sqlite3.Connection) -> None:
        plan = plain.execute(
            "EXPLAIN QUERY PLAN SELECT status, count(*) FROM jobs GROUP BY status"
        ).fetchall()
        assert not [row for row in plan if "job_result" in row["detail"]]
        assert not [row for row in plan if "worker" in row["detail"]]


def test_another_program_that_has_a_jobs_table_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (id)")
    before = path.read_bytes()
    with Queue(path) as queue, pytest.raises(RuntimeError, match=r"theirs\.db"):
        queue.stats()
    assert path.read_bytes() == before

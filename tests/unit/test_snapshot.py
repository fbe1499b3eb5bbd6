"""Copies of a database that is in use."""

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from taskito import Queue, StorageError
from tests.support.until import until
from tests.support.working import working
from tests.unit.conftest import StartWorker


def mode_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


class TestSnapshot:
    def test_is_one_file_that_plain_sqlite_reads(self, queue: Queue, tmp_path: Path) -> None:
        jobs = queue.enqueue_many("t", [()] * 50)
        copies = tmp_path / "copies"
        copies.mkdir()
        path = queue.snapshot(copies / "copy.db")
        assert path == copies / "copy.db"
        assert list(copies.iterdir()) == [path]
        path.chmod(0o400)
        copies.chmod(0o500)
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            ids = connection.execute("SELECT id FROM jobs ORDER BY id").fetchall()
        assert [row[0] for row in ids] == [job.id for job in jobs]
        copies.chmod(0o700)

    def test_is_private_to_its_owner(self, queue: Queue, tmp_path: Path) -> None:
        path = queue.snapshot(os.fspath(tmp_path / "copy.db"))
        assert path.stat().st_mode & 0o777 == 0o600

    def test_goes_on_as_a_database_of_its_own(
        self, queue: Queue, tmp_path: Path, start_worker: StartWorker
    ) -> None:
        job = queue.enqueue("t", (20,))
        path = queue.snapshot(tmp_path / "copy.db")
        assert mode_of(path) == "delete"
        queue.task(name="t")(lambda x: x + 1)
        start_worker()
        assert job.result() == 21
        with Queue(path, workers=1) as copy:
            again = copy.get_job(job.id)
            assert again is not None
            assert again.status == "pending"
            copy.task(name="t")(lambda x: x + 2)
            worker = threading.Thread(target=copy.run_worker)
            worker.start()
            assert again.result() == 22
        worker.join()
        assert mode_of(path) == "wal"
        assert job.result() == 21

    def test_what_ran_and_waited_can_be_held_for_review(
        self, queue: Queue, tmp_path: Path, start_worker: StartWorker
    ) -> None:
        began, end = threading.Event(), threading.Event()

        @queue.task(name="t")
        def wait() -> None:
            began.set()
            end.wait(30)

        running, waiting = wait.delay(), wait.apply_async(delay=1)
        start_worker()
        assert began.wait(30)
        path = queue.snapshot(tmp_path / "copy.db")
        end.set()
        ran = threading.Event()
        with Queue(path, workers=1) as copy:
            copy.task(name="t", max_retries=0)(ran.set)
            copy.pause()
            with working(copy):
                held = copy.get_job(running.id)
                assert held is not None
                until(lambda: held.status == "pending" and copy.stats()["running"] == 0)
                assert [error["error"] for error in held.errors]
                assert copy.cancel_job(running.id)
                assert not ran.is_set()
                copy.resume()
                rest = copy.get_job(waiting.id)
                assert rest is not None
                rest.result(30)
                assert held.status == "cancelled"
        assert ran.is_set()

    def test_of_a_database_in_memory(self, tmp_path: Path) -> None:
        with Queue(":memory:") as queue:
            queue.enqueue("t")
            with Queue(queue.snapshot(tmp_path / "copy.db")) as copy:
                assert copy.stats()["pending"] == 1

    def test_is_a_single_state_while_everybody_writes(
        self, queue: Queue, tmp_path: Path, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t")(lambda: None)
        start_worker()
        done = threading.Event()

        def produce() -> None:
            while not done.is_set():
                task.map([()] * 10)

        producers = [threading.Thread(target=produce) for _ in range(2)]
        for producer in producers:
            producer.start()
        try:
            for number in range(8):
                path = queue.snapshot(tmp_path / f"copy-{number}.db")
                with closing(sqlite3.connect(path)) as connection:
                    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                    ask = "SELECT count(*) FROM jobs"
                    total = connection.execute(ask).fetchone()[0]
                    rows = "SELECT status, count(*) FROM jobs GROUP BY status"
                    counted = dict(connection.execute(rows).fetchall())
                with Queue(path) as copy:
                    stats = copy.stats()
                # Ten jobs come in one transaction: no snapshot has a part of them.
                assert total % 10 == 0
                assert (stats["pending"], stats["running"], stats["completed"]) == tuple(
                    counted.get(code, 0) for code in (0, 1, 2)
                )
        finally:
            done.set()
            for producer in producers:
                producer.join()


class TestName:
    def test_a_file_that_exists_is_left_alone(self, queue: Queue, tmp_path: Path) -> None:
        path = tmp_path / "precious"
        path.write_text("mine")
        with pytest.raises(FileExistsError, match=r"File exists: '.*precious'"):
            queue.snapshot(path)
        assert path.read_text() == "mine"

    def test_it_can_be_replaced(self, queue: Queue, tmp_path: Path) -> None:
        path = tmp_path / "copy.db"
        path.write_text("old")
        (tmp_path / "copy.db-wal").write_text("left over")
        queue.enqueue("t")
        queue.snapshot(path, overwrite=True)
        assert not (tmp_path / "copy.db-wal").exists()
        with Queue(path) as copy:
            assert copy.stats()["pending"] == 1

    def test_the_log_of_another_file_is_in_the_way(self, queue: Queue, tmp_path: Path) -> None:
        (tmp_path / "copy.db-wal").write_text("left over")
        with pytest.raises(FileExistsError, match=r"copy\.db-wal"):
            queue.snapshot(tmp_path / "copy.db")
        assert not (tmp_path / "copy.db").exists()

    def test_the_database_is_never_its_own_snapshot(self, queue: Queue) -> None:
        queue.enqueue("t")
        with pytest.raises(ValueError, match=r"is the database itself\nhint: "):
            queue.snapshot(queue.db_path, overwrite=True)
        assert queue.stats()["pending"] == 1

    def test_nothing_is_left_of_one_that_failed(self, queue: Queue, tmp_path: Path) -> None:
        before = sorted(tmp_path.iterdir())
        queue.stats()
        with pytest.raises(StorageError, match="nowhere"):
            queue.snapshot(tmp_path / "nowhere" / "copy.db")
        (tmp_path / "taken").mkdir()
        with pytest.raises(OSError, match="taken"):
            queue.snapshot(tmp_path / "taken", overwrite=True)
        left = {path.name for path in tmp_path.iterdir()} - {path.name for path in before}
        assert not [name for name in left if name.endswith((".tmp", ".tmp-journal"))]

    def test_descriptors_do_not_pile_up(self, queue: Queue, tmp_path: Path) -> None:
        queue.snapshot(tmp_path / "first.db")
        before = len(list(Path("/proc/self/fd").iterdir()))
        for number in range(5):
            queue.snapshot(tmp_path / f"copy-{number}.db")
        assert len(list(Path("/proc/self/fd").iterdir())) <= before

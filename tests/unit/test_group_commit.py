"""Producers that wait for the database at the same time go through it together."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from taskito import Queue
from tests.support.pins import within

WAL_HEADER, FRAME_HEADER = 32, 24
PRODUCERS = 16


def commits(database: Path) -> int:
    """The number of transactions in the write-ahead log: frames that end one say its size."""
    log = database.with_name(f"{database.name}-wal").read_bytes()
    page = int.from_bytes(log[8:12])
    salt = log[16:24]
    frames = range(WAL_HEADER, len(log) - FRAME_HEADER, FRAME_HEADER + page)
    headers = [log[start : start + FRAME_HEADER] for start in frames]
    return sum(header[4:8] != bytes(4) and header[8:16] == salt for header in headers)


def test_calls_that_wait_at_the_same_time_share_a_commit(tmp_path: Path) -> None:
    database = tmp_path / "jobs.db"
    with Queue(database) as queue:
        queue.enqueue("first")
        before = commits(database)
        for number in range(5):
            queue.enqueue("one by one", [number])
        assert commits(database) == before + 5

        def commits_of_a_crowd() -> int:
            before = commits(database)
            ids: list[str] = []
            producers = [
                threading.Thread(target=lambda: ids.append(queue.enqueue("together").id))
                for _ in range(PRODUCERS)
            ]
            with closing(sqlite3.connect(database, isolation_level=None)) as locking:
                locking.execute("BEGIN IMMEDIATE")
                for producer in producers:
                    producer.start()
                time.sleep(0.3)  # for all of them to come to the lock, which nothing shows
                locking.execute("ROLLBACK")
            for producer in producers:
                producer.join()
            assert len(set(ids)) == PRODUCERS
            return commits(database) - before

        within(PRODUCERS // 2, commits_of_a_crowd)
        assert queue.count_jobs(task_name="together") % PRODUCERS == 0

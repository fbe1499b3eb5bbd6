"""The bare database as a floor: one row per job, a column for its state, and no features.

One transaction per row for single jobs, one per call in bulk. Draining claims 100 rows in one
transaction, runs them one after the other in this process, and stores their results in the
next: what a durable queue cannot do without. The variants are those of taskito: ``full`` syncs
each transaction that enqueues, ``normal`` leaves that to the checkpoint, and the transactions
of the worker are not synced in either.
"""

import pickle
import sqlite3

from benchmarks import jobs
from benchmarks.systems import Place

BATCH = 100
TABLE = """
CREATE TABLE job (
    id INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0, payload BLOB, result BLOB
) STRICT
"""
INDEX = "CREATE INDEX waiting ON job (id) WHERE state = 0"
INSERT = "INSERT INTO job (payload) VALUES (?)"
CLAIM = "SELECT id, payload FROM job WHERE state = 0 ORDER BY id LIMIT ?"
TAKE = "UPDATE job SET state = 1 WHERE id = ?"
STORE = "UPDATE job SET state = 2, result = ? WHERE id = ? AND state = 1"
DONE = "SELECT count(*) FROM job WHERE state = 2"


class Sqlite:
    """See ``System``; it runs jobs only where all of them wait already."""

    workloads = frozenset(("drain", "enqueue", "bulk"))
    scale = 1.0

    def __init__(self, place: Place) -> None:
        self._job = jobs.body(place)
        self._connection = sqlite3.connect(place.directory / "raw.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {place.variant.upper()}")
        self._connection.execute(TABLE)
        self._connection.execute(INDEX)

    def enqueue(self, index: int) -> None:
        self._connection.execute(INSERT, (_payload(index),))

    def enqueue_many(self, indexes: range) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, ((_payload(index),) for index in indexes))
        self._connection.execute("COMMIT")

    def call(self, index: int) -> int:
        raise NotImplementedError(index)

    def start(self) -> None:
        self._connection.execute("PRAGMA synchronous = NORMAL")
        while rows := self._claimed():
            results = [(pickle.dumps(self._run(payload)), id_) for id_, payload in rows]
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(STORE, results)
            self._connection.execute("COMMIT")

    def finish(self, jobs: int) -> None:
        (done,) = self._connection.execute(DONE).fetchone()
        if done != jobs:
            raise RuntimeError(f"{done} jobs are done, not {jobs}")

    def close(self) -> None:
        self._connection.close()

    def _claimed(self) -> list[tuple[int, bytes]]:
        self._connection.execute("BEGIN IMMEDIATE")
        rows = self._connection.execute(CLAIM, (BATCH,)).fetchall()
        self._connection.executemany(TAKE, [(id_,) for id_, _ in rows])
        self._connection.execute("COMMIT")
        return rows

    def _run(self, payload: bytes) -> int:
        args, kwargs = pickle.loads(payload)
        return self._job(*args, **kwargs)


def _payload(index: int) -> bytes:
    return pickle.dumps(((index,), {}))


def connect(place: Place) -> Sqlite:
    return Sqlite(place)


def versions() -> dict[str, str]:
    return {"sqlite3": sqlite3.sqlite_version}

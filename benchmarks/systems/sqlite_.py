"""The bare database as a floor for enqueuing: one row per job, and nobody runs it.

One transaction per row for single jobs, one per call in bulk. The variants are those of
taskito: ``full`` syncs each transaction, ``normal`` leaves that to the checkpoint.
"""

import pickle
import sqlite3

from benchmarks.systems import Place

INSERT = "INSERT INTO job (payload) VALUES (?)"


class Sqlite:
    """See ``System``; it can only enqueue."""

    workloads = frozenset(("enqueue", "bulk"))

    def __init__(self, place: Place) -> None:
        self._connection = sqlite3.connect(place.directory / "raw.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {place.variant.upper()}")
        self._connection.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, payload BLOB) STRICT")

    def enqueue(self, index: int) -> None:
        self._connection.execute(INSERT, (_payload(index),))

    def enqueue_many(self, indexes: range) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, ((_payload(index),) for index in indexes))
        self._connection.execute("COMMIT")

    def call(self, index: int) -> int:
        raise NotImplementedError(index)

    def start(self) -> None:
        raise NotImplementedError

    def finish(self, jobs: int) -> None:
        raise NotImplementedError(jobs)

    def close(self) -> None:
        self._connection.close()


def _payload(index: int) -> bytes:
    return pickle.dumps(((index,), {}))


def connect(place: Place) -> Sqlite:
    return Sqlite(place)


def versions() -> dict[str, str]:
    return {"sqlite3": sqlite3.sqlite_version}

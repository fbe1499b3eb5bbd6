"""A database in which any value may stand anywhere, read as it is by everything that reads."""

import contextlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from taskito import Queue

READS: list[Callable[[Queue], object]] = [
    lambda queue: [
        (job.to_dict(), job.errors, queue.why(job.id), queue.task_logs(job.id))
        for job in queue.list_jobs(limit=9)
    ],
    lambda queue: queue.list_jobs(metadata={"a": "b"}),
    lambda queue: (queue.stats(), queue.list_queues(), queue.workers()),
    lambda queue: (queue.dead_letters(), queue.metrics(), queue.query_logs(), queue.check()),
    lambda queue: (queue.list_periodic(), queue.circuit_breakers()),
]


class Rows:
    """A database with a job of each kind, whose tables have lost their rules."""

    def __init__(self, home: Path) -> None:
        copy = home / "rows.db"
        self._fill(home, copy)
        self._raw = sqlite3.connect(home / "lawless.db", isolation_level=None)
        self._raw.execute("PRAGMA synchronous = OFF")
        self._raw.executescript(_without_rules(copy))
        self._queue = Queue(home / "lawless.db", durability="normal")
        self._places = self._columns()

    @staticmethod
    def _fill(home: Path, copy: Path) -> None:
        with Queue(home / "jobs.db", durability="normal") as queue:
            queue.task(name="note", rate_limit="5/s", circuit_breaker={"threshold": 2})(repr)
            first = queue.enqueue("note", [1], metadata={"a": "b"}, headers={"c": "d"})
            queue.enqueue("note", [2], depends_on=first, limit_key="key")
            queue.enqueue("other", [3], delay=100, unique_key="one", expires=1000)
            queue.set_queue_rate_limit("default", "1/s")
            queue.periodic("0 0 1 1 *", name="yearly")(queue.task(name="yearly")(lambda: None))
            queue.cancel_job(queue.enqueue("note", [4]).id)
            queue.replay(first.id)
            _run_one(queue)
            queue.snapshot(copy)

    def _columns(self) -> list[tuple[str, str]]:
        """Every column of a table that has rows, but for the keys of rows."""
        found = []
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        for (table,) in self._raw.execute(tables).fetchall():
            if self._raw.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone():
                columns = self._raw.execute(f"PRAGMA table_info({table})").fetchall()
                found += [(table, column[1]) for column in columns if not column[5]]
        assert len(found) > 50, found
        return found

    def read_with(self, data: bytes) -> None:
        """Write a value into some column of all rows, read everything, and put it back."""
        # The input itself says which column, and as what kind of value it is written.
        table, column = self._places[sum(data) % len(self._places)]
        value = self._value(data)
        self._raw.execute("BEGIN")
        kept = self._raw.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall()
        try:
            self._raw.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = ?', [value])
            self._raw.execute("COMMIT")
            for read in READS:
                read(self._queue)
        finally:
            for rowid, old in kept:
                self._raw.execute(
                    f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', [old, rowid]
                )

    @staticmethod
    def _value(data: bytes) -> object:
        try:
            number = int(data)
        except ValueError:
            number = 2**63
        if -(2**63) <= number < 2**63:
            return number
        if len(data) % 3 == 0:
            return data
        return data.decode("utf-8", "replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._queue.close()
        self._raw.close()


def _without_rules(file: Path) -> str:
    """Return a database as text, without types, checks and triggers."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        statements = [f"PRAGMA user_version = {version};"]
        for statement in connection.iterdump():
            if statement.startswith("CREATE TABLE"):
                free = re.sub(
                    r"\) (STRICT|WITHOUT ROWID)(, (STRICT|WITHOUT ROWID))?", ")", statement
                )
                free = re.sub(r"(TEXT|INTEGER|BLOB|REAL) NOT NULL", r"\1", free)
                statements.append(free.replace("CHECK (", "CHECK (1 OR "))
            elif not statement.startswith("CREATE TRIGGER"):
                statements.append(statement)
    return "\n".join(statements)


def _run_one(queue: Queue) -> None:
    """Run what is due without a worker of its own."""
    with queue._stepping() as worker:
        worker.tick()
        while worker.run_next():
            pass

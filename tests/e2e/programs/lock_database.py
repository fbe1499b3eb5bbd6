"""Hold the write lock of the database with Python's own SQLite until a gate opens.

Usage: lock_database.py GATE
"""

import sqlite3
import sys

from tests.e2e.programs.workshop import marks, queue, wait_at


def main(gate: str) -> None:
    connection = sqlite3.connect(queue.db_path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    marks.leave("locked")
    wait_at(gate)
    connection.execute("ROLLBACK")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

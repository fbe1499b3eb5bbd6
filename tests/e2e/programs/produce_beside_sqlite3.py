"""A producer whose process also uses the same file through Python's own SQLite.

One thread opens, reads and closes it all the time, another one writes a table of its own.

Usage: produce_beside_sqlite3.py NAME JOBS
"""

import sqlite3
import sys
import threading
from contextlib import closing

from tests.e2e.programs.workshop import marks, note, queue


def look_until(over: threading.Event) -> None:
    looks = 0
    while not over.is_set():
        with closing(sqlite3.connect(queue.db_path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        looks += 1
    marks.leave("looked", str(looks))


def write_until(over: threading.Event) -> None:
    with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visitors (number INTEGER)")
    writes = 0
    while not over.wait(0.02):
        with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as connection:
            connection.execute("INSERT INTO visitors VALUES (?)", (writes,))
        writes += 1
    marks.leave("wrote", str(writes))


def main(name: str, jobs: str) -> None:
    queue.stats()
    over = threading.Event()
    visitors = [threading.Thread(target=visit, args=(over,)) for visit in (look_until, write_until)]
    for visitor in visitors:
        visitor.start()
    try:
        ids = [note.delay(f"{name}/{number}").id for number in range(int(jobs))]
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()
    for number, job_id in enumerate(ids):
        marks.leave("ack", f"{name}/{number}", job_id)


if __name__ == "__main__":
    main(*sys.argv[1:])

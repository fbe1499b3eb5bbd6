"""A producer whose process opens and closes the same file with Python's own SQLite.

Usage: produce_beside_sqlite3.py NAME JOBS
"""

import sqlite3
import sys
import threading
from contextlib import closing

from tests.e2e.programs.workshop import marks, note, queue

LOOKERS = 2


def look_until(over: threading.Event) -> None:
    looks = 0
    while not over.is_set():
        with closing(sqlite3.connect(queue.db_path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        looks += 1
    marks.leave("looked", str(looks))


def main(name: str, jobs: str) -> None:
    queue.stats()
    over = threading.Event()
    readers = [threading.Thread(target=look_until, args=(over,)) for _ in range(LOOKERS)]
    for reader in readers:
        reader.start()
    try:
        ids = [note.delay(f"{name}/{number}").id for number in range(int(jobs))]
    finally:
        over.set()
        for reader in readers:
            reader.join()
    for number, job_id in enumerate(ids):
        marks.leave("ack", f"{name}/{number}", job_id)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A producer whose process opens and closes the same file with Python's own SQLite.

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
            connection.execute("SELECT count(*) FROM jobs").fetchone()
        looks += 1
    marks.leave("looked", str(looks))


def main(name: str, jobs: str) -> None:
    queue.stats()
    over = threading.Event()
    reader = threading.Thread(target=look_until, args=(over,))
    reader.start()
    try:
        for number in range(int(jobs)):
            token = f"{name}/{number}"
            job = note.delay(token)
            marks.leave("ack", token, job.id)
    finally:
        over.set()
        reader.join()


if __name__ == "__main__":
    main(*sys.argv[1:])

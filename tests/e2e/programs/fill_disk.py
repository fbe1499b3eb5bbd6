"""Enqueue on a small file system until it is full, make room, and go on.

Usage: fill_disk.py FOLDER
"""

import sys
import time
from pathlib import Path

from taskito import Queue, StorageError


def fill(queue: Queue, acknowledged: list[str]) -> StorageError:
    """Enqueue until the disk is full; return the error of the last call."""
    try:
        while True:
            acknowledged.append(queue.enqueue("note", ["x" * 10_000]).id)
    except StorageError as error:
        return error


def main(folder: str) -> None:
    ballast = Path(folder) / "ballast"
    ballast.write_bytes(b"x" * 400_000)
    queue = Queue(Path(folder) / "jobs.db")
    acknowledged: list[str] = []
    begin = time.monotonic()
    error = str(fill(queue, acknowledged))
    assert time.monotonic() - begin < 20, "the error came late"
    assert "space" in error, error
    assert queue.db_path in error, error
    assert len(acknowledged) > 10, acknowledged
    assert queue.stats()["pending"] == len(acknowledged)
    ballast.unlink()
    acknowledged.append(queue.enqueue("note", ["y"]).id)
    assert all(queue.get_job(job_id) for job_id in acknowledged)
    assert queue.stats()["pending"] == len(acknowledged)
    queue.close()
    print(f"{len(acknowledged)} jobs")


if __name__ == "__main__":
    main(*sys.argv[1:])

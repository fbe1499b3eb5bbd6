"""Run a job on a small file system that is full when the job ends, then make room.

Usage: fill_disk_under_worker.py FOLDER
"""

import logging
import sys
import threading
from pathlib import Path

from taskito import Queue, StorageError
from tests.support.until import until

# More than the log of so small a database has room for: it grows by 256 KiB, once or twice.
RESULT = "r" * 700_000


class Complaints(logging.Handler):
    """What the worker says about its database."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if "the database can" in record.getMessage():
            self.lines.append(record.getMessage())


def main(folder: str) -> None:
    ballast = Path(folder) / "ballast"
    queue = Queue(Path(folder) / "jobs.db", workers=1)
    runs: list[int] = []
    gate = threading.Event()
    complaints = Complaints()
    logging.getLogger("taskito").addHandler(complaints)

    @queue.task(name="produce")
    def produce(_more: str = "") -> str:
        runs.append(1)
        gate.wait(30)
        return RESULT

    job = produce.delay()
    worker = threading.Thread(target=queue.run_worker)
    worker.start()
    until(lambda: runs)
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    gate.set()
    until(lambda: len(complaints.lines) == 1)
    assert "no space left" in complaints.lines[0], complaints.lines
    assert job.status == "running"
    try:
        produce.delay(RESULT)  # a small one may fit into what the log has taken already
    except StorageError as error:
        assert "space" in str(error), error  # noqa: PT017 - no test function
    else:
        raise AssertionError("the disk is not full")

    ballast.unlink()
    assert job.result(timeout=30) == RESULT
    assert job.errors == []
    assert len(runs) == 1, "the finished job was run again"
    until(lambda: len(complaints.lines) == 2)
    assert "can be used again" in complaints.lines[1], complaints.lines
    assert produce.delay().result(timeout=30) == RESULT
    queue.shutdown()
    worker.join(30)
    assert not worker.is_alive()
    queue.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Files that are damaged, unreachable or of another release: the documented error or the truth."""

import contextlib
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from taskito import JobNotFoundError, Queue, StorageError
from tests.support.working import working

FILES = Path(__file__).parent / "files"
FLIPPED = 60
"""Damaged copies that are looked at."""


def sound_file(home: Path) -> bytes:
    """A database in one file, with a bit of everything in it."""
    with Queue(home / "jobs.db") as queue:
        for number in range(100):
            queue.enqueue(
                "note",
                ["x" * (number * 13 % 700)],
                metadata={"number": number},
                headers={"number": str(number)},
                unique_key=f"one {number}",
                delay=number % 3,
            )
        queue.cancel_job(queue.list_jobs(limit=1)[0].id)
        return queue.snapshot(home / "copy.db").read_bytes()


def look_at_everything(queue: Queue) -> None:
    for job in queue.list_jobs(limit=200):
        job.to_dict()
        with contextlib.suppress(JobNotFoundError):  # an id may have been hit as well
            queue.why(job.id)
        queue.job_errors(job.id)
        queue.task_logs(job.id)


CALLS: list[Callable[[Queue], object]] = [
    Queue.stats,
    look_at_everything,
    Queue.list_queues,
    Queue.stats_by_queue,
    Queue.check,
    Queue.dead_letters,
    Queue.metrics,
    Queue.workers,
    lambda queue: queue.count_jobs(metadata={"number": 3}),
    lambda queue: queue.enqueue("note", ["new"]),
    lambda queue: queue.cancel_job(queue.list_jobs(limit=1)[0].id),
    lambda queue: queue.purge_completed(older_than=0),
]


def is_refused(call: Callable[[Queue], object], queue: Queue) -> bool:
    """Whether a call says that the file is damaged; anything else must not be said."""
    complaint = ""
    try:
        call(queue)
    except StorageError as error:
        complaint = str(error)
    except IndexError:  # no job is left in the listing
        pass
    assert not complaint or queue.db_path in complaint
    return bool(complaint)


def test_flipped_bits_are_an_error_or_do_no_harm(tmp_path: Path) -> None:
    sound = sound_file(tmp_path)
    draw = random.Random(7)
    outcomes = {"answered": 0, "refused": 0}
    for number in range(FLIPPED):
        damaged = bytearray(sound)
        for _ in range(draw.choice([1, 1, 10, 100])):
            # The first page holds the schema: damage there refuses the whole file.
            first = 0 if draw.random() < 0.1 else 4096
            damaged[draw.randrange(first, len(damaged))] ^= 1 << draw.randrange(8)
        path = tmp_path / f"{number}" / "jobs.db"
        path.parent.mkdir()
        path.write_bytes(damaged)
        with Queue(path) as queue:
            for call in CALLS:
                outcomes["refused" if is_refused(call, queue) else "answered"] += 1
        shutil.rmtree(path.parent)
    assert min(outcomes.values()) > FLIPPED, outcomes


@pytest.mark.parametrize("filling", [b"\xff", b"\x7f", b"\0", b"rubbish"])
def test_rubbish_in_the_files_beside_the_database_does_no_harm(
    tmp_path: Path, filling: bytes
) -> None:
    path = tmp_path / "jobs.db"
    with Queue(path) as queue:
        first = queue.enqueue("note", ["first"]).id
    for name in ("jobs.db-bell", "jobs.db-live", "jobs.db-worker-1", "jobs.db-shm"):
        (tmp_path / name).write_bytes(filling * (8192 // len(filling)))
    with Queue(path, workers=1) as queue:
        note = queue.task(name="note")(lambda text: text)
        second = note.delay("second")
        assert second.id > first
        with working(queue):
            assert second.result(timeout=30) == "second"  # after the first
            assert queue.stats() == dict.fromkeys(queue.stats(), 0) | {"completed": 2}


@pytest.mark.parametrize(
    "impossible", ["/proc/taskito/jobs.db", "/dev/null/jobs.db", "/sys/jobs.db"]
)
def test_an_impossible_path_is_refused_by_name_within_a_second(impossible: str) -> None:
    taken = []
    for _ in range(3):
        begin = time.monotonic()
        with Queue(impossible) as queue, pytest.raises(StorageError, match=impossible):
            queue.enqueue("note", ["x"])
        taken.append(time.monotonic() - begin)
    assert min(taken) < 1


@pytest.mark.parametrize("file", sorted(FILES.glob("schema_*.sql")), ids=lambda file: file.stem)
def test_a_file_of_an_earlier_release_is_opened_and_its_jobs_run(
    tmp_path: Path, file: Path
) -> None:
    path = tmp_path / "jobs.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(file.read_text(encoding="utf-8"))
    with Queue(path, workers=1) as queue:
        assert queue.stats() == {
            **dict.fromkeys(("running", "failed"), 0),
            **dict.fromkeys(("completed", "dead", "cancelled"), 1),
            "pending": 3,
        }
        pending = {job.id: job for job in queue.list_jobs(status="pending")}
        complete, *_ = queue.list_jobs(status="complete")
        assert complete.result(timeout=0) == "complete"
        (letter,) = queue.dead_letters()
        assert "ValueError" in letter["error"]
        queue.task(name="note")(lambda text: text)
        with working(queue):
            results = {job.result(timeout=30) for job in pending.values()}
        assert results == {"pending", "blocked", "scheduled"}
        assert queue.check() == []

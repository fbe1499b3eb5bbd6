"""Forks, other SQLite libraries, a full disk, a locked file: nothing is lost or damaged."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from taskito import StorageError
from tests.support.mounts import SMALL, run_mounted
from tests.support.pins import within
from tests.support.processes import PROGRAMS, STARTING, Site, open_site
from tests.support.until import until

CHECK = """
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0])
"""


def assert_every_ack_completed_once(site: Site) -> None:
    site.wait_until_settled(within=STARTING)
    acks = site.marks.all("ack")
    assert len({ack.job_id for ack in acks}) == len(acks)
    for ack in acks:
        job = site.queue.get_job(ack.job_id)
        assert job is not None, f"{ack} is lost"
        assert job.result(timeout=0) == ack.token
    assert Counter(site.marks.tokens("start")) == dict.fromkeys((ack.token for ack in acks), 1)
    check = [sys.executable, "-c", CHECK, str(site.database)]
    assert subprocess.run(check, capture_output=True, check=True, text=True).stdout == "ok\n"


@pytest.mark.parametrize("threads", [0, 3])
@pytest.mark.parametrize("end", ["wait", "leave"])
def test_parent_and_children_of_a_fork_lose_nothing_also_amid_calls_of_other_threads(
    site: Site, threads: int, end: str
) -> None:
    site.ready_worker(workers=2)
    producer = site.script("produce_and_fork", str(threads), "4", "20", end)
    assert producer.wait(STARTING) == 0
    assert producer.err == ""
    site.marks.wait("child over", count=4, within=STARTING)
    assert len(site.marks.all("ack")) == 1 + 20 * (threads + 1 + 4) + 1
    assert_every_ack_completed_once(site)


def test_a_child_that_a_task_forked_may_enqueue(site: Site) -> None:
    site.ready_worker(workers=3)
    jobs = site.queue.enqueue_many("fork_and_enqueue", [(f"{n}",) for n in range(10)])
    others = site.queue.enqueue_many("work", [(f"other {n}", 0.002) for n in range(100)])
    site.wait_until_settled(within=STARTING)
    assert [job.result(timeout=0) for job in jobs] == ["0"] * 10
    assert all(job.status == "complete" for job in others)
    acks = site.marks.all("ack")
    assert len(acks) == 10
    for ack in acks:
        job = site.queue.get_job(ack.job_id)
        assert job is not None
        assert job.result(timeout=0) == ack.token


def test_a_child_that_returns_from_a_task_neither_settles_nor_claims_jobs(site: Site) -> None:
    worker = site.ready_worker()
    gate = site.gate()
    job = site.queue.enqueue("fork_and_return", ["forked", str(gate)])
    child = site.marks.wait("child returns", "forked")
    second = site.queue.enqueue("note", ["second"])
    assert second.wait(timeout=0.5) is False
    assert job.status == "running"
    gate.unlink()
    assert job.result(timeout=30) == f"the result of {worker.pid}"
    assert second.result(timeout=30) == "second"
    assert {mark.pid for mark in site.marks.all("start")} == {worker.pid}
    assert child.pid != worker.pid
    worker.send(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_another_sqlite_library_in_the_producers_does_no_harm(tmp_path: Path) -> None:
    # Without the flushes there are more commits for the other library to disturb.
    with open_site(tmp_path, durability="normal") as site:
        producers = [site.script("produce_beside_sqlite3", f"p{n}", "800") for n in range(4)]
        assert [producer.wait(STARTING) for producer in producers] == [0] * 4
        assert [producer.err for producer in producers] == [""] * 4
        assert len(site.marks.all("ack")) == 3200
        assert all(int(looks) > 10 for looks in site.marks.tokens("looked"))
        written = sum(int(writes) for writes in site.marks.tokens("wrote"))
        assert written > 4
        with closing(sqlite3.connect(site.database)) as connection:
            assert connection.execute("SELECT count(*) FROM visitors").fetchone() == (written,)
        lost = [ack for ack in site.marks.all("ack") if site.queue.get_job(ack.job_id) is None]
        assert len(lost) == 0
        site.worker(workers=2)
        assert_every_ack_completed_once(site)


def test_a_full_disk_is_an_error_that_passes_when_there_is_room_again(site: Site) -> None:
    folder = site.home / "small"
    folder.mkdir()
    run_mounted(SMALL, folder, "-m", f"{PROGRAMS}.fill_disk", str(folder))


def test_a_locked_file_is_an_error_within_ten_seconds_and_a_finished_job_is_not_run_again(
    site: Site,
) -> None:
    worker = site.ready_worker()
    gate, lock = site.gate(), site.gate("lock")
    job = site.queue.enqueue("hold", ["held", str(gate)])
    site.marks.wait("start", "held")
    site.script("lock_database", str(lock))
    site.marks.wait("locked", within=STARTING)
    gate.unlink()
    site.marks.wait("end", "held")

    def refusal() -> float:
        begin = time.monotonic()
        with pytest.raises(StorageError, match="locked"):
            site.queue.enqueue("note", ["refused"])
        return time.monotonic() - begin

    assert within(10, refusal, rounds=3) > 4
    assert job.status == "running"
    until(lambda: "the database cannot be used" in worker.err)

    lock.unlink()
    assert str(job.result(timeout=30)).startswith("held by ")
    assert site.queue.enqueue("note", ["accepted"]).result(timeout=30) == "accepted"
    assert site.marks.tokens("start") == ["held", "accepted"]
    assert job.errors == []
    assert worker.err.count("the database cannot be used") == 1
    assert worker.err.count("the database can be used again") == 1

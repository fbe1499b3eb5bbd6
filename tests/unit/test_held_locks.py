"""How long a named lock is held: renewals, losses, ends, forks; and locks in tasks."""

import ctypes
import functools
import logging
import multiprocessing
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from taskito import Queue, QueueClosedError, StorageError
from taskito.lock import Lock
from tests.support.until import until
from tests.unit.conftest import StartWorker

# Renewals go by the clock of the machine here, which no test can step: what they show is that a
# real thread renews. When it does is shown by a stepped clock in the engine's tests/keeper.rs.
TTL = 3.0
"""Two thirds of it are a longer standstill than a busy machine should make."""


class TestRenew:
    def test_it_is_kept_beyond_its_ttl(self, queue: Queue) -> None:
        with queue.lock("a", ttl=TTL) as lock, Queue(queue.db_path) as other:
            end = time.monotonic() + 1.5 * TTL
            while time.monotonic() < end:
                assert lock.held
                assert not other.lock("a", timeout=0.05).acquire()

    def test_it_is_kept_while_nobody_gets_the_interpreter(self, queue: Queue) -> None:
        sleep_with_the_interpreter = ctypes.PyDLL(None).poll
        with queue.lock("a", ttl=TTL) as lock:
            sleep_with_the_interpreter(None, 0, round(1500 * TTL))
            assert lock.held

    def test_one_thread_renews_all(self, queue: Queue) -> None:
        def threads() -> int:
            names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
            return names.count("taskito-locks")

        locks = [queue.lock(f"lock {number}", ttl=TTL) for number in range(20)]
        before = threads()
        assert all(lock.acquire() for lock in locks)
        until(lambda: threads() == before + 1)
        time.sleep(1.5 * TTL)
        assert threads() == before + 1
        assert all(lock.held for lock in locks)
        for lock in locks:
            lock.release()
        until(lambda: threads() == before)


class TestLose:
    def lose(self, queue: Queue) -> None:
        """Remove every lock as if another holder had come and gone."""
        with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as connection:
            assert connection.execute("DELETE FROM lock").rowcount == 1

    def test_a_lost_lock_is_not_held_and_its_release_warns(
        self, queue: Queue, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "taskito.lock"), queue.lock("a", ttl=0.3) as lock:
            self.lose(queue)
            until(lambda: not lock.held)
            assert queue.lock("a", timeout=0).acquire()
        assert "lock 'a' was lost before it was released: it was not renewed for 0.3 s" in (
            caplog.text
        )

    def test_the_next_holder_is_not_disturbed_by_a_late_release(self, queue: Queue) -> None:
        late = queue.lock("a", ttl=0.3)
        late.acquire()
        self.lose(queue)
        with queue.lock("a") as lock:
            late.release()
            assert lock.held
            assert lock.fence > late.fence
            assert not queue.lock("a", timeout=0).acquire()

    def test_a_lost_lock_can_be_acquired_again_by_the_same_object(self, queue: Queue) -> None:
        lock = queue.lock("a", ttl=0.3)
        lock.acquire()
        first = lock.fence
        self.lose(queue)
        assert lock.acquire()
        assert lock.held
        assert lock.fence > first

    def test_an_unusable_database_is_a_storage_error(self, tmp_path: Path) -> None:
        (tmp_path / "jobs.db").write_text("no database at all\n" * 100)
        with Queue(tmp_path / "jobs.db") as queue, pytest.raises(StorageError):
            queue.lock("a").acquire()


class TestClose:
    def test_closing_gives_locks_back_and_ends_their_use(self, queue: Queue) -> None:
        lock = queue.lock("a", ttl=60)
        lock.acquire()
        queue.close()
        assert not lock.held
        with Queue(queue.db_path) as other:
            assert other.lock("a", timeout=0).acquire()
        lock.release()
        with pytest.raises(QueueClosedError, match="is closed"):
            lock.acquire()
        with pytest.raises(QueueClosedError, match="is closed"):
            queue.lock("b").acquire()

    def test_a_queue_may_be_closed_within_the_block(
        self, queue: Queue, caplog: pytest.LogCaptureFixture
    ) -> None:
        with queue.lock("a"):
            queue.close()
        assert caplog.records == []


def release(lock: Lock) -> bool:
    lock.release()
    return not lock.held


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
class TestFork:
    def in_child(self, check: Callable[[], bool]) -> bool:
        child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(not check()))
        child.start()
        child.join(30)
        return child.exitcode == 0

    def test_a_child_does_not_hold_what_its_parent_holds(self, queue: Queue) -> None:
        with queue.lock("a", ttl=TTL) as lock:
            assert self.in_child(lambda: not lock.held)
            assert self.in_child(lambda: not queue.lock("a", timeout=0).acquire())
            assert self.in_child(functools.partial(release, lock))
            assert lock.held
            time.sleep(1.5 * TTL)
            assert lock.held
            assert not queue.lock("a", timeout=0).acquire()

    def test_a_child_holds_and_renews_its_own(self, queue: Queue) -> None:
        def hold() -> bool:
            with queue.lock("b", ttl=TTL, timeout=30) as lock:
                time.sleep(1.5 * TTL)
                return lock.held

        with queue.lock("a"):
            assert self.in_child(hold)
            assert queue.lock("b", timeout=0).acquire()

    def test_the_lock_of_a_child_that_ended_lapses(self, queue: Queue) -> None:
        assert self.in_child(lambda: queue.lock("b", ttl=0.3).acquire())
        assert queue.lock("b", timeout=30).acquire()


class TestTasks:
    def test_jobs_of_a_worker_exclude_each_other(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        inside: list[int] = []

        @queue.task(name="alone")
        def alone() -> int:
            with queue.lock("alone", timeout=30):
                inside.append(1)
                time.sleep(0.01)
                most = len(inside)
                inside.pop()
                return most

        start_worker(workers=4)
        assert [job.result(30) for job in alone.map([()] * 12)] == [1] * 12

    def test_in_test_mode_locks_live_in_memory(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "jobs.db")

        @queue.task(name="alone")
        def alone() -> tuple[bool, bool]:
            with queue.lock("a") as lock:
                return lock.held, queue.lock("a", timeout=0).acquire()

        with queue.test_mode() as results:
            alone.delay()
            outside = queue.lock("b")
            outside.acquire()
        assert results[0].return_value == (True, False)
        assert not outside.held
        outside.release()
        assert list(tmp_path.iterdir()) == []

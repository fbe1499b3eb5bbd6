"""Named locks: ``Queue.lock``."""

import ctypes
import functools
import logging
import multiprocessing
import os
import pickle
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskito import LockNotAcquiredError, Queue, QueueClosedError, StorageError
from taskito.lock import Lock
from tests.support.until import until
from tests.unit.conftest import StartWorker

TTL = 1.2
"""A third of it is a longer standstill than a busy machine should make."""


class TestTerms:
    @pytest.mark.parametrize(
        ("arguments", "error", "match"),
        [
            ((1,), TypeError, "name must be a str, got 1"),
            ((None,), TypeError, "name must be a str, got None"),
            (("",), ValueError, "name is empty\nhint: a lock is known by its name"),
            (("a", 0), ValueError, r"ttl must be at least 0\.001 seconds, got 0"),
            (("a", 0.0001), ValueError, r"ttl must be at least 0\.001 seconds, got 0\.0001"),
            (("a", -1), ValueError, "ttl must not be negative, got -1"),
            (("a", None), TypeError, "ttl must be seconds"),
            (("a", "30"), TypeError, "ttl must be seconds"),
            (("a", True), TypeError, "ttl must be seconds"),
            (("a", float("inf")), ValueError, "ttl must be finite"),
            (("a", 30, -0.1), ValueError, "timeout must not be negative"),
            (("a", 30, float("nan")), ValueError, "timeout must be finite"),
            (("a", 30, "1"), TypeError, "timeout must be seconds"),
        ],
    )
    def test_a_bad_value_is_named_by_both_kinds(
        self, queue: Queue, arguments: tuple[Any, ...], error: type[Exception], match: str
    ) -> None:
        for make in (queue.lock, queue.alock):
            with pytest.raises(error, match=match):
                make(*arguments)

    def test_making_one_opens_nothing(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "new.db")
        lock = queue.lock("a")
        assert not lock.held
        assert (lock.name, lock.fence) == ("a", 0)
        lock.release()
        assert list(tmp_path.iterdir()) == []

    def test_durations_may_be_timedeltas(self, queue: Queue) -> None:
        assert queue.lock("a", timedelta(seconds=1), timedelta()).acquire()


class TestHold:
    def test_there_is_one_holder(self, queue: Queue) -> None:
        with queue.lock("a") as lock:
            assert lock.held
            assert repr(lock) == f"<Lock 'a' held, fence {lock.fence}>"
            assert not queue.lock("a", timeout=0).acquire()
            assert queue.lock("b", timeout=0).acquire()
        assert not lock.held
        assert repr(lock) == "<Lock 'a' not held>"
        assert queue.lock("a", timeout=0).acquire()

    def test_queue_objects_on_one_file_exclude_each_other(self, queue: Queue) -> None:
        with Queue(queue.db_path) as other, queue.lock("a"):
            assert not other.lock("a", timeout=0).acquire()

    def test_a_database_in_memory_has_locks_of_its_own(self) -> None:
        with Queue(":memory:") as one, Queue(":memory:") as other:
            with one.lock("a") as lock:
                assert not one.lock("a", timeout=0).acquire()
                assert other.lock("a", timeout=0).acquire()
            assert not lock.held

    def test_it_is_not_re_entrant(self, queue: Queue) -> None:
        lock = queue.lock("a", timeout=0.01)
        assert lock.acquire()
        assert not lock.acquire()
        assert lock.held

    def test_a_release_too_many_does_nothing(
        self, queue: Queue, caplog: pytest.LogCaptureFixture
    ) -> None:
        lock = queue.lock("a")
        lock.acquire()
        lock.release()
        with queue.lock("a") as other:
            lock.release()
            assert other.held
        assert caplog.records == []

    def test_an_exception_in_the_block_gives_it_back(self, queue: Queue) -> None:
        with pytest.raises(ZeroDivisionError), queue.lock("a") as lock:
            raise ZeroDivisionError
        assert not lock.held
        assert queue.lock("a", timeout=0).acquire()

    def test_names_are_any_text(self, queue: Queue) -> None:
        names = ["a", "A", " a", "é", "x" * 10_000, "with\0zero", "'; DROP TABLE lock; --"]
        for name in names:
            assert queue.lock(name, timeout=0).acquire()
        for name in names:
            assert not queue.lock(name, timeout=0).acquire()


class TestFence:
    def test_it_grows_with_each_acquisition(self, queue: Queue) -> None:
        lock = queue.lock("a", ttl=0.05)
        fences = []
        for _ in range(5):
            with lock:
                fences.append(lock.fence)
            assert lock.fence == fences[-1]
        assert fences == sorted(set(fences))
        with queue.lock("b") as other:
            assert other.fence > fences[-1]

    def test_it_does_not_go_down_when_the_database_is_opened_anew(self, tmp_path: Path) -> None:
        fences = []
        for _ in range(3):
            with Queue(tmp_path / "jobs.db") as queue, queue.lock("a") as lock:
                fences.append(lock.fence)
        assert fences == sorted(set(fences))


class TestWait:
    def test_the_deadline_raises(self, queue: Queue) -> None:
        with queue.lock("a"):
            started = time.monotonic()
            with (
                pytest.raises(
                    LockNotAcquiredError, match=r"'a' was not acquired within 0\.1 s\nhint: wait"
                ) as caught,
                queue.lock("a", timeout=0.1),
            ):
                pass
            assert time.monotonic() - started >= 0.1
            with pytest.raises(TimeoutError, match="lock 'a' is held by somebody else"):
                queue.lock("a", timeout=0).__enter__()
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)

    def test_who_waits_is_woken_when_it_is_given_back(self, queue: Queue) -> None:
        got = threading.Event()
        held = queue.lock("a")
        held.acquire()

        def wait() -> float:
            with queue.lock("a"):
                got.set()
                return time.monotonic()

        # A look each second would be half a second late on average.
        late = []
        with ThreadPoolExecutor() as pool:
            for _ in range(5):
                got.clear()
                waiting = pool.submit(wait)
                assert not got.wait(0.05)
                released = time.monotonic()
                held.release()
                late.append(waiting.result(5) - released)
                held.acquire()
            held.release()
        assert sorted(late)[2] < 0.25, late

    def test_of_many_each_has_it_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "jobs.db"
        inside: list[int] = []
        most: list[int] = []
        fences: list[int] = []

        def work() -> None:
            with Queue(path, durability="normal") as queue:
                for _ in range(10):
                    with queue.lock("a") as lock:
                        inside.append(1)
                        most.append(len(inside))
                        fences.append(lock.fence)
                        inside.pop()

        with ThreadPoolExecutor(6) as pool:
            for done in [pool.submit(work) for _ in range(6)]:
                done.result(25)
        assert most == [1] * 60
        assert fences == sorted(set(fences))

    def test_closing_the_queue_ends_the_wait(self, queue: Queue) -> None:
        with Queue(queue.db_path) as other, other.lock("a"), ThreadPoolExecutor() as pool:
            waiting = pool.submit(queue.lock("a").acquire)
            assert not waiting.done()
            queue.close()
            with pytest.raises(QueueClosedError):
                waiting.result(5)

    def test_an_interrupted_wait_holds_nothing(self, queue: Queue) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            with queue.lock("a"):
                signal.setitimer(signal.ITIMER_REAL, 0.1)
                with pytest.raises(KeyboardInterrupt):
                    queue.lock("a").acquire()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert queue.lock("a", timeout=0).acquire()

    def test_an_exception_right_after_the_commit_gives_it_back(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def strike(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Lock, "_holds", strike)
            with pytest.raises(KeyboardInterrupt):
                queue.lock("a").acquire()
        assert queue.lock("a", timeout=0).acquire()


class TestRenew:
    def test_it_is_kept_beyond_its_ttl(self, queue: Queue) -> None:
        with queue.lock("a", ttl=TTL) as lock, Queue(queue.db_path) as other:
            end = time.monotonic() + 2 * TTL
            while time.monotonic() < end:
                assert lock.held
                assert not other.lock("a", timeout=0.05).acquire()

    def test_it_is_kept_while_nobody_gets_the_interpreter(self, queue: Queue) -> None:
        sleep_with_the_interpreter = ctypes.PyDLL(None).poll
        with queue.lock("a", ttl=TTL) as lock:
            sleep_with_the_interpreter(None, 0, round(2000 * TTL))
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
        child.join(10)
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
            with queue.lock("b", ttl=TTL, timeout=5) as lock:
                time.sleep(1.5 * TTL)
                return lock.held

        with queue.lock("a"):
            assert self.in_child(hold)
            assert queue.lock("b", timeout=0).acquire()

    def test_the_lock_of_a_child_that_ended_lapses(self, queue: Queue) -> None:
        assert self.in_child(lambda: queue.lock("b", ttl=0.3).acquire())
        assert queue.lock("b", timeout=5).acquire()


class TestTasks:
    def test_jobs_of_a_worker_exclude_each_other(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        inside: list[int] = []

        @queue.task(name="alone")
        def alone() -> int:
            with queue.lock("alone", timeout=10):
                inside.append(1)
                time.sleep(0.01)
                most = len(inside)
                inside.pop()
                return most

        start_worker(workers=4)
        assert [job.result(10) for job in alone.map([()] * 12)] == [1] * 12

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

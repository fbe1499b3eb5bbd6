"""Named locks: ``Queue.lock``."""

import pickle
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskito import LockNotAcquiredError, Queue, QueueClosedError
from taskito.lock import Lock
from tests.support.pins import median_within


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

        with ThreadPoolExecutor() as pool:

            def lateness() -> float:
                got.clear()
                waiting = pool.submit(wait)
                assert not got.wait(0.05)
                released = time.monotonic()
                held.release()
                late = waiting.result(30) - released
                held.acquire()
                return late

            # A look each second would be half a second late on average.
            median_within(0.25, lateness, samples=5)
            held.release()

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
                waiting.result(30)

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

"""Named locks for coroutines: ``Queue.alock``."""

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from taskito import LockNotAcquiredError, Queue, QueueClosedError
from taskito.lock import AsyncLock
from tests.support.pins import median_within
from tests.support.until import until


@asynccontextmanager
async def watched_loop(longest: float = 0.01) -> AsyncGenerator[None]:
    """Fail if the event loop stood still; the typical pause counts, as the machine has its own."""
    pauses: list[float] = []

    async def watch() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            pauses.append(time.monotonic() - before - 0.001)

    watching = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        watching.cancel()
    pauses.sort()
    assert pauses, "the loop did not run at all"
    assert pauses[len(pauses) * 9 // 10] < longest, pauses[-5:]


class TestHold:
    async def hold(self, queue: Queue) -> None:
        lock = queue.alock("a")
        assert (lock.held, lock.fence) == (False, 0)
        async with lock as entered:
            assert entered is lock
            assert lock.held
            assert lock.fence > 0
            assert not await queue.alock("a", timeout=0).acquire()
            assert not queue.lock("a", timeout=0).acquire()
        assert not lock.held
        assert await queue.alock("a", timeout=0).acquire()

    def test_there_is_one_holder_of_either_kind(self, queue: Queue) -> None:
        asyncio.run(self.hold(queue))

    def test_in_test_mode_too(self) -> None:
        queue = Queue("nowhere/jobs.db")
        with queue.test_mode():
            asyncio.run(self.hold(queue))

    def test_the_deadline_raises(self, queue: Queue) -> None:
        async def main() -> None:
            with (
                queue.lock("a"),
                pytest.raises(LockNotAcquiredError, match=r"'a' was not acquired within 0\.1 s"),
            ):
                async with queue.alock("a", timeout=0.1):
                    pass

        asyncio.run(main())

    def test_a_closed_queue_raises(self, queue: Queue) -> None:
        async def main() -> None:
            lock = queue.alock("a")
            await lock.acquire()
            queue.close()
            assert not lock.held
            await lock.release()
            with pytest.raises(QueueClosedError):
                await lock.acquire()

        asyncio.run(main())


class TestWait:
    def test_many_coroutines_have_it_one_after_the_other(self, queue: Queue) -> None:
        """Far more than threads of the pool, so that none may occupy one while it waits."""
        inside: list[int] = []
        fences: list[int] = []

        async def work() -> None:
            async with queue.alock("a") as lock:
                inside.append(1)
                await asyncio.sleep(0.001)
                assert inside == [1]
                fences.append(lock.fence)
                inside.pop()

        async def main() -> None:
            async with asyncio.timeout(25):
                await asyncio.gather(*(work() for _ in range(100)))

        asyncio.run(main())
        assert len(fences) == 100
        assert fences == sorted(set(fences))

    def test_the_loop_goes_on_and_one_thread_waits_for_all(self, queue: Queue) -> None:
        def listeners() -> int:
            return sum(thread.name == "taskito-listener" for thread in threading.enumerate())

        async def main() -> None:
            held = queue.lock("a")
            held.acquire()
            async with watched_loop():
                waiting = [asyncio.ensure_future(queue.alock("a").acquire()) for _ in range(20)]
                await asyncio.to_thread(until, listeners)
                await asyncio.sleep(0.3)  # for the others to come to wait as well
                assert listeners() == 1
                held.release()
                done, rest = await asyncio.wait(
                    waiting, timeout=30, return_when=asyncio.FIRST_COMPLETED
                )
                assert [task.result() for task in done] == [True]
                for task in rest:
                    task.cancel()
                await asyncio.wait(rest)

        asyncio.run(main())
        until(lambda: listeners() == 0)

    def test_who_waits_is_woken_when_it_is_given_back(self, queue: Queue) -> None:
        names = (f"a{number}" for number in itertools.count())

        async def turn(name: str) -> float:
            held = queue.lock(name)
            held.acquire()
            waiting = asyncio.ensure_future(queue.alock(name).acquire())
            await asyncio.sleep(0.05)  # it falls asleep; if not yet, the test is only easier
            assert not waiting.done()
            released = time.monotonic()
            held.release()
            assert await waiting
            return time.monotonic() - released

        # A look each second would be half a second late on average.
        median_within(0.25, lambda: asyncio.run(turn(next(names))), samples=5)

    def test_closing_the_queue_ends_the_wait(self, queue: Queue) -> None:
        async def main() -> None:
            with Queue(queue.db_path) as other, other.lock("a"):
                waiting = asyncio.ensure_future(queue.alock("a").acquire())
                await asyncio.sleep(0.1)  # it falls asleep; if not yet, the test is only easier
                assert not waiting.done()
                await queue.aclose()
                with pytest.raises(QueueClosedError):
                    await asyncio.wait_for(waiting, 30)

        asyncio.run(main())


class TestCancel:
    def test_a_coroutine_that_is_cancelled_while_it_waits_holds_nothing(self, queue: Queue) -> None:
        async def main() -> None:
            held = queue.lock("a")
            held.acquire()
            waiting = asyncio.ensure_future(queue.alock("a").acquire())
            await asyncio.sleep(0.1)  # it falls asleep; if not yet, the test is only easier
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            held.release()
            assert await queue.alock("a", timeout=0).acquire()

        asyncio.run(main())

    def test_at_whatever_moment_it_is_cancelled_nothing_stays_held(self, queue: Queue) -> None:
        """Cancelled while a thread was taking the lock, it stayed held by nobody."""

        async def main() -> list[bool]:
            got = []
            for number in range(60):
                lock = queue.alock(f"lock {number}")
                acquiring = asyncio.ensure_future(lock.acquire())
                await asyncio.sleep(number * 0.0001)  # another moment each time
                acquiring.cancel()
                try:
                    got.append(await acquiring)
                except asyncio.CancelledError:
                    got.append(False)
                assert lock.held == got[-1]
                again = queue.lock(lock.name, timeout=0 if got[-1] else 30)
                assert again.acquire() != got[-1]
            return got

        got = asyncio.run(main())
        assert not all(got)

    def test_a_release_that_is_cancelled_gives_it_back_all_the_same(self, queue: Queue) -> None:
        async def main(lock: AsyncLock) -> None:
            await lock.acquire()
            releasing = asyncio.ensure_future(lock.release())
            await asyncio.sleep(0)
            releasing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await releasing

        asyncio.run(main(queue.alock("a")))
        assert queue.lock("a", timeout=5).acquire()

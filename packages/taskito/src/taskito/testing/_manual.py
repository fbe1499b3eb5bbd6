"""Jobs of a real database, run one at a time in the calling thread at a time of one's own."""

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from taskito._checks import Seconds, count, duration
from taskito.job import JobResult

if TYPE_CHECKING:
    from taskito._core import Clock
    from taskito._stepped import SteppedWorker
    from taskito.queue import Queue


class ManualWorker:
    """Runs jobs of a queue when it is told to; what the fixture ``taskito_worker`` gives.

    Jobs run in the calling thread, through the code that claims and settles in production.
    The clock of the queue stands still: delays, backoff, expiry and schedules pass when
    :meth:`advance` or :meth:`run_until_idle` moves it.

    Example:
        >>> def test_a_refused_mail_is_sent_later(taskito_queue, taskito_worker):
        ...     mail = taskito_queue.task(name="mail", retry_backoff=60)(flaky_mail)
        ...     job = mail.delay("a@example.com")
        ...     taskito_worker.run()
        ...     assert job.status == "pending"
        ...     taskito_worker.advance(120)
        ...     assert taskito_worker.run() == [job]
        ...     assert job.result(timeout=0) == "sent"
    """

    def __init__(self, queue: "Queue", clock: "Clock", worker: "SteppedWorker") -> None:
        """Step ``worker`` and ``clock``; only :func:`manual_worker` makes one."""
        self._queue = queue
        self._database = queue._database  # noqa: SLF001 - of our own package
        self._clock = clock
        self._worker = worker
        self._is_running = False

    @property
    def now(self) -> int:
        """The time of the queue in milliseconds since the Unix epoch."""
        return self._clock.now

    def run(self, max_jobs: int | None = None) -> list[JobResult[Any]]:
        """Run due jobs one at a time, in claim order, until none is due.

        Jobs that come up meanwhile are run too. The clock stands still.

        Args:
            max_jobs: Stop after so many.

        Returns:
            The job of every run, in order; one that was run twice is there twice.

        Raises:
            RuntimeError: If called by a job.
        """
        most = None if max_jobs is None else count("max_jobs", max_jobs)
        ran: list[JobResult[Any]] = []
        with self._running() as check_interrupt:
            while most is None or len(ran) < most:
                job_id = self._worker.run_next()
                check_interrupt()
                if job_id is None:
                    break
                ran.append(JobResult(self._database, self._queue.serializer, job_id))
        return ran

    def run_until_idle(self, horizon: Seconds = 86_400) -> list[JobResult[Any]]:
        """Run due jobs, move the clock to when the next one may start, and so on.

        Until no job is left that falls due before the horizon, or is held back by a rate or a
        circuit breaker until an instant before it. Schedules do not keep it
        going: what they fire on the way is run, but the clock is not moved for them.

        Args:
            horizon: Seconds from now.

        Returns:
            As :meth:`run`.
        """
        end = self.now + duration("horizon", horizon)
        ran = self.run()
        while (due := self._worker.next_due()) is not None and due < end:
            self._move(due - self.now)
            ran += self.run()
        return ran

    def advance(self, seconds: Seconds) -> None:
        """Move the clock forward: schedules fire, jobs expire. Nothing is run.

        Args:
            seconds: By how much; 0 or more.
        """
        self._move(duration("seconds", seconds))

    def __repr__(self) -> str:
        """Show the queue and the time."""
        return f"<ManualWorker of {self._queue!r} at {self.now}>"

    def _move(self, ms: int) -> None:
        end = self.now + ms
        while (fire := self._worker.tick()) is not None and fire <= end:
            self._clock.advance(fire - self.now)
        self._clock.advance(end - self.now)
        self._worker.tend()

    @contextmanager
    def _running(self) -> Generator[Callable[[], None]]:
        if self._is_running:
            raise RuntimeError(
                "this worker runs a job already, which must not ask for others to be run\n"
                "hint: let the test run them when the job has ended"
            )
        self._is_running = True
        try:
            with _interrupts() as check:
                yield check
        finally:
            self._is_running = False


@contextmanager
def manual_worker(queue: "Queue") -> Generator[ManualWorker]:
    """Give a worker that owns the time of ``queue``, whose file is opened anew for it."""
    from taskito._core import Clock  # noqa: PLC0415 - loads the engine

    clock = Clock(time.time_ns() // 1_000_000)
    queue._database.move(queue.db_path, clock)  # noqa: SLF001 - of our own package
    with queue._stepping() as worker:  # noqa: SLF001 - likewise
        yield ManualWorker(queue, clock, worker)


@contextmanager
def _interrupts() -> Generator[Callable[[], None]]:
    """Give a function that raises if Ctrl-C was pressed, which a job takes for its failure."""
    previous = signal.getsignal(signal.SIGINT)
    pressed: list[int] = []

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if callable(previous):
            previous(number, frame)

    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, previous)

"""One running worker: threads and a loop that pull jobs from an engine, and how they end.

Long because every event of the engine is answered here.
"""

import atexit
import functools
import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from taskito import _limits
from taskito._core import Claim, Engine, Event, RetryPolicy
from taskito.exceptions import StorageError, TaskTimeoutError

if TYPE_CHECKING:
    from taskito._core import Plan
    from taskito._database import Database
    from taskito._loop import JobLoop
    from taskito._runner import Runner
    from taskito.task import TaskDefinition, TaskWrapper

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_FAREWELL = 0.25
_LAST_CLEANUP = 1.0
_LAST_WORDS_MS = 2000
_logger = logging.getLogger(__name__)


def work(engine: Engine, runner: "Runner") -> None:
    """Live the life of a job thread."""
    while (claim := engine.next()) is not None:
        runner.run(claim)


class Worker:
    """Runs jobs until it is told to stop. Made anew for every run.

    :meth:`drain` and :meth:`stop` may be called from any thread and from signal handlers,
    also before :meth:`run` has started the engine.

    Attributes:
        threads: How many jobs it runs at once, beside coroutines.
        disowned: Whether others took it for dead, so that it ended by itself.
        stranded: Whether it can no longer use or leave the database: its jobs are recovered
            by others, and the process had better end without cleaning up.
    """

    def __init__(  # noqa: PLR0913 - what the Queue decides
        self,
        database: "Database",
        make_runner: "Callable[[Engine], Runner]",
        *,
        threads: int,
        coroutines: int,
        queues: Sequence[str],
        result_ttl_ms: int | None,
        drain_ms: int,
    ) -> None:
        """Prepare a worker that runs so many jobs at once; no queues means all of them."""
        self._database = database
        self.threads = threads
        self.disowned = False
        self.stranded = False
        self._drain_ms = drain_ms
        with database as store:
            self._engine = Engine(
                store,
                threads=threads,
                coroutines=coroutines,
                queues=queues,
                result_ttl_ms=result_ttl_ms,
            )
        self._runner = make_runner(self._engine)
        self._pid = os.getpid()
        self._started = False
        self._asked_ms: int | None = None
        self._leave_by = 0.0
        self._signals: list[int] = []
        self._crew: list[threading.Thread] = []
        self._hired = 0
        self._loop: JobLoop | None = None
        self._loop_lock = threading.Lock()

    def register(self, task: "TaskDefinition") -> None:
        """Let this worker run a task, at once."""
        self._introduce(task, is_async=task.is_async)
        if task.is_async:
            self._start_loop()

    def declare(self, plans: "Sequence[Plan]") -> None:
        """Let this worker fire schedules, at once or when it starts."""
        with self._database:
            self._engine.declare(plans)

    def _introduce(self, task: "TaskDefinition", *, is_async: bool) -> None:
        """Let the engine claim jobs of a task, for a coroutine slot or a thread."""
        options = task.options
        policy = RetryPolicy(
            backoff_ms=options.retry_backoff_ms,
            max_delay_ms=options.max_retry_delay_ms,
            delays_ms=options.retry_delays_ms,
            retry_timeouts=options.retries(TaskTimeoutError()),
        )
        with self._database:
            self._engine.register(
                task.name, policy, is_async=is_async, limits=_limits.native(options)
            )

    def run(
        self,
        tasks: "Mapping[str, TaskWrapper[..., Any]]",
        on_ready: Callable[[], None] | None = None,
    ) -> int | None:
        """Run jobs of ``tasks`` until drained or stopped; block meanwhile.

        Returns:
            The number of the second signal, if one ended the run, else ``None``.
        """
        with self._handlers(), self._exit_hook():
            try:
                for task in tuple(tasks.values()):
                    self.register(task.definition)
                with self._database:
                    self._engine.start()
                self._started = True
                if self._asked_ms is not None:
                    self._engine.drain(self._asked_ms)
                self._hire(self.threads)
                if on_ready is not None:
                    on_ready()
                while events := self._engine.events():
                    for event in events:
                        self._heed(event)
                self._runner.part()
                self._let_hooks_end()
            except BaseException:
                self._engine.stop()  # also wakes those who join a worker that never started
                self.join(_LAST_WORDS_MS)
                raise
            finally:
                self._part(_FAREWELL)
        return self._signals[1] if len(self._signals) > 1 else None

    def drain(self) -> None:
        """Claim nothing more, finish what runs within the drain time. Returns at once."""
        self._end_within(self._drain_ms)

    def stop(self) -> None:
        """Hand everything back now. Returns at once."""
        self._end_within(0)

    def join(self, timeout_ms: int | None = None) -> bool:
        """Block until the worker has left the database."""
        return self._engine.join(timeout_ms)

    @property
    def is_ours(self) -> bool:
        """Whether this process runs it, rather than the one we were forked from."""
        return self._pid == os.getpid()

    def _end_within(self, limit_ms: int) -> None:
        self._asked_ms = limit_ms
        self._leave_by = time.monotonic() + limit_ms / 1000
        if self._started:
            self._engine.drain(limit_ms)

    def _heed(self, event: Event) -> None:
        """Do what an event asks for. Returns at once, as other events wait."""
        claim = event.claim
        match event.kind:
            case "hire":
                self._replace(event.count or 0)
            case "overdue" if claim is not None:
                self._runner.overdue(claim)  # first: its hooks then run before it is cancelled
                self._cancel(claim)
            case "cancel" if claim is not None:
                self._cancel(claim)
            case "settled" if claim is not None and event.arrow is not None:
                self._runner.settled(claim, event.arrow, event.retry_count or 0)
            case "lost" if claim is not None:
                self._runner.lost(claim, event.error or "")
            case "drain":
                _logger.info("asked to leave: finishing running jobs; two signals stop at once")
                self.drain()
            case "disowned":
                self.disowned = True
                _logger.error(
                    "other workers took this one for dead: its lock on the file '-live' was lost, "
                    "maybe because code of this process opened and closed that file; it ends"
                )
            case "stranded":
                self.stranded = True
                path = self._database.path
                raise StorageError(
                    f"other code of this process closed the files of database {path!r}",
                    path=path,
                    hint="a task may close only what it has opened itself (os.closerange closes "
                    "everything); start the worker anew",
                )
            case _:
                self._tell(event)

    def _tell(self, event: Event) -> None:
        """Log what a person should know of."""
        match event.kind:
            case "schedule":
                _logger.warning("schedule %r %s", event.schedule, event.error)
            case "trouble":
                _logger.error("the database cannot be used: %s; trying again", event.error)
            case "recovered":
                _logger.warning("the database can be used again")
            case _:
                pass

    def _start_loop(self) -> None:
        """Start the event loop when the first task needs it."""
        from taskito._loop import JobLoop  # noqa: PLC0415 - loads asyncio

        with self._loop_lock:
            if self._loop is None:
                self._loop = JobLoop(self._engine, self._runner.run_coroutine)
                self._loop.start()

    def _cancel(self, claim: Claim) -> None:
        if self._loop is not None:
            self._loop.cancel(claim)

    def _hire(self, count: int) -> None:
        for _ in range(count):
            if self._asked_ms == 0:  # the interpreter may be on its way out already
                return
            self._hired += 1
            thread = threading.Thread(
                target=work,
                args=(self._engine, self._runner),
                name=f"taskito-{self._hired}",
                daemon=True,
            )
            thread.start()
            self._crew.append(thread)

    def _replace(self, count: int) -> None:
        """Start threads in place of those whose jobs ran over their timeout."""
        self._crew = [thread for thread in self._crew if thread.is_alive()]
        abandoned = self._engine.abandoned
        _logger.warning("a job ran over its timeout; threads busy with such jobs: %d", abandoned)
        if abandoned >= self._engine.most_abandoned:
            _logger.error(
                "%d threads are busy with jobs that ran over their timeout: "
                "nothing is claimed until one ends",
                abandoned,
            )
        self._hire(count)

    def _let_hooks_end(self) -> None:
        """Wait for the hooks that follow commits, as long as jobs would have had."""
        while not self._runner.finish(_FAREWELL) and time.monotonic() < self._leave_by:
            pass

    def _part(self, seconds: float) -> None:
        """Wait briefly for threads to end; one that still runs a job is left behind."""
        deadline = time.monotonic() + seconds
        for thread in self._crew:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._loop is not None:
            self._loop.join(_LAST_CLEANUP)

    @contextmanager
    def _handlers(self) -> Generator[None]:
        """Handle SIGINT and SIGTERM, in the main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)
        name = signal.Signals(number).name
        if len(self._signals) == 1:
            _logger.info("%s: finishing running jobs; the next signal stops at once", name)
            self.drain()
        else:
            _logger.info("%s: handing running jobs back", name)
            self.stop()

    @contextmanager
    def _exit_hook(self) -> Generator[None]:
        """Leave the database if the interpreter exits while a daemon thread runs us."""
        hook = functools.partial(_leave, weakref.ref(self), threading.current_thread())
        atexit.register(hook)
        try:
            yield
        finally:
            atexit.unregister(hook)

    def leave(self, caller: threading.Thread) -> None:
        """End now and see that no thread is left inside the engine."""
        if not self.is_ours:
            return
        self.stop()
        if self._started:
            self.join(_LAST_WORDS_MS)
        if caller is not threading.current_thread():
            caller.join(_LAST_WORDS_MS / 1000)
        self._part(_FAREWELL)


def _leave(worker: "weakref.ref[Worker]", caller: threading.Thread) -> None:
    running = worker()
    if running is not None:
        running.leave(caller)

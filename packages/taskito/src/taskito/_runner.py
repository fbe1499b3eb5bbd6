"""Runs claimed jobs: in the calling thread, or on the event loop."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from taskito._attempt import Attempt, Prepared
from taskito._core import Outcome
from taskito._hook_thread import HookThread
from taskito._hooks import AttemptHooks, HookPlan
from taskito._outcomes import log_failure, outcome_of
from taskito.context import ACTIVE, Details, JobContext, active, timeout_error
from taskito.exceptions import (
    PayloadTooLargeError,
    SerializationError,
    TaskTimeoutError,
    WorkerLostError,
)

if TYPE_CHECKING:
    from taskito._core import Claim, Engine
    from taskito._database import Database
    from taskito._hooks import Hooks
    from taskito._payloads import Payloads
    from taskito.task import TaskWrapper
    from taskito_core import Arrow


class Runner:
    """Runs the jobs that one engine hands out. One for all threads of a worker.

    Whatever a task raises, ``SystemExit`` and ``KeyboardInterrupt`` included, fails the
    attempt and never the worker.
    """

    __slots__ = (
        "_attempts",
        "_database",
        "_engine",
        "_hook_thread",
        "_hooks",
        "_payloads",
        "_prepared",
        "_stepped",
        "_tasks",
    )

    def __init__(  # noqa: PLR0913 - what the Queue is made of
        self,
        engine: "Engine",
        *,
        database: "Database",
        tasks: "Mapping[str, TaskWrapper[..., Any]]",
        hooks: "Hooks",
        payloads: "Payloads",
        stepped: bool,
    ) -> None:
        """Run the functions of ``tasks``, a live mapping of names.

        If ``stepped``, what follows a commit is called at once by the thread that tells of it.
        """
        self._engine = engine
        self._database = database
        self._tasks = tasks
        self._hooks = hooks
        self._payloads = payloads
        self._stepped = stepped
        self._prepared: dict[str, Prepared] = {}
        self._attempts: dict[Claim, Attempt] = {}
        self._hook_thread = HookThread()
        engine.want_lost()

    # For the threads and the loop that run jobs

    def run(self, claim: "Claim") -> None:
        """Run one attempt in this thread and settle it. Never raises."""
        task = self._task(claim.task)
        context = JobContext(claim, self, task.options.soft_timeout_ms)
        outer = ACTIVE.set(context)  # active() costs more, and this is part of every job
        try:
            if task.is_silent:
                self._engine.settle(claim, self._outcome(task, claim, context))
            else:
                self._attempt(task, claim, context).run()
        finally:
            ACTIVE.reset(outer)

    async def run_coroutine(self, claim: "Claim") -> None:
        """Run one attempt in this asyncio task and settle it. Never raises."""
        task = self._task(claim.task)
        context = JobContext(claim, self, task.options.soft_timeout_ms)
        await self._attempt(task, claim, context).run_coroutine()

    # For the thread that supervises

    def overdue(self, claim: "Claim") -> None:
        """Fail an attempt that ran over its timeout; returns at once."""
        attempt = self._attempts.get(claim)
        if attempt is not None:
            attempt.is_overdue = True
            self._call(attempt, attempt.time_out)
            return
        options = self._task(claim.task).options
        context = JobContext(claim, self, options.soft_timeout_ms)
        error = timeout_error(context)
        log_failure(error, context, retryable=options.retries(error))
        self._engine.settle(claim, Outcome.timed_out())

    def settled(self, claim: "Claim", arrow: "Arrow", retry_count: int) -> None:
        """Call what follows the commit of an attempt's outcome; returns at once."""
        attempt = self._attempts.pop(claim, None)
        if attempt is not None:
            self._call(attempt, partial(attempt.settled, arrow, retry_count))

    def part(self) -> None:
        """Tell those that follow attempts that the rest was handed back; returns at once.

        No event tells of it: the worker has left. The functions may still run.
        """
        while self._attempts:
            _, attempt = self._attempts.popitem()
            self._call(attempt, partial(attempt.settled, "handed_back", 0))

    def lost(self, claim: "Claim", error: str) -> None:
        """Call ``on_dead_letter`` for a job of another worker; returns at once."""
        task = self._tasks.get(claim.task)
        plan = self._hooks.plan(() if task is None else task.definition.options.middleware)
        if plan.hears("on_dead_letter"):
            self._hook_thread.do(partial(self._mourn, plan, claim, error))

    def finish(self, seconds: float) -> bool:
        """Wait for the hooks that follow commits, but not for long; whether they ended."""
        return self._hook_thread.finish(seconds)

    # For contexts and attempts

    def progress(self, claim: "Claim", percent: int, /) -> None:
        """Store the progress of a job."""
        self._engine.progress(claim, percent)

    def log(self, claim: "Claim", level: str, message: str, extra: str | None, /) -> None:
        """Store a line of a job's log."""
        self._engine.log(claim, level, message, extra)

    def is_cancelled(self, claim: "Claim", /) -> bool:
        """Return whether an attempt should end early."""
        return self._engine.is_cancelled(claim)

    def details(self, claim: "Claim", /) -> Details:
        """Return more about a job, as stored."""
        with self._database as store:
            row = store.job(claim.job_id)
        worker_id = self._engine.worker_id
        if row is None:
            return Details(worker_id=worker_id)
        return Details(
            metadata=row.metadata,
            headers=row.headers,
            workflow_id=row.workflow_id,
            worker_id=worker_id,
        )

    def is_current(self, claim: "Claim") -> bool:
        """Return whether the outcome of an attempt counts; in a forked child none does."""
        return self._engine.is_current(claim)

    def settle(self, attempt: Attempt, outcome: Outcome, *, notify: bool) -> None:
        """Report an attempt, and forget it unless something is to follow the commit.

        If it no longer counts, the event that says why may still be on its way.
        """
        if self._engine.settle(attempt.claim, outcome, notify=notify) and not notify:
            self._attempts.pop(attempt.claim, None)

    def _task(self, name: str) -> Prepared:
        prepared = self._prepared.get(name)
        if prepared is None or prepared.version is not self._hooks.version:
            prepared = self._prepared[name] = self._prepare(name)
        return prepared

    def _prepare(self, name: str) -> Prepared:
        version = self._hooks.version  # read first: what is registered meanwhile makes it old
        definition = self._tasks[name].definition
        plan = self._hooks.plan(definition.options.middleware)
        return Prepared(
            name=name,
            function=definition.function,
            options=definition.options,
            plan=plan,
            is_silent=plan.is_silent,
            version=version,
        )

    def _outcome(self, task: Prepared, claim: "Claim", context: JobContext) -> Outcome:
        """Run an attempt that nobody hears of: what :class:`Attempt` does, without the rest."""
        try:
            args, kwargs = self._payloads.arguments(claim)
            value = task.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it fails the attempt
            return outcome_of(error, context, task.options)
        try:
            return self._payloads.done(task.name, value)
        except SerializationError as error:
            final = isinstance(error, PayloadTooLargeError)
            return outcome_of(error, context, task.options, final=final)

    def _attempt(self, task: Prepared, claim: "Claim", context: JobContext) -> Attempt:
        attempt = Attempt(task, claim, context, self._payloads, self)
        self._attempts[claim] = attempt
        return attempt

    def _call(self, attempt: Attempt, step: Callable[[], None]) -> None:
        """Take a step of an attempt where its hooks run, without waiting for it.

        What is overdue gets threads of its own: it must be settled soon, whatever other hooks
        are busy with, and may itself be busy for long.
        """
        if self._stepped:
            step()
            return
        if attempt.loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                attempt.loop.call_soon_threadsafe(step)
                return
        if attempt.is_overdue:
            Thread(target=step, name="taskito-overdue", daemon=True).start()
        else:
            self._hook_thread.do(step)

    def _mourn(self, plan: HookPlan, claim: "Claim", text: str) -> None:
        context = JobContext(claim, self, soft_timeout_ms=0)
        hooks = AttemptHooks(plan, context)
        with suppress(SerializationError):
            hooks.learn(*self._payloads.arguments(claim))
        kind, _, message = text.partition(": ")
        error = (TaskTimeoutError if kind == "TaskTimeoutError" else WorkerLostError)(message)
        with active(context):
            hooks.committed("on_dead_letter", error)

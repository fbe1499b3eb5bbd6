"""What takes the place of a database and a worker in test mode."""

import asyncio
import itertools
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskito._database import Database
from taskito._failures import error_text
from taskito._hooks import AttemptHooks
from taskito._private_loops import PrivateLoops
from taskito.context import Details, JobContext, active
from taskito.exceptions import (
    Cancel,
    DependencyError,
    TaskCancelledError,
    TaskNotRegisteredError,
)
from taskito.job import JobResult
from taskito.surroundings import Visit
from taskito.testing._handles import TrialJob, TrialResult
from taskito.testing._results import TestResult, TestResults

if TYPE_CHECKING:
    from taskito._core import JobSpec
    from taskito._plan import Step
    from taskito.queue import Queue
    from taskito.task import TaskDefinition


class Trial:
    """Runs jobs when they are enqueued, and remembers them.

    It is the host of their contexts as well.

    Attributes:
        results: What ran.
        locks: Where named locks live: in memory.
    """

    def __init__(self, queue: "Queue", *, propagate_errors: bool) -> None:
        """Run tasks of ``queue``."""
        self.results = TestResults()
        self._tasks = queue._tasks  # noqa: SLF001 - of our own package
        self._hooks = queue._hooks  # noqa: SLF001 - likewise
        self._database = queue._database  # noqa: SLF001 - likewise
        self._serializer = queue.serializer
        self.locks = Database(":memory:", "normal")
        self._propagate_errors = propagate_errors
        self._numbers = itertools.count(1)
        self._jobs: dict[str, TrialJob] = {}
        self._loops = PrivateLoops()

    def run(
        self, spec: "JobSpec", args: tuple[object, ...], kwargs: Mapping[str, Any]
    ) -> JobResult[Any]:
        """Run one job."""
        return self._handle(self._run(self._task(spec), spec, args, kwargs, ()))

    def run_many(
        self,
        specs: "Iterable[JobSpec]",
        calls: Sequence[tuple[tuple[object, ...], Mapping[str, Any]]],
    ) -> list[JobResult[Any]]:
        """Run one job after the other."""
        return [self.run(spec, *call) for spec, call in zip(specs, calls, strict=False)]

    def run_workflow(
        self, steps: "Sequence[Step]", specs: "Sequence[JobSpec]"
    ) -> list[JobResult[Any]]:
        """Run the jobs of a canvas, each after those that it waits for."""
        tasks = [self._task(spec) for spec in specs]
        jobs: list[TrialJob] = []
        for step, spec, task in zip(steps, specs, tasks, strict=True):
            taken = _numbers(step.takes)
            waits_for = [jobs[number] for number in (*taken, *step.after)]
            inputs: list[Any] = [jobs[number].value for number in taken]
            if not isinstance(step.takes, int) and step.takes is not None:
                inputs = [inputs]
            args = (*inputs, *step.args)
            jobs.append(self._run(task, spec, args, step.kwargs, waits_for))
        return [self._handle(job) for job in jobs]

    def job(self, job_id: str) -> JobResult[Any] | None:
        """Return a handle on a job that ran or runs."""
        job = self._jobs.get(job_id)
        return None if job is None else self._handle(job)

    def close(self) -> None:
        """End what coroutines left running, and release what locks are held."""
        self._loops.close()
        self.locks.close()

    # What a context asks of its host

    def progress(self, job: TrialJob, percent: int, /) -> None:
        """Keep the progress of a job."""
        job.progress = percent

    def log(self, job: TrialJob, level: str, message: str, extra: str | None, /) -> None:
        """Keep a line of a job's log."""
        job.logs.append(
            {
                "id": f"{job.id}-log-{len(job.logs) + 1}",
                "job_id": job.id,
                "task_name": job.task,
                "level": level,
                "message": message,
                "extra": extra,
                "logged_at": _now(),
            }
        )

    def is_cancelled(self, _job: TrialJob, /) -> bool:
        """Nobody asks for a cancellation."""
        return False

    def details(self, job: TrialJob, /) -> Details:
        """Return more about a job."""
        return Details(metadata=job.metadata, headers=job.headers)

    # One job

    def _task(self, spec: "JobSpec") -> "TaskDefinition":
        task = self._tasks.get(spec.task)
        if task is None:
            raise TaskNotRegisteredError(
                f"Task '{spec.task}' not found in registry",
                hint="import the module that registers it; test mode runs every task at once",
            )
        return task.definition

    def _run(
        self,
        task: "TaskDefinition",
        spec: "JobSpec",
        args: tuple[object, ...],
        kwargs: Mapping[str, Any],
        waits_for: Sequence[TrialJob],
    ) -> TrialJob:
        # Each is named once, however often it is given.
        dependencies = list(dict.fromkeys([*waits_for, *map(self._dependency, spec.depends_on)]))
        job = TrialJob.of(spec, f"test-{next(self._numbers):06}", _now(), dependencies)
        self._jobs[job.id] = job
        for other in dependencies:
            other.dependents.append(job.id)
            if other.status in ("failed", "cancelled") and job.root is None:
                job.fall_with(other, _now())
        if job.root is None:
            self._attempt(task, job, args, dict(kwargs))
        return job

    def _dependency(self, job_id: str) -> TrialJob:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise DependencyError(f"Dependency job '{job_id}' not found") from None

    def _attempt(
        self, task: "TaskDefinition", job: TrialJob, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        context = JobContext(job, self, task.options.soft_timeout_ms)
        hooks = AttemptHooks(self._hooks.plan(task.options.middleware), context)
        hooks.learn(args, kwargs)
        result = TestResult(job.id, task.name, args, kwargs, logs=job.logs)
        visit = Visit(self._hooks.surroundings.of_call, context)
        visit.enter()
        try:
            with active(context):
                if task.is_async:
                    self._loops.run(lambda: self._await(task, job, result, hooks))
                else:
                    with self._ending(job, result, hooks):
                        result.return_value = task.function(*args, **kwargs)
        finally:
            visit.leave(result.error)

    async def _await(
        self, task: "TaskDefinition", job: TrialJob, result: TestResult, hooks: AttemptHooks
    ) -> None:
        with self._ending(job, result, hooks):
            result.return_value = await task.function(*result.args, **result.kwargs)

    @contextmanager
    def _ending(self, job: TrialJob, result: TestResult, hooks: AttemptHooks) -> Generator[None]:
        """Call the hooks around the function in the block, and keep what became of it."""
        hooks.started()
        try:
            yield
        except BaseException as error:
            if _is_for_the_test(error):
                raise
            hooks.raised(error)
            hooks.over()
            result.error, result.traceback = error, error_text(error)
            job.fail(error, result.traceback, _cancellation(error), _now())
            if self._propagate_errors:
                raise
        else:
            hooks.returned(result.return_value)
            job.complete(result.return_value, _now())
        result.progress = job.progress
        self.results.append(result)

    def _handle(self, job: TrialJob) -> JobResult[Any]:
        return TrialResult(self._database, self._serializer, job)


def _numbers(takes: "int | Sequence[int] | None") -> Sequence[int]:
    if takes is None:
        return ()
    return (takes,) if isinstance(takes, int) else takes


def _cancellation(error: BaseException) -> str | None:
    """Return why a job ends ``cancelled`` that raised ``error``; ``None`` if it does not."""
    if isinstance(error, Cancel):
        return error.reason or "cancelled by task"
    return "cancelled by request" if isinstance(error, TaskCancelledError) else None


def _is_for_the_test(error: BaseException) -> bool:
    """Whether somebody wants to stop the test, not the task: Ctrl-C, also on an event loop."""
    if isinstance(error, asyncio.CancelledError):
        try:
            current = asyncio.current_task()
        except RuntimeError:  # no event loop runs here
            return False
        return current is not None and current.cancelling() > 0
    return isinstance(error, KeyboardInterrupt)


def _now() -> int:
    return time.time_ns() // 1_000_000

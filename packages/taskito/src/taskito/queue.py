"""The public face of a task queue. Every verb delegates to the module that owns it.

Longer than other files because each verb is documented here in full.
"""

import functools
import itertools
import logging
import os
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType, TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from taskito import control, inspection, listing, retention
from taskito._checks import (
    Seconds,
    arguments,
    count,
    duration,
    int32,
    integer,
    keywords,
    listed,
    storable,
    string,
    unknown_option,
)
from taskito._database import Database
from taskito._explained import explains_options
from taskito._hooks import Hook3, Hook4, Hook5, Hooks
from taskito._previews import Previews, Redaction
from taskito._producer import Producer
from taskito._sizes import PayloadSizes
from taskito._twins import twin
from taskito.check import Checker, CheckIssue
from taskito.exceptions import ConfigurationError, JobNotFoundError
from taskito.job import JobResult
from taskito.listing import JobFilter, JobPage, Page
from taskito.middleware import TaskMiddleware, checked_middleware
from taskito.options import Dependencies, JobOptions, TaskOptions, TaskSettings, TaskTuning
from taskito.schedules import CatchUp, Schedules
from taskito.serializers import CloudpickleSerializer, Serializer
from taskito.task import (
    AsyncTask,
    TaskDefinition,
    TaskWrapper,
    checked_function,
    default_name,
    is_coroutine_function,
    same_source,
)
from taskito.why import Why, explain

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from taskito._core import Engine
    from taskito._runner import Runner
    from taskito._stepped import SteppedWorker
    from taskito._worker import Worker
    from taskito.lock import AsyncLock, Lock
    from taskito.testing import TestMode

__all__ = ["Queue"]

P = ParamSpec("P")
R = TypeVar("R")

_DEFAULT_PATH = os.path.join(".taskito", "taskito.db")  # noqa: PTH118 - a str, as given
_logger = logging.getLogger(__name__)


class TaskDecorator(Protocol):
    """What ``queue.task(...)`` returns: put it on a function."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> TaskWrapper[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Register ``function``."""
        ...


class Queue:
    """A task queue in one SQLite file.

    Usable from any thread and after ``fork()``. Making one opens nothing: neither file nor
    directory exists until the first call that needs the database.

    Example:
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> add.delay(1, 2).status
        'pending'
        >>> queue.close()
    """

    @explains_options
    def __init__(  # noqa: PLR0913 - the documented order
        self,
        db_path: str | os.PathLike[str] | None = None,
        workers: int = 0,
        default_retry: int = 3,
        default_timeout: Seconds = 300,
        default_priority: int = 0,
        result_ttl: Seconds | None = None,
        serializer: Serializer | None = None,
        middleware: Iterable[TaskMiddleware] | None = None,
        *,
        drain_timeout: Seconds = 30,
        async_concurrency: int = 100,
        durability: Literal["full", "normal"] = "full",
        max_payload_bytes: int | None = 16 * 2**20,
        redact: Iterable[Redaction] = (),
        previews: bool = True,
    ) -> None:
        """Describe a queue.

        Args:
            db_path: The SQLite file; parent directories are created. ``None`` means the
                environment variable ``TASKITO_DB_PATH``, else ``.taskito/taskito.db``.
                ``~`` is not expanded. ``":memory:"`` is a database of this object alone,
                gone at :meth:`close`.
            workers: Threads that run jobs in a worker; 0 means one for every CPU.
            default_retry: ``max_retries`` of tasks and calls that set none.
            default_timeout: Their ``timeout`` in seconds; 0 means no limit.
            default_priority: Their ``priority``.
            result_ttl: Seconds for which the workers of this Queue keep ``complete``, ``dead``
                and ``cancelled`` jobs that have no ``result_ttl`` of their own; ``None`` keeps
                them for ever.
            serializer: For arguments and results; default :class:`CloudpickleSerializer`.
            middleware: Told of the jobs of all tasks, before a task's own middleware.
            drain_timeout: Seconds that running jobs get to finish when a worker ends.
            async_concurrency: Coroutines a worker runs at once, beside its threads.
            durability: ``"full"``: what a call has stored when it returns survives power
                loss. ``"normal"``: it survives a killed process, not power loss.
            max_payload_bytes: Limit on serialized arguments and on a serialized result;
                ``None`` means no limit. Above 1 MiB one warning per task is logged.
            redact: What the previews of arguments and results hide: names of keys, parameters
                and fields, besides ``password``, ``passwd``, ``secret``, ``token``, ``api_key``,
                ``authorization`` and ``cookie``; and functions that take the text of a preview
                and return what is stored. Where one raises, no preview is stored.
            previews: Whether arguments and results are stored a second time as short text for
                people. The payloads themselves are stored in any case.

        Raises:
            ValueError: For a value that cannot work.
            TypeError: For a value of the wrong type.
        """
        if db_path is None:
            db_path = os.environ.get("TASKITO_DB_PATH") or _DEFAULT_PATH
        path = string("db_path", os.fspath(db_path))
        if not path:
            message = "db_path is empty"
            raise ConfigurationError(message, hint="leave it out for .taskito/taskito.db")
        self._database = Database(path, durability)
        self._threads = count("workers", workers)
        self._coroutines = integer("async_concurrency", async_concurrency, 1)
        self._drain_ms = duration("drain_timeout", drain_timeout)
        self._result_ttl_ms = None if result_ttl is None else duration("result_ttl", result_ttl)
        self._sizes = PayloadSizes(
            None
            if max_payload_bytes is None
            else integer("max_payload_bytes", max_payload_bytes, 1, 2**63)
        )
        self._defaults = TaskOptions(
            max_retries=count("default_retry", default_retry),
            timeout_ms=duration("default_timeout", default_timeout),
            priority=int32("default_priority", default_priority),
        )
        self._serializer = CloudpickleSerializer() if serializer is None else serializer
        given: object = self._serializer
        if isinstance(given, type) or not isinstance(given, Serializer):
            message = f"serializer must be an object with dumps and loads, got {serializer!r}"
            raise TypeError(message)
        self._hooks = Hooks(checked_middleware("middleware", middleware or ()))
        self._tasks: dict[str, TaskWrapper[..., Any]] = {}
        self._previews = Previews(redact, self._tasks, enabled=previews)
        self._producer = Producer(
            self._database, self._serializer, self._sizes, self._hooks, self._previews
        )
        self._schedules = Schedules(self._database, self._producer, self._serializer)
        self._workers: set[Worker] = set()

    @property
    def db_path(self) -> str:
        """The database file as it was given."""
        return self._database.path

    @property
    def serializer(self) -> Serializer:
        """What turns arguments and results into bytes."""
        return self._serializer

    # Tasks

    @overload
    def task(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> TaskWrapper[P, R]: ...
    @overload
    def task(
        self, task_name: str | None = None, /, **options: Unpack[TaskSettings]
    ) -> TaskDecorator: ...
    def task(
        self, target: Callable[..., Any] | str | None = None, /, **options: Unpack[TaskSettings]
    ) -> TaskWrapper[..., Any] | TaskDecorator:
        """Register a function as a task, as ``@queue.task`` or ``@queue.task(...)``.

        A worker that runs already can run it at once. Registering a name again replaces
        the function. An ``async def`` function becomes an :class:`~taskito.AsyncTask`, whose
        jobs run as coroutines on one event loop per worker.

        Args:
            target: The function (bare use) or the name.
            **options: ``name`` (default ``module.qualname``, with ``__main__`` replaced by
                the module's import name or file stem), ``max_retries`` (retries after the
                first attempt), ``timeout`` (seconds one attempt may take, measured from
                the start of the function; 0 means no limit), ``priority`` (higher runs first),
                ``retry_backoff`` (seconds, default 1), ``queue`` (default ``"default"``),
                ``max_retry_delay`` (seconds, default 300), ``retry_on`` and
                ``dont_retry_on`` (exception classes). The delay before retry n, from 0, is
                ``min(max_retry_delay, retry_backoff * 2**n)`` plus up to ``retry_backoff``
                at random; or exactly the n-th entry of ``retry_delays`` (seconds), the last
                one again for further retries. ``soft_timeout`` (seconds) is what
                ``current_job.check_timeout()`` goes by; ``middleware`` hears of this task's
                jobs after the queue-wide one. ``rate_limit`` (like ``"10/s"``, ``"100/minute"``
                or ``"0.5/h"``) is how fast attempts start, ``max_concurrent`` how many run at
                once, both over all workers, and for each ``limit_key`` apart.
                ``circuit_breaker`` stops the task while it keeps failing: a mapping with
                ``threshold`` (failures, default 5), ``window`` (seconds within which they
                count, default 60) and ``cooldown`` (seconds until one job is tried, default
                300).

        An attempt that runs over its timeout fails at that moment as
        :class:`TaskTimeoutError`. A coroutine is cancelled. A thread cannot be stopped: the
        function goes on, what it returns is dropped, and another thread takes its place.

        Returns:
            The task, or a decorator that makes one.

        Raises:
            TypeError: For an unknown option, or something that is not a function.
            ValueError: For a value that cannot work.
        """
        if callable(target):
            return self._registered(target, None, self._defaults)
        name = options.get("name") if target is None else target
        if name is not None:
            storable("name", name)
        for option in options:
            if option not in TaskSettings.__annotations__:
                subject = f"task {name!r}" if name else "a task"
                raise unknown_option(option, TaskSettings.__annotations__, subject)
        task_options = self._defaults.changed(options)

        def decorator(function: Callable[..., Any], /) -> Any:
            return self._registered(function, name, task_options)

        return decorator

    def _registered(
        self, function: Callable[..., Any], name: str | None, options: TaskOptions
    ) -> TaskWrapper[..., Any]:
        checked = checked_function(function)
        name = name or default_name(checked)
        definition = TaskDefinition(
            name=name, function=checked, is_async=is_coroutine_function(checked), options=options
        )
        wrapper = AsyncTask[..., Any] if definition.is_async else TaskWrapper[..., Any]
        task: TaskWrapper[..., Any] = wrapper(definition, self._producer)
        before = self._tasks.get(name)
        if before is not None and not same_source(before.definition.function, checked):
            _logger.warning(
                "task %r now means %r instead of %r", name, checked, before.definition.function
            )
        self._tasks[name] = task
        self._previews.forget(name)
        self._hooks.renew()
        # A worker that starts meanwhile joins the set before it reads the tasks.
        for worker in tuple(self._workers):
            worker.register(definition)
        return task

    # Schedules. docs/schedules.md has the grammar and what clock changes do.

    def periodic(  # noqa: PLR0913 - the documented order
        self,
        cron: str | None = None,
        name: str | None = None,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
        queue: str = "default",
        timezone: str = "UTC",
        catch_up: CatchUp = "one",
        *,
        every: Seconds | None = None,
        **task_options: Unpack[TaskTuning],
    ) -> TaskDecorator:
        """Register a function as a task that a schedule enqueues again and again.

        The schedule fires while a worker that has registered it lives, once whatever the
        number of workers. On a task it adds a schedule to that task; ``name`` is required
        then, and there are no task options.

        Args:
            cron: ``[second] minute hour day-of-month month day-of-week``, or a shortcut such
                as ``@daily``. Local times of ``timezone``.
            name: Name of the schedule, and of the task; default as for :meth:`task`.
            args: Positional arguments of the jobs.
            kwargs: Their other arguments.
            queue: Where they wait. The jobs of a further schedule of a task wait in the
                task's queue unless another one is named.
            timezone: IANA name, such as ``Europe/Berlin``.
            catch_up: What becomes of fires that are more than 10 s late, as when no worker
                lived: ``"one"`` job for all of them, ``"none"``, or ``"all"``: a job each, at
                most 1000.
            every: Seconds, instead of ``cron``: fires at their multiples since 1970, UTC.
            **task_options: As for :meth:`task`.

        Returns:
            A decorator that makes a task, or returns the task it is put on.

        Raises:
            CronError: For an expression that is malformed or can never fire.
            ValueError: For another value that cannot work.
            TypeError: For a value of the wrong type, an unknown option, and arguments that
                do not fit the function.
            SerializationError: If the arguments cannot be serialized.
        """
        declaration = self._schedules.declaration(
            cron, every, timezone=timezone, args=args, kwargs=kwargs, catch_up=catch_up
        )
        if name is not None:
            storable("name", name)
        for option in task_options:
            if option not in TaskTuning.__annotations__:
                subject = f"schedule {name!r}" if name else "a schedule"
                raise unknown_option(option, TaskTuning.__annotations__, subject)
        options = self._defaults.changed({"name": name, "queue": queue, **task_options})

        def decorator(target: Callable[..., Any], /) -> Any:
            if isinstance(target, TaskWrapper):
                task = cast("TaskWrapper[..., Any]", target)
                given = ", ".join(task_options)
                schedule, settings = self._further(task, name, queue, given)
            else:
                task = self._registered(target, name, options)
                schedule, settings = task.name, options
            plan = self._schedules.add(schedule, declaration, task, settings)
            for worker in tuple(self._workers):
                worker.declare([plan])
            return task

        return decorator

    def _further(
        self, task: TaskWrapper[..., Any], name: str | None, queue: str, given: str
    ) -> tuple[str, TaskOptions]:
        """Return name and job settings of a further schedule of a task."""
        if task.name not in self._tasks:
            message = f"task {task.name!r} is not registered with this queue"
            raise ValueError(message)
        if not name:
            message = f"a further schedule of task {task.name!r} needs a name"
            raise TypeError(f"{message}\nhint: write periodic(..., name='nightly')")
        if given:
            message = f"a schedule of task {task.name!r} takes no task options, got {given}"
            raise TypeError(f"{message}\nhint: give them to @queue.task")
        options = task.definition.options
        return name, options if queue == "default" else options.changed({"queue": queue})

    @property
    def _periodic_configs(self) -> list[dict[str, Any]]:
        """What ``periodic`` has declared on this object, in that order."""
        return self._schedules.configs()

    def list_periodic(self) -> list[dict[str, Any]]:
        """Return the schedules of this database, by name.

        Those of this object are stored when a worker starts, or at the first of these calls.

        Returns:
            Dicts with ``name task_name cron_expr every timezone queue catch_up enabled active
            last_run next_run last_job_id``. ``active``: declared by a live worker.
            ``last_run`` is the fire time of the newest job; ``next_run`` is ``None`` while
            the schedule is paused.
        """
        return self._schedules.rows()

    def pause_periodic(self, name: str) -> bool:
        """Let a schedule fire no more until it is resumed, also by workers to come.

        Returns:
            Whether there is such a schedule.
        """
        return self._schedules.pause(name)

    def resume_periodic(self, name: str) -> bool:
        """Let a paused schedule fire again. What passed meanwhile is not made up.

        Returns:
            Whether there is such a schedule.
        """
        return self._schedules.resume(name)

    def delete_periodic(self, name: str) -> bool:
        """Remove a schedule. A worker that still declares it stores it anew when it starts.

        Returns:
            Whether there was such a schedule.
        """
        return self._schedules.delete(name)

    def trigger_periodic(self, name: str) -> JobResult[Any]:
        """Enqueue one job of a schedule now, paused or not; its next fire stays.

        Raises:
            ScheduleNotFoundError: If no schedule has this name.
        """
        return self._schedules.trigger(name)

    @property
    def _inner(self) -> "_Inner":
        """What programs written for taskito 0.2 end a worker with."""
        return _Inner(self)

    @property
    def _task_registry(self) -> Mapping[str, Callable[..., Any]]:
        """Live mapping of task names to callables."""
        return MappingProxyType(self._tasks)

    # Hooks. What a hook raises is logged and changes nothing. docs/hooks.md has the order.

    def on_enqueue(self, hook: Hook4, /) -> Hook4:
        """Have ``hook(task_name, args, kwargs, options)`` called for every job to be stored.

        In the producer, before serialization. ``options`` is a dict of what the job will be
        stored with, under the names of :meth:`enqueue`; changes apply, unless the hook
        raises or leaves a value that cannot be. ``priority``, ``queue``, ``max_retries``
        and ``timeout`` are always there.

        Returns:
            The function, like all decorators of hooks.

        Raises:
            TypeError: If it is not a plain function, like all of them.
        """
        return self._hooks.add("on_enqueue", hook)

    def before_task(self, hook: Hook3, /) -> Hook3:
        """Have ``hook(task_name, args, kwargs)`` called before the function of every attempt.

        Like all hooks up to the commit it runs in the thread of the job, or on the event
        loop of an ``async def`` task, with ``current_job`` set.
        """
        return self._hooks.add("before_task", hook)

    def on_success(self, hook: Hook4, /) -> Hook4:
        """Have ``hook(task_name, args, kwargs, result)`` called after the function returned."""
        return self._hooks.add("on_success", hook)

    def on_failure(self, hook: Hook4, /) -> Hook4:
        """Have ``hook(task_name, args, kwargs, error)`` called after any exception but ``Snooze``.

        Also when the attempt ran over its timeout, with :class:`TaskTimeoutError`.
        """
        return self._hooks.add("on_failure", hook)

    def after_task(self, hook: Hook5, /) -> Hook5:
        """Have ``hook(task_name, args, kwargs, result, error)`` called when an attempt has ended.

        One of ``result`` and ``error`` is ``None``. Attempts that are lost with their worker
        or handed back by it have no end.
        """
        return self._hooks.add("after_task", hook)

    def on_timeout(self, hook: Hook3, /) -> Hook3:
        """Have ``hook(task_name, args, kwargs)`` called when a hard timeout is stored.

        Like the hooks below it runs after the commit, in a thread of its own, or on the
        event loop of an ``async def`` task.
        """
        return self._hooks.add("on_timeout", hook)

    def on_retry(self, hook: Hook5, /) -> Hook5:
        """Have ``hook(task_name, args, kwargs, error, retry_count)`` called when a retry is stored.

        ``retry_count`` is the number of the retry, from 1.
        """
        return self._hooks.add("on_retry", hook)

    def on_dead_letter(self, hook: Hook4, /) -> Hook4:
        """Have ``hook(task_name, args, kwargs, error)`` called when a dead letter is stored.

        Also for a job that was lost too often, by the worker that noticed it.
        """
        return self._hooks.add("on_dead_letter", hook)

    def on_cancel(self, hook: Hook3, /) -> Hook3:
        """Have ``hook(task_name, args, kwargs)`` called when a running job ended ``cancelled``.

        Not for jobs that were cancelled while they were pending.
        """
        return self._hooks.add("on_cancel", hook)

    # Enqueue

    @explains_options
    def enqueue(  # noqa: PLR0913 - the documented order
        self,
        task_name: str,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
        priority: int | None = None,
        delay: Seconds | None = None,
        queue: str | None = None,
        max_retries: int | None = None,
        timeout: Seconds | None = None,
        unique_key: str | None = None,
        metadata: str | Mapping[str, object] | None = None,
        depends_on: Dependencies | None = None,
        expires: Seconds | None = None,
        result_ttl: Seconds | None = None,
        *,
        idempotency_key: str | None = None,
        limit_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> JobResult[Any]:
        """Store a job for a task by name.

        A name that is not registered here is accepted; the job waits for a worker that
        knows it. ``None`` for an option means the task's own setting, else the Queue's.

        Args:
            task_name: Name of the task.
            args: Positional arguments of its function.
            kwargs: Its other arguments.
            priority: Higher runs first; 32 bits with sign.
            delay: Seconds until it is due; negative counts as 0.
            queue: Where it waits; falsy means the task's queue.
            max_retries: Retries after the first attempt.
            timeout: Seconds one attempt may take; 0 means no limit.
            unique_key: At most one pending or running job holds it; that job is returned.
            metadata: Stored verbatim; a mapping as compact JSON.
            depends_on: Jobs, or their ids, that must be complete before it starts; if one
                ends ``dead`` or ``cancelled``, this one is cancelled. ``[]`` means none. Its
                delay counts from the end of the last of them.
            expires: Seconds after which no attempt starts any more; the job is then cancelled
                with the error ``expired before execution``. 0 or less means that it never runs.
            result_ttl: Seconds for which the job is kept after its end; ``None`` means the
                ``result_ttl`` of the Queue whose worker sweeps.
            idempotency_key: At most one job of this task has it; that job is returned.
            limit_key: The ``rate_limit`` and ``max_concurrent`` of the task count the jobs
                with this key apart from all others.
            headers: Travel with the job, at most 8 KiB.

        Returns:
            A handle on the new job, or on the existing one with ``deduplicated`` set.

        Raises:
            TypeError: For a value of the wrong type.
            ValueError: For a value that cannot work.
            SerializationError: If the arguments cannot be serialized.
            PayloadTooLargeError: If they take more than ``max_payload_bytes``.
            DependencyError: If a job of ``depends_on`` does not exist. Nothing is stored.
            StorageError: If the database cannot be written.
        """
        call = JobOptions.of(
            {
                "priority": priority,
                "delay": delay,
                "queue": queue,
                "max_retries": max_retries,
                "timeout": timeout,
                "unique_key": unique_key,
                "metadata": metadata,
                "depends_on": depends_on,
                "expires": expires,
                "result_ttl": result_ttl,
                "idempotency_key": idempotency_key,
                "limit_key": limit_key,
                "headers": headers,
            }
        )
        positional, named = arguments(args), keywords(kwargs)
        settings = self._settings(task_name)
        return self._producer.enqueue(task_name, settings, call, positional, named)

    @explains_options
    def enqueue_many(  # noqa: PLR0913 - the documented order
        self,
        task_name: str,
        args_list: Iterable[Iterable[object]],
        kwargs_list: Iterable[Mapping[str, object] | None] | None = None,
        priority: int | None = None,
        queue: str | None = None,
        max_retries: int | None = None,
        timeout: Seconds | None = None,
        *,
        delay: Seconds | None = None,
        metadata: str | Mapping[str, object] | None = None,
        depends_on: Dependencies | None = None,
        expires: Seconds | None = None,
        result_ttl: Seconds | None = None,
        limit_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        options_list: Iterable[Mapping[str, object]] | None = None,
    ) -> list[JobResult[Any]]:
        """Store many jobs of one task in one transaction: all of them or none.

        Args:
            task_name: Name of the task.
            args_list: Positional arguments of each job.
            kwargs_list: Other arguments of each job, as many as ``args_list`` has.
            priority: As in :meth:`enqueue`, for all jobs, like the options below.
            queue: Where they wait.
            max_retries: Retries after the first attempt.
            timeout: Seconds one attempt may take; 0 means no limit.
            delay: Seconds until they are due.
            metadata: Stored verbatim; a mapping as compact JSON.
            depends_on: Jobs, or their ids, that must be complete before they start.
            expires: Seconds after which no attempt starts any more.
            result_ttl: Seconds for which they are kept after their end.
            limit_key: The limits of the task count the jobs with this key apart.
            headers: Travel with the jobs.
            options_list: Options of each job that go over the common ones, as many as
                ``args_list`` has; ``unique_key`` and ``idempotency_key`` too.

        Returns:
            The jobs in the order of ``args_list``; ``[]`` if that is empty.

        Raises:
            ValueError: If the lengths differ, and as :meth:`enqueue`, which see.
        """
        positional = [arguments(args) for args in listed("args_list", args_list)]
        total = len(positional)
        entries = [None] * total if kwargs_list is None else kwargs_list
        named = [keywords(entry) for entry in _exactly("kwargs_list", entries, total)]
        common = JobOptions.of(
            {
                "priority": priority,
                "delay": delay,
                "queue": queue,
                "max_retries": max_retries,
                "timeout": timeout,
                "metadata": metadata,
                "depends_on": depends_on,
                "expires": expires,
                "result_ttl": result_ttl,
                "limit_key": limit_key,
                "headers": headers,
            }
        )
        calls = list(zip(positional, named, strict=True))
        options: JobOptions | list[JobOptions] = common
        if options_list is not None:
            subject = f"a call of {task_name!r}"
            options = [
                common.merged(JobOptions.of_mapping(entry, subject))
                for entry in _exactly("options_list", options_list, total)
            ]
        settings = self._settings(task_name)
        return self._producer.enqueue_many(task_name, settings, options, calls)

    def _settings(self, task_name: str) -> TaskOptions:
        task = self._tasks.get(string("task_name", task_name))
        return self._defaults if task is None else task.definition.options

    # Reading

    def get_job(self, job_id: str) -> JobResult[Any] | None:
        """Return a handle on a job, or ``None`` if no job has this id."""
        trial = self._producer.trial
        if trial is not None and string("job_id", job_id).startswith("test-"):
            return trial.job(job_id)
        with self._database as store:
            row = store.job(string("job_id", job_id))
        if row is None:
            return None
        return JobResult(self._database, self._serializer, row.id, row=row)

    def list_jobs(  # noqa: PLR0913 - the documented order
        self,
        status: str | None = None,
        queue: str | None = None,
        task_name: str | None = None,
        limit: int = 50,
        offset: int = 0,
        *,
        created_after: "int | datetime | None" = None,
        created_before: "int | datetime | None" = None,
        metadata: str | Mapping[str, object] | None = None,
        error: str | None = None,
        cursor: str | None = None,
    ) -> JobPage:
        """Return jobs, newest first.

        Cursors are stable: while jobs come and change, following ``next_cursor`` gives every
        job that was there at the first page and still matches exactly once, and no newer one.

        Args:
            status: One of ``pending running complete failed dead cancelled``, or
                ``completed`` for ``complete``. No job rests in ``failed``.
            queue: Only jobs of this queue.
            task_name: Only jobs of this task.
            limit: At most so many.
            offset: Skip so many. Slow for large numbers; use ``cursor``.
            created_after: Only jobs stored at this instant or later: milliseconds since the
                epoch, or a datetime with a time zone.
            created_before: Only jobs stored before this instant.
            metadata: Only jobs whose metadata contains this text, in this case of letters; or
                a mapping: metadata is a JSON object in which every given key has that value.
            error: Only jobs whose current error contains this text.
            cursor: The ``next_cursor`` of the page before, with the same filters.

        Returns:
            A list with ``next_cursor``, which is ``None`` on the last page.

        Raises:
            ValueError: For another status, a negative number, a cursor that is none or comes
                with an ``offset``, or a datetime without a time zone.
        """
        which = JobFilter(
            status=status,
            queue=queue,
            task_name=task_name,
            created_after=created_after,
            created_before=created_before,
            metadata=metadata,
            error=error,
        )
        return listing.list_jobs(
            self._database, self._serializer, which, limit=limit, offset=offset, cursor=cursor
        )

    def count_jobs(  # noqa: PLR0913 - the documented order
        self,
        status: str | None = None,
        queue: str | None = None,
        task_name: str | None = None,
        *,
        created_after: "int | datetime | None" = None,
        created_before: "int | datetime | None" = None,
        metadata: str | Mapping[str, object] | None = None,
        error: str | None = None,
    ) -> int:
        """Return how many jobs :meth:`list_jobs` would list with these filters.

        By status, queue and task it is known without counting; the other filters read every
        job.
        """
        which = JobFilter(
            status=status,
            queue=queue,
            task_name=task_name,
            created_after=created_after,
            created_before=created_before,
            metadata=metadata,
            error=error,
        )
        return which.count(self._database)

    def stats(self) -> dict[str, int]:
        """Return how many jobs there are.

        Returns:
            Exactly the keys ``pending running completed failed dead cancelled``;
            ``failed`` is 0.
        """
        with self._database as store:
            return store.stats()

    def job_errors(self, job_id: str) -> list[dict[str, Any]]:
        """Return the failed and lost attempts of a job, oldest first.

        Returns:
            Dicts with ``id job_id attempt`` (from 0) ``error failed_at``; ``[]`` for an
            unknown id.
        """
        return inspection.job_errors(self._database, job_id)

    def task_logs(self, job_id: str) -> list[dict[str, Any]]:
        """Return what a job logged with ``current_job.log()``, oldest first.

        Returns:
            Dicts with ``id job_id task_name level message extra logged_at``; ``extra`` is JSON
            text or ``None``. ``[]`` for an unknown id.
        """
        return inspection.task_logs(self._database, job_id)

    def query_logs(
        self,
        task_name: str | None = None,
        level: str | None = None,
        since: Seconds = 3600,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Return what jobs logged lately, newest first.

        Args:
            task_name: Only lines of jobs of this task.
            level: Only lines of exactly this level.
            since: Only lines of the last so many seconds.
            limit: At most so many.

        Returns:
            Dicts as those of :meth:`task_logs`.
        """
        return inspection.query_logs(
            self._database,
            None if task_name is None else string("task_name", task_name),
            None if level is None else string("level", level),
            duration("since", since),
            count("limit", limit),
        )

    def metrics(
        self, task_name: str | None = None, since: Seconds = 3600
    ) -> dict[str, dict[str, int | float]]:
        """Return how many attempts ran lately, and how long.

        Every attempt counts that returned, raised or ran over its timeout. Samples are kept for
        7 days; those older than a minute by the minute, the percentiles of busy minutes from
        256 samples each.

        Args:
            task_name: Only this task.
            since: Only attempts that ended in the last so many seconds.

        Returns:
            By task, for tasks that ran: dicts with ``count success_count failure_count`` and,
            in milliseconds, ``avg_ms p50_ms p95_ms p99_ms min_ms max_ms``. With the n run times
            sorted, p50 is ``sorted[n // 2]``, p95 ``sorted[int(n * 0.95)]``, p99 likewise.
        """
        return inspection.metrics(
            self._database,
            None if task_name is None else string("task_name", task_name),
            duration("since", since),
        )

    def replay_history(self, job_id: str) -> list[dict[str, Any]]:
        """Return the jobs that :meth:`replay` made of a job, newest first.

        Returns:
            Dicts with ``id original_job_id replay_job_id replayed_at original_error
            replay_error``; ``[]`` for an unknown id.
        """
        return inspection.replay_history(self._database, job_id)

    def check(self, *, limit: int = 1000) -> list[CheckIssue]:
        """Compare pending jobs and schedules with the tasks registered in this program.

        Arguments are decoded, and bound to the functions without calling them.

        Args:
            limit: Stop at so many issues.

        Returns:
            What cannot run as it is, jobs first, oldest first: those of tasks nobody
            registered, arguments that do not fit their function, arguments that cannot be
            decoded.
        """
        count("limit", limit)
        checker = Checker(self._tasks, self._serializer)
        issues = itertools.chain(checker.jobs(self._database), checker.schedules(self._database))
        return list(itertools.islice(issues, limit))

    def workers(self) -> list[dict[str, Any]]:
        """Return the workers that use this database now.

        Returns:
            Dicts with ``worker_id last_heartbeat queues status hostname pid started_at
            tasks concurrency running abandoned version``. ``queues`` is empty for a worker of
            all queues; ``abandoned`` threads are busy with attempts that ran over their
            timeout. ``status`` is ``active``, ``draining``, or ``stale`` after 15 seconds
            without a heartbeat.
        """
        return inspection.workers(self._database)

    def why(self, job_id: str) -> Why:
        """Return why a job does not run, by the rules that workers go by.

        Limits of tasks are those of the worker that started last.

        Returns:
            Every reason that applies, with a code, the instant at which it ends if that is
            known, and details; see :class:`~taskito.Reason`. ``ready`` is true when the job is
            pending and nothing but a free slot is missing.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        return explain(self._database, string("job_id", job_id))

    def list_queues(self) -> list[dict[str, Any]]:
        """Return every queue that has jobs or settings, or that a worker names.

        Returns:
            By name, dicts with ``name paused rate_limit max_concurrent oldest_due_at`` (since
            when the oldest job that is due waits, in ms since the epoch) ``workers`` (how many
            serve it) and the counts of :meth:`stats`.
        """
        return control.list_queues(self._database)

    def stats_by_queue(self) -> dict[str, dict[str, int]]:
        """Return what :meth:`stats` does for every queue that has a job."""
        return control.stats_by_queue(self._database)

    def circuit_breakers(self) -> list[dict[str, Any]]:
        """Return the circuit breaker of every task that declares one.

        Returns:
            By task name, dicts with ``task_name state`` (``closed``, ``open`` or
            ``half_open``) ``failure_count last_failure_at opened_at threshold window_ms
            cooldown_ms``.
        """
        return control.circuit_breakers(self._database)

    # Limits and pausing

    def pause(self, queue: str = "default") -> None:
        """Let no job of a queue start any more, also after restarts. Idempotent.

        When this returns, no worker starts one. Running jobs go on; jobs can be enqueued, and
        schedules fire.
        """
        control.pause(self._database, queue)

    def resume(self, queue: str = "default") -> None:
        """Let jobs of a paused queue start again. Idempotent."""
        control.resume(self._database, queue)

    def paused_queues(self) -> list[str]:
        """Return the names of paused queues, sorted."""
        return control.paused_queues(self._database)

    def drain_worker(self, worker_id: str) -> bool:
        """Ask a worker, of whatever process, to take nothing more and to leave.

        It notices within about a second and then ends as after the first SIGTERM: what runs gets
        its ``drain_timeout`` to finish, :meth:`run_worker` returns, the process ends with 0. It
        is listed as ``draining`` from the return of this call on.

        Args:
            worker_id: As :meth:`workers` has it.

        Returns:
            ``False`` if no living worker has that id. Asking again changes nothing.
        """
        return control.drain_worker(self._database, worker_id)

    def mark(self, text: str, *, who: str = "program") -> None:
        """Mark this instant on the charts of the dashboard, as that of a deployment.

        Remembered for 90 days, among what people did.

        Args:
            text: What is marked, as ``v1.4``: one line of up to 100 letters.
            who: Who marks it.

        Raises:
            ValueError: The text is empty, too long, or more than one line.
        """
        from taskito.bulk import Bulk  # noqa: PLC0415 - for few programs

        Bulk(self).mark(text, who=who)

    def set_queue_rate_limit(self, queue: str, rate: str | None) -> None:
        """Limit how fast attempts of jobs of a queue start, over all workers; stored.

        Args:
            queue: Its name.
            rate: Like ``"10/s"``, ``"100/minute"`` or ``"0.5/h"``; ``None`` for no limit.

        Raises:
            ValueError: For a malformed rate.
        """
        control.set_rate_limit(self._database, queue, rate)

    def set_queue_concurrency(self, queue: str, limit: int | None) -> None:
        """Limit how many jobs of a queue run at once, over all workers; stored.

        Jobs that run already go on.

        Args:
            queue: Its name.
            limit: 1 or more; ``None`` for no limit.
        """
        control.set_concurrency(self._database, queue, limit)

    # Acting on jobs

    def cancel_job(self, job_id: str) -> bool:
        """Cancel a pending job.

        Returns:
            Whether it was pending and is now cancelled; ``False`` for an unknown id.
        """
        with self._database as store:
            return store.cancel(string("job_id", job_id))

    def cancel_running_job(self, job_id: str) -> bool:
        """Ask for a running job to be cancelled.

        A coroutine is cancelled; any other function sees the request in
        ``current_job.check_cancelled()`` and ``is_cancelled()``, both within half a second.
        One that never looks and returns completes its job all the same. If the attempt fails
        or is handed back, the job is cancelled and not tried again.

        Returns:
            Whether it was running.
        """
        with self._database as store:
            return store.cancel_request(string("job_id", job_id))

    def run_now(self, job_id: str) -> bool:
        """Make a job due that waits for its time, its backoff or the end of a snooze.

        It starts as soon as a worker takes it: pauses, limits and other jobs before it count all
        the same. A job that waits for its dependencies is left alone.

        Returns:
            Whether it waited for its time; ``False`` for an unknown id.
        """
        with self._database as store:
            return store.run_now(string("job_id", job_id))

    def replay(self, job_id: str) -> JobResult[Any]:
        """Store a job once more, whatever became of it.

        The new job has its queue, task, arguments, ``priority``, ``max_retries``, ``timeout``,
        ``result_ttl`` and ``limit_key``; its metadata is ``{"replayed_from": "<id>"}``.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        with self._database as store:
            copy = store.replay(string("job_id", job_id))
        if copy is None:
            raise JobNotFoundError(f"job not found: {job_id}")
        return JobResult(self._database, self._serializer, copy)

    def update_progress(self, job_id: str, progress: int) -> None:
        """Say how far a job has come, from 0 to 100, in whatever status it is.

        Raises:
            JobNotFoundError: If there is no such job.
            ValueError: For a number below 0 or above 100.
        """
        percent = integer("progress", progress, 0, 100)
        with self._database as store:
            found = store.set_progress(string("job_id", job_id), percent)
        if not found:
            raise JobNotFoundError(f"job not found: {job_id}")

    def snapshot(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> "Path":
        """Write the database as it is now to another file, while everybody goes on.

        The copy is one file with a single consistent state. It appears under its name whole or
        not at all, survives power loss when this returns, and can be opened by a Queue or by
        any SQLite. Jobs that run now are running in the copy as well: a worker that is
        started on it recovers them.

        Args:
            path: The new file; its directory must exist.
            overwrite: Replace a file that exists.

        Returns:
            ``path``.

        Raises:
            FileExistsError: If there is a file, or the log of one, and ``overwrite`` is false.
            ValueError: If it is the database itself.
            StorageError: If the copy cannot be written; what was begun is removed.
        """
        from pathlib import Path  # noqa: PLC0415 - slow to load, rarely needed

        from taskito._snapshot import snapshot  # noqa: PLC0415

        return snapshot(self._database, Path(path), overwrite=overwrite)

    # Locks. docs/locks.md says what they promise.

    def lock(self, name: str, ttl: Seconds = 30, timeout: Seconds | None = None) -> "Lock":
        """Return a lock that at most one holder has, over all processes of the database.

        ``with queue.lock("report"):`` waits for it and gives it back. Nothing happens before
        that: making one opens no file and takes no lock.

        Args:
            name: Which lock. It needs no declaration.
            ttl: Seconds after which a holder that died has lost it. While it is held, it is
                renewed every third of that.
            timeout: Seconds to wait for it; ``None`` waits without limit, 0 tries once.

        Raises:
            TypeError: For an argument of the wrong type.
            ValueError: For an empty name, a ``ttl`` of 0 or less, or a negative ``timeout``.
        """
        from taskito.lock import Lock  # noqa: PLC0415 - rarely needed

        return Lock(self._lock_database, name, ttl, timeout)

    def alock(self, name: str, ttl: Seconds = 30, timeout: Seconds | None = None) -> "AsyncLock":
        """Return what :meth:`lock` returns, for ``async with``; the event loop goes on."""
        from taskito.lock import AsyncLock  # noqa: PLC0415 - rarely needed

        return AsyncLock(self._lock_database, name, ttl, timeout)

    def _lock_database(self) -> Database:
        """Return where locks live now: in test mode, in memory."""
        trial = self._producer.trial
        return self._database if trial is None else trial.locks

    # Dead letters

    def dead_letters(
        self,
        limit: int = 10,
        offset: int = 0,
        *,
        task_name: str | None = None,
        queue: str | None = None,
        cursor: str | None = None,
    ) -> Page[dict[str, Any]]:
        """Return jobs that will not be tried again, newest first.

        Args:
            limit: At most so many.
            offset: Skip so many.
            task_name: Only those of this task.
            queue: Only those of this queue.
            cursor: The ``next_cursor`` of the page before, with the same filters.

        Returns:
            A list, with ``next_cursor``, of dicts with ``id original_job_id queue task_name
            error retry_count failed_at metadata``.
        """
        return listing.dead_letters(
            self._database,
            task_name=task_name,
            queue=queue,
            limit=limit,
            offset=offset,
            cursor=cursor,
        )

    def retry_dead(self, dead_id: str) -> str:
        """Store the job of a dead letter again and remove the letter, in one transaction.

        Args:
            dead_id: The ``id`` of an entry of :meth:`dead_letters`.

        Returns:
            Id of the new job. The old one stays ``dead``.

        Raises:
            JobNotFoundError: If there is no such letter.
        """
        with self._database as store:
            return store.revive(string("dead_id", dead_id))

    def retry_all_dead(
        self, task_name: str | None = None, queue: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Retry every dead letter that is there now as :meth:`retry_dead` does.

        Each is retried exactly once, also when several callers do this at the same time.

        Args:
            task_name: Only those of this task.
            queue: Only those of this queue.
            limit: At most so many.

        Returns:
            Ids of the new jobs, oldest letter first.
        """
        return retention.retry_all_dead(
            self._database,
            queue=None if queue is None else string("queue", queue),
            task=None if task_name is None else string("task_name", task_name),
            limit=None if limit is None else count("limit", limit),
        )

    def delete_dead(self, dead_id: str) -> bool:
        """Remove one dead letter; the job stays ``dead``. ``False`` for an unknown id."""
        with self._database as store:
            return store.discard([string("dead_id", dead_id)]) == 1

    def purge_dead(
        self,
        older_than: Seconds = 86400,
        *,
        task_name: str | None = None,
        queue: str | None = None,
    ) -> int:
        """Remove the dead letters of jobs that died more than ``older_than`` seconds ago.

        The jobs stay ``dead``; :meth:`purge_jobs` deletes those.

        Returns:
            How many letters were removed.
        """
        return retention.purge_dead(
            self._database,
            duration("older_than", older_than),
            queue=None if queue is None else string("queue", queue),
            task=None if task_name is None else string("task_name", task_name),
        )

    # Retention

    def purge_completed(self, older_than: Seconds = 86400) -> int:
        """Delete ``complete`` jobs that ended more than ``older_than`` seconds ago.

        See :meth:`purge_jobs`.
        """
        return self.purge_jobs("complete", older_than=older_than)

    def purge_jobs(
        self,
        status: str,
        *,
        older_than: Seconds = 86400,
        queue: str | None = None,
        task_name: str | None = None,
    ) -> int:
        """Delete finished jobs that ended more than ``older_than`` seconds ago.

        Their results, errors, logs, dead letters, dependency edges and replay records go with
        them. A job that an unfinished one depends on is kept. Works through any number of jobs
        in small portions, so that workers and producers go on meanwhile.

        Args:
            status: ``complete``, ``dead`` or ``cancelled``.
            older_than: Seconds since their end; 0 means all that have ended.
            queue: Only jobs of this queue.
            task_name: Only jobs of this task.

        Returns:
            How many jobs were deleted.

        Raises:
            ValueError: For another status, or a negative duration.
        """
        return retention.purge_jobs(
            self._database,
            status,
            duration("older_than", older_than),
            queue=None if queue is None else string("queue", queue),
            task=None if task_name is None else string("task_name", task_name),
        )

    # Worker

    def run_worker(
        self,
        queues: str | Iterable[str] | None = None,
        *,
        workers: int | None = None,
        drain_timeout: Seconds | None = None,
    ) -> None:
        """Run jobs in this process; block until shut down.

        In the main thread it handles SIGINT and SIGTERM until it returns: the first lets
        running jobs finish, the second hands them back at once. In other threads it
        installs no handlers. Several workers may share a database.

        Args:
            queues: Names, or one name; ``None`` or empty means all.
            workers: Threads that run jobs; ``None`` means the Queue's ``workers``, 0 one
                for every CPU.
            drain_timeout: Seconds for running jobs to finish; ``None`` means the Queue's.

        Raises:
            StorageError: If the database cannot be used.
        """
        self._run(self._worker(queues, workers, drain_timeout))

    async def arun_worker(
        self,
        queues: str | Iterable[str] | None = None,
        *,
        workers: int | None = None,
        drain_timeout: Seconds | None = None,
    ) -> None:
        """Await what :meth:`run_worker` does, in a thread; installs no signal handlers.

        Cancellation lets running jobs finish within ``drain_timeout`` and is raised when
        the worker has ended; a second one hands them back at once.
        """
        from asyncio import to_thread  # noqa: PLC0415 - asyncio is large

        from taskito.aio import run_in_thread  # noqa: PLC0415 - likewise

        worker = await to_thread(self._worker, queues, workers, drain_timeout)
        await run_in_thread(worker, lambda: self._run(worker))

    def shutdown(self, *, wait: bool = False, now: bool = False) -> None:
        """End every worker that was started from this object in this process.

        Safe in signal handlers. Without a worker it does nothing.

        Args:
            wait: Return when they have ended; do not ask for it from inside a task.
            now: Hand running jobs back instead of letting them finish.
        """
        live = [worker for worker in tuple(self._workers) if worker.is_ours]
        for worker in live:
            if now:
                worker.stop()
            else:
                worker.drain()
        if wait:
            for worker in live:
                worker.join()

    def _worker(
        self,
        queues: str | Iterable[str] | None = None,
        workers: int | None = None,
        drain_timeout: Seconds | None = None,
    ) -> "Worker":
        from taskito._worker import Worker  # noqa: PLC0415 - loads the engine

        threads = self._threads if workers is None else count("workers", workers)
        return Worker(
            self._database,
            self._make_runner,
            threads=threads or _cpus(),
            coroutines=self._coroutines,
            queues=_queue_names(queues),
            result_ttl_ms=self._result_ttl_ms,
            drain_ms=self._drain_ms
            if drain_timeout is None
            else duration("drain_timeout", drain_timeout),
        )

    def _make_runner(self, engine: "Engine", *, stepped: bool = False) -> "Runner":
        from taskito._payloads import Payloads  # noqa: PLC0415 - loads the engine
        from taskito._runner import Runner  # noqa: PLC0415 - loads the engine

        return Runner(
            engine,
            database=self._database,
            tasks=self._tasks,
            hooks=self._hooks,
            payloads=Payloads(self._serializer, self._sizes, self._previews),
            stepped=stepped,
        )

    def _run(self, worker: "Worker", on_ready: Callable[[], None] | None = None) -> int | None:
        """Run a worker; the number of the second signal if one ended it."""
        self._workers.add(worker)
        try:
            worker.declare(self._schedules.plans())
            return worker.run(self._tasks, on_ready)
        finally:
            self._workers.discard(worker)

    @contextmanager
    def _stepping(self) -> "Generator[SteppedWorker]":
        """Give a worker that runs jobs when it is told to, in the calling thread."""
        from taskito._stepped import SteppedWorker  # noqa: PLC0415 - loads the engine

        worker = SteppedWorker(
            self._database,
            functools.partial(self._make_runner, stepped=True),
            result_ttl_ms=self._result_ttl_ms,
        )
        self._workers.add(worker)
        try:
            worker.declare(self._schedules.plans())
            worker.enter(self._tasks)
            yield worker
        finally:
            worker.close()
            self._workers.discard(worker)

    # Tests

    def test_mode(self, propagate_errors: bool = False) -> "TestMode":  # noqa: FBT001, FBT002 - the documented order
        """Run jobs at once where they are enqueued, without any database, for tests.

        ``with queue.test_mode() as results:``; see :class:`taskito.TestMode`.

        Args:
            propagate_errors: Let what a task raises reach whoever enqueued it.
        """
        from taskito.testing import TestMode  # noqa: PLC0415 - it needs what we need

        return TestMode(self, propagate_errors)

    # Life

    def close(self) -> None:
        """End all workers as :meth:`shutdown` does, wait for them, release the database.

        Locks that are held by way of this object are given back. Idempotent. Later use of the
        queue raises :class:`QueueClosedError`.
        """
        self.shutdown(wait=True)
        self._database.close()

    # The same for coroutines

    aenqueue = twin(enqueue)
    aenqueue_many = twin(enqueue_many)
    aget_job = twin(get_job)
    alist_jobs = twin(list_jobs)
    acount_jobs = twin(count_jobs)
    astats = twin(stats)
    ajob_errors = twin(job_errors)
    aworkers = twin(workers)
    atask_logs = twin(task_logs)
    aquery_logs = twin(query_logs)
    ametrics = twin(metrics)
    areplay_history = twin(replay_history)
    acheck = twin(check)
    astats_by_queue = twin(stats_by_queue)
    alist_queues = twin(list_queues)
    acircuit_breakers = twin(circuit_breakers)
    awhy = twin(why)
    apause = twin(pause)
    aresume = twin(resume)
    adrain_worker = twin(drain_worker)
    amark = twin(mark)
    apaused_queues = twin(paused_queues)
    aset_queue_rate_limit = twin(set_queue_rate_limit)
    aset_queue_concurrency = twin(set_queue_concurrency)
    acancel_job = twin(cancel_job)
    acancel_running_job = twin(cancel_running_job)
    arun_now = twin(run_now)
    areplay = twin(replay)
    aupdate_progress = twin(update_progress)
    asnapshot = twin(snapshot)
    adead_letters = twin(dead_letters)
    aretry_dead = twin(retry_dead)
    aretry_all_dead = twin(retry_all_dead)
    adelete_dead = twin(delete_dead)
    apurge_dead = twin(purge_dead)
    apurge_completed = twin(purge_completed)
    apurge_jobs = twin(purge_jobs)
    alist_periodic = twin(list_periodic)
    apause_periodic = twin(pause_periodic)
    aresume_periodic = twin(resume_periodic)
    adelete_periodic = twin(delete_periodic)
    atrigger_periodic = twin(trigger_periodic)
    ashutdown = twin(shutdown)
    aclose = twin(close)

    async def __aenter__(self) -> Self:
        """Return the queue itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the queue; the event loop goes on meanwhile."""
        await self.aclose()

    def __enter__(self) -> Self:
        """Return the queue itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the queue."""
        self.close()

    def __repr__(self) -> str:
        """Show the database."""
        return f"<Queue {self.db_path!r}>"


class _Inner:
    """Stands for the engine object that 0.2 showed under this name."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def request_shutdown(self) -> None:
        """Do what :meth:`Queue.shutdown` does."""
        self._queue.shutdown()


def _exactly(name: str, entries: Iterable[R], total: int) -> Sequence[R]:
    found = listed(name, entries)
    if len(found) != total:
        message = f"{name} must have as many entries as args_list, {total}, got {len(found)}"
        raise ValueError(message)
    return found


def _queue_names(queues: str | Iterable[str] | None) -> list[str]:
    names = [queues] if isinstance(queues, str) else listed("queues", queues or ())
    return [name for name in names if storable("a name of queues", name)]


def _cpus() -> int:
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1

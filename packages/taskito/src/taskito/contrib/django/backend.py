"""The backend for Django's tasks: durable, with retries and crash recovery."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import transaction
from django.utils import timezone

from taskito.contrib.django._attempts import TRIAL, Reporter
from taskito.contrib.django._interface import (
    AnyResult,
    AnyTask,
    BaseTaskBackend,
    TaskResult,
    TaskResultStatus,
    task_enqueued,
)
from taskito.contrib.django._json import JsonArguments
from taskito.contrib.django._options import CHECKS_OF_JOBS, check_options
from taskito.contrib.django._results import BACKEND_HEADER, RUN_AFTER_HEADER, stored_result
from taskito.contrib.django._task import TaskitoTask, check_settings
from taskito.contrib.django._tasks import register
from taskito.contrib.django.settings import get_queue, queue_at
from taskito.options import CallOptions, JobOptions

if TYPE_CHECKING:
    from datetime import datetime

    from taskito.contrib.django._interface import Task
    from taskito.queue import Queue
    from taskito.testing._trial import Trial

__all__ = ["TaskitoBackend"]

P = ParamSpec("P")
R = TypeVar("R")


class TaskitoBackend(BaseTaskBackend):
    """Stores tasks as jobs of taskito; ``manage.py taskito_worker`` runs them.

    In ``TASKS``, ``OPTIONS`` may have ``db_path`` (a database of its own; the default is that
    of ``TASKITO_DB_PATH``), ``max_retries``, ``timeout`` and ``result_ttl`` (seconds) of its
    jobs, and ``ENQUEUE_ON_COMMIT``. The three are also arguments of ``@task`` and ``using``,
    which go before. With ``ENQUEUE_ON_COMMIT``, the default, a task that is enqueued inside a
    transaction of the default database is stored when that commits, and dropped with it or
    with its savepoint. Its result has its final id from the beginning, and
    ``get_result`` finds it once it is stored.

    Arguments and results are JSON; nothing is pickled. Delivery is at least once: an attempt
    is repeated when it fails, runs over its timeout, or loses its worker.
    """

    task_class = TaskitoTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: Mapping[str, Any]) -> None:
        """Check the options; open nothing.

        Raises:
            ImproperlyConfigured: For an unknown option, or a value that cannot work.
        """
        super().__init__(alias, dict(params))
        check_options(alias, self.options)
        self._waits_for_commit: bool = self.options.get("ENQUEUE_ON_COMMIT", True)

    @property
    def queue(self) -> "Queue":
        """The queue that has the jobs of this backend, one for each database and process."""
        queue = get_queue()
        path = self.options.get("db_path")
        return queue if path is None or str(path) == queue.db_path else queue_at(str(path))

    def validate_task(self, task: AnyTask) -> None:
        """Refuse what cannot run, and let workers of this process run the rest.

        Raises:
            InvalidTask: For a function that is not at the top of a module, a priority outside
                of -100 to 100, a naive ``run_after``, a queue that is not one of ``QUEUES``, a
                setting of :class:`TaskitoTask` that cannot work.
        """
        super().validate_task(task)
        check_settings(task)
        queue = self.queue
        register(queue, task, Reporter(queue))

    def enqueue(self, task: "Task[P, R]", args: Any, kwargs: Any) -> "TaskResult[P, R]":
        """Store a job, now or when the transaction commits.

        Raises:
            InvalidTask: As :meth:`validate_task`.
            TypeError: If arguments are no JSON.
            ValueError: Likewise.
            StorageError: If the database cannot be written; of a deferred job it is raised
                where the transaction ends, which is committed then.
        """
        self.validate_task(task)
        result: TaskResult[P, R] = TaskResult(
            task=task,
            id=str(uuid.uuid4()),
            status=TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        connection = transaction.get_connection()
        if self._waits_for_commit and (connection.in_atomic_block or _is_manual(connection)):
            # What cannot be stored is refused here and not when it is too late.
            self.queue._producer.payload(  # noqa: SLF001 - of our own package
                task.module_path, JsonArguments(result.args), result.kwargs
            )
            connection.on_commit(lambda: self._store(result, key=result.id))
        else:
            self._store(result, key=None)
        return result

    def get_result(self, result_id: str) -> AnyResult:
        """Return the present state of a result, whichever process enqueued it.

        Raises:
            TaskResultDoesNotExist: If there is none, or its transaction has not been committed.
            TaskResultMismatch: If its task cannot be found in the program any more.
        """
        trial = self.queue._producer.trial  # noqa: SLF001 - of our own package
        if trial is not None and (known := _TRIALS.get(trial, {}).get(result_id)) is not None:
            return known
        return stored_result(self.queue, result_id)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Return what keeps this backend from working."""
        found: list[checks.CheckMessage] = list(super().check(**kwargs))
        if not apps.is_installed("taskito.contrib.django"):
            message = f"TASKS[{self.alias!r}] uses taskito, which is not an installed application"
            hint = "add 'taskito.contrib.django' to INSTALLED_APPS"
            found.append(checks.Error(message, hint=hint, id="taskito.E005"))
        return found

    def _store(self, result: AnyResult, *, key: str | None) -> None:
        """Store the job of a result; with a ``key`` it is found by that besides its own id."""
        producer = self.queue._producer  # noqa: SLF001 - of our own package
        task: AnyTask = result.task
        name, args = task.module_path, JsonArguments(result.args)
        options = self.queue._settings(name)  # noqa: SLF001 - likewise
        call = JobOptions.of(self._options(task, key))
        token = TRIAL.set(result)
        try:
            if producer.trial is not None:
                _remember(producer.trial, result)
            object.__setattr__(result, "enqueued_at", timezone.now())
            job = producer.enqueue(name, options, call, args, result.kwargs)
        finally:
            TRIAL.reset(token)
        if key is None:
            object.__setattr__(result, "id", job.id)
            if producer.trial is not None:
                _remember(producer.trial, result)
        task_enqueued.send(type(self), task_result=result)

    def _options(self, task: AnyTask, key: str | None) -> CallOptions:
        headers = {BACKEND_HEADER: self.alias}
        options: CallOptions = {
            "priority": int(task.priority),
            "queue": task.queue_name,
            "headers": headers,
            "idempotency_key": key,
        }
        if task.run_after is not None:
            headers[RUN_AFTER_HEADER] = task.run_after.isoformat()
            options["delay"] = _seconds_until(task.run_after)
        for name in CHECKS_OF_JOBS:
            value = getattr(task, name, None)
            if value is None:
                value = self.options.get(name)
            if value is not None:
                options[name] = value  # type: ignore[literal-required]
        return options


_TRIALS: "WeakKeyDictionary[Trial, dict[str, AnyResult]]" = WeakKeyDictionary()


def _remember(trial: "Trial", result: AnyResult) -> None:
    _TRIALS.setdefault(trial, {})[result.id] = result


def _is_manual(connection: Any) -> bool:
    """Return whether a program commits by itself, where ``on_commit`` explains itself."""
    return connection.connection is not None and not connection.autocommit


def _seconds_until(instant: "datetime") -> float:
    aware = instant if settings.USE_TZ else timezone.make_aware(instant)
    now = timezone.now() if settings.USE_TZ else timezone.make_aware(timezone.now())
    return max(0.0, (aware - now).total_seconds())

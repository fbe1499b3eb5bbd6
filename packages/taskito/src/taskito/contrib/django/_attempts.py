"""What Django's tasks promise around an attempt: signals, its context, who ran it."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from taskito.contrib.django._connections import close_old_connections, in_sync_thread, is_trial
from taskito.contrib.django._interface import (
    AnyResult,
    TaskError,
    TaskResultDoesNotExist,
    TaskResultMismatch,
    TaskResultStatus,
    task_backends,
    task_finished,
    task_started,
)
from taskito.contrib.django._results import Ended, exception_path, stored_result
from taskito.contrib.django._tasks import RESULT
from taskito.exceptions import Snooze
from taskito.middleware import TaskMiddleware

if TYPE_CHECKING:
    from django.dispatch import Signal

    from taskito.context import JobContext
    from taskito.queue import Queue

TRIAL: ContextVar[AnyResult] = ContextVar("taskito_trial_result")
"""The result of the job that is being enqueued in test mode, where it runs at once."""


class Reporter(TaskMiddleware):
    """Sends the signals of one queue's tasks and notes who ran each attempt.

    ``task_finished`` of a success is sent just before it is stored, that of a failure just
    after: only then it is certain that no attempt follows.
    """

    def __init__(self, queue: "Queue") -> None:
        """Report on jobs of ``queue``."""
        self._queue = queue

    def before(self, ctx: "JobContext") -> None:
        """Tell that an attempt starts."""
        if is_trial(ctx):
            given = TRIAL.get(None)
            if given is None or given.task.module_path != ctx.task_name:
                return  # enqueued by its name alone, so nobody has a result of it
            result = given
            _begin_trial(result)
        else:
            result = stored_result(self._queue, ctx.id)
            _change(result, status=TaskResultStatus.RUNNING)
        setattr(ctx, RESULT, result)
        _send(task_started, result)

    def on_success(self, ctx: "JobContext", result: Any) -> None:
        """Tell that the task has succeeded."""
        known = _known(ctx)
        if known is not None:
            _change(
                known,
                status=TaskResultStatus.SUCCESSFUL,
                finished_at=timezone.now(),
                _return_value=result,
            )
            _send(task_finished, known)

    def on_failure(self, ctx: "JobContext", error: BaseException) -> None:
        """In test mode, which has no other attempts, tell that the task has failed."""
        known = _known(ctx)
        if known is not None and is_trial(ctx):
            text = TaskError(exception_class_path=exception_path(error), traceback=_text(error))
            _change(known, status=TaskResultStatus.FAILED, finished_at=timezone.now())
            known.errors.append(text)
            _send(task_finished, known, error)

    def after(self, ctx: "JobContext", result: Any, error: BaseException | None) -> None:
        """Note who ran the attempt and what it raised, with its outcome or not at all."""
        del result
        known = _known(ctx)
        if known is None or is_trial(ctx) or isinstance(error, Snooze) or not known.worker_ids:
            return
        path = None if error is None else exception_path(error)
        ended = Ended(ctx.retry_count, known.worker_ids[-1], path, 0)
        word = "succeeded" if error is None else "failed"
        ctx.log(f"attempt {ctx.attempt} {word}", level="debug", extra=ended.as_extra())

    def on_dead_letter(self, ctx: "JobContext", error: BaseException) -> None:
        """Tell that the task has failed for good."""
        self._failed(ctx, error)

    def on_cancel(self, ctx: "JobContext") -> None:
        """Tell that the task was called off while it ran."""
        self._failed(ctx, None)

    def _failed(self, ctx: "JobContext", error: BaseException | None) -> None:
        try:
            result = stored_result(self._queue, ctx.id)
        except (TaskResultDoesNotExist, TaskResultMismatch):  # deleted since
            known = _known(ctx)
            if known is None:
                return
            result = known
            _change(result, status=TaskResultStatus.FAILED, finished_at=timezone.now())
        # Hooks that follow a commit have a thread of their own.
        in_sync_thread(close_old_connections)
        _send(task_finished, result, error)
        in_sync_thread(close_old_connections)


def _known(ctx: "JobContext") -> AnyResult | None:
    found: AnyResult | None = vars(ctx).get(RESULT)
    return found


def _begin_trial(result: AnyResult) -> None:
    now = timezone.now()
    _change(result, status=TaskResultStatus.RUNNING, started_at=now, last_attempted_at=now)
    result.worker_ids.append("test")


def _change(result: AnyResult, **fields: object) -> None:
    for name, value in fields.items():
        object.__setattr__(result, name, value)


def _send(signal: "Signal", result: AnyResult, error: BaseException | None = None) -> None:
    """Send a signal where receivers may use the ORM, with ``error`` as the current exception.

    What a receiver raises is logged by Django and stops neither the others nor the job.
    """
    sender = _sender(result.backend)

    def send() -> None:
        if error is None:
            signal.send_robust(sender, task_result=result)
            return
        frames = error.__traceback__
        try:
            raise error  # noqa: TRY301 - here it becomes the current one
        except BaseException:  # noqa: BLE001 - receivers ask sys.exc_info() for it
            signal.send_robust(sender, task_result=result)
        finally:
            error.__traceback__ = frames

    in_sync_thread(send)


def _sender(alias: str) -> type:
    try:
        return type(task_backends[alias])
    except (ImproperlyConfigured, ImportError):
        from taskito.contrib.django.backend import TaskitoBackend  # noqa: PLC0415 - it needs us

        return TaskitoBackend


def _text(error: BaseException) -> str:
    from taskito._failures import error_text  # noqa: PLC0415 - only in tests

    return error_text(error)

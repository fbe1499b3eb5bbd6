"""What became of an attempt that raised: the outcome for the engine, and a line for the log."""

import logging
from typing import TYPE_CHECKING

from taskito._causes import cause_of
from taskito._core import Outcome
from taskito._failures import error_text, summary
from taskito._joblog import is_logged, log_about
from taskito.exceptions import Cancel, Retry, Snooze, TaskCancelledError

if TYPE_CHECKING:
    from taskito.context import JobContext
    from taskito.options import TaskOptions


def outcome_of(
    error: BaseException, context: "JobContext", options: "TaskOptions", *, final: bool = False
) -> Outcome:
    """Return the outcome of an attempt that raised ``error``, and log it.

    A ``final`` failure is not retried, whatever the task's filters say. Never raises.
    """
    try:
        match error:
            case Snooze():
                return _snoozed(error, context)
            case Cancel():
                return _cancelled(error.reason or "cancelled by task", context)
            case TaskCancelledError():
                return _cancelled("cancelled by request", context)
            case Retry():
                return _failed(error, context, retryable=True, delay_ms=error.delay_ms)
            case _:
                retryable = not final and options.retries(error)
                return _failed(error, context, retryable=retryable)
    except BaseException:  # noqa: BLE001 - code of the application runs here: __instancecheck__
        return _failed(error, context, retryable=not final)


def _failed(
    error: BaseException, context: "JobContext", *, retryable: bool, delay_ms: int | None = None
) -> Outcome:
    log_failure(error, context, retryable=retryable)
    return Outcome.failed(
        error_text(error), retryable=retryable, delay_ms=delay_ms, cause=cause_of(error)
    )


def log_failure(error: BaseException, context: "JobContext", *, retryable: bool) -> None:
    """Log a failed attempt: an error if it was the last one."""
    last = not retryable or context.retry_count >= context.max_retries
    level = logging.ERROR if last else logging.INFO
    if not is_logged(level):
        return
    log_about(
        context,
        level,
        "%s failed, attempt %d of %d%s, job %s: %s",
        context.task_name,
        context.attempt,
        context.max_retries + 1,
        ", and will not be retried" if last else "",
        context.id,
        summary(error),
    )


def _snoozed(error: Snooze, context: "JobContext") -> Outcome:
    log_about(
        context,
        logging.DEBUG,
        "%s snoozed for %.3f s, job %s: %s",
        context.task_name,
        error.delay_ms / 1000,
        context.id,
        summary(error),
    )
    return Outcome.snoozed(error.delay_ms)


def _cancelled(reason: str, context: "JobContext") -> Outcome:
    log_about(
        context,
        logging.INFO,
        "%s cancelled, job %s: %s",
        context.task_name,
        context.id,
        reason,
    )
    return Outcome.cancelled(reason)

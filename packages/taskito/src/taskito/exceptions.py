"""Every exception taskito raises on its own account, and those that a task may raise.

Longer than other files because the tree is read best in one piece. Indent is inheritance;
in parentheses the builtins each also inherits::

    TaskitoError (Exception)
    ├─ TaskFailedError (RuntimeError)
    │  └─ MaxRetriesExceededError
    ├─ ResultTimeout (TimeoutError)
    ├─ TaskCancelledError (RuntimeError)
    │  └─ DependencyFailedError (DependencyError too)
    ├─ TaskTimeoutError (TimeoutError)
    ├─ SoftTimeoutError
    ├─ WorkerLostError (RuntimeError)
    ├─ SerializationError (TypeError)
    │  ├─ PayloadTooLargeError (ValueError)
    │  └─ SignatureError (ValueError)
    ├─ QueueError
    │  ├─ JobNotFoundError (KeyError, RuntimeError, ValueError)
    │  ├─ DependencyError (RuntimeError, ValueError)
    │  ├─ TaskNotRegisteredError (KeyError)
    │  ├─ ScheduleNotFoundError (KeyError)
    │  ├─ LockNotAcquiredError (TimeoutError)
    │  ├─ QueueClosedError (RuntimeError)
    │  └─ StorageError (RuntimeError)
    │     └─ SchemaVersionError
    ├─ ConfigurationError (ValueError)
    │  └─ CronError
    ├─ NoJobContextError (RuntimeError)
    ├─ CircuitBreakerOpenError
    ├─ RateLimitExceededError
    └─ Retry, Snooze, Cancel: a task raises them to say how its attempt ends

Bad arguments raise plain ``TypeError`` and ``ValueError``.
"""

from typing import Any

from taskito._checks import Seconds, milliseconds, string

__all__ = [
    "Cancel",
    "CircuitBreakerOpenError",
    "ConfigurationError",
    "CronError",
    "DependencyError",
    "DependencyFailedError",
    "JobNotFoundError",
    "LockNotAcquiredError",
    "MaxRetriesExceededError",
    "NoJobContextError",
    "PayloadTooLargeError",
    "QueueClosedError",
    "QueueError",
    "RateLimitExceededError",
    "ResultTimeout",
    "Retry",
    "ScheduleNotFoundError",
    "SchemaVersionError",
    "SerializationError",
    "SignatureError",
    "Snooze",
    "SoftTimeoutError",
    "StorageError",
    "TaskCancelledError",
    "TaskFailedError",
    "TaskNotRegisteredError",
    "TaskTimeoutError",
    "TaskitoError",
    "WorkerLostError",
]


def _restored(
    kind: type["TaskitoError"], args: tuple[object, ...], facts: dict[str, Any]
) -> "TaskitoError":
    """Rebuild a pickled exception without calling its ``__init__``."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(facts)
    return error


class TaskitoError(Exception):
    """Base of all taskito errors.

    Attributes:
        hint: What to do about it, or ``None``. ``str()`` shows it on a line of its own.
    """

    hint: str | None

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        """Keep ``message`` as the only argument and ``hint`` beside it."""
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        """Return the message, then the hint on its own line."""
        message = str(self.args[0]) if self.args else ""
        return f"{message}\nhint: {self.hint}" if self.hint else message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with every attribute, whatever the constructor takes."""
        return _restored, (type(self), self.args, self.__dict__)


class TaskFailedError(TaskitoError, RuntimeError):
    """A job ended ``dead``: an attempt failed and no other will be made.

    Attributes:
        job_id: The job.
        task_name: Name of its task.
        error: Text of the last failure, usually a formatted traceback.
        attempts: How many attempts failed or were lost.
        exception_type: Class name of the exception as printed in ``error``, or ``None``
            if the text shows none.
    """

    def __init__(  # noqa: PLR0913 - all facts are keyword-only
        self,
        message: str = "",
        *,
        job_id: str = "",
        task_name: str = "",
        error: str = "",
        attempts: int = 0,
        exception_type: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Store the facts as attributes."""
        super().__init__(message, hint=hint)
        self.job_id = job_id
        self.task_name = task_name
        self.error = error
        self.attempts = attempts
        self.exception_type = exception_type


class MaxRetriesExceededError(TaskFailedError):
    """A job ended ``dead`` because its last allowed retry failed too."""


class ResultTimeout(TaskitoError, TimeoutError):  # noqa: N818 - a documented name
    """A job was still unfinished at the deadline of ``result()``.

    Attributes:
        job_id: The job.
        status: Its status at the deadline.
    """

    def __init__(
        self, message: str = "", *, job_id: str = "", status: str = "", hint: str | None = None
    ) -> None:
        """Store the facts as attributes."""
        super().__init__(message, hint=hint)
        self.job_id = job_id
        self.status = status


class TaskCancelledError(TaskitoError, RuntimeError):
    """The job was cancelled, so it has no result.

    ``check_cancelled()`` raises it in a running task, and so may the task itself: the job
    ends ``cancelled`` with the error ``cancelled by request``.
    """


class TaskTimeoutError(TaskitoError, TimeoutError):
    """An attempt ran longer than its ``timeout``.

    It names the failure in the job's errors, and ``retry_on`` and ``dont_retry_on`` know a
    timeout by it. In the task only ``check_timeout()`` raises it.
    """


class SoftTimeoutError(TaskitoError):
    """An attempt ran longer than its ``soft_timeout``; ``check_timeout()`` raises it."""


class WorkerLostError(TaskitoError, RuntimeError):
    """A worker died during the attempt.

    Nothing raises it: it names the loss in the job's errors.
    """


class SerializationError(TaskitoError, TypeError):
    """Arguments or a result could not be turned into bytes, or back; see ``__cause__``."""


class PayloadTooLargeError(SerializationError, ValueError):
    """Serialized arguments or a serialized result exceed ``max_payload_bytes``."""


class SignatureError(SerializationError, ValueError):
    """Stored bytes were not signed with a known key, or were changed since."""


class QueueError(TaskitoError):
    """Base of errors about a queue and its database."""


class JobNotFoundError(QueueError, KeyError, RuntimeError, ValueError):
    """No job or dead letter has this id."""


class DependencyError(QueueError, RuntimeError, ValueError):
    """A job that ``depends_on`` names does not exist. Nothing was stored."""


class DependencyFailedError(TaskCancelledError, DependencyError):
    """The job was cancelled because one that it depends on ended ``dead`` or ``cancelled``.

    Attributes:
        job_id: The job.
        root_id: The job that ended first and took this one with it.
    """

    def __init__(
        self, message: str = "", *, job_id: str = "", root_id: str = "", hint: str | None = None
    ) -> None:
        """Store the facts as attributes."""
        super().__init__(message, hint=hint)
        self.job_id = job_id
        self.root_id = root_id


class TaskNotRegisteredError(QueueError, KeyError):
    """No function is registered under this task name where one is needed."""


class ScheduleNotFoundError(QueueError, KeyError):
    """No schedule has this name."""


class LockNotAcquiredError(QueueError, TimeoutError):
    """A lock was still held by somebody else at the deadline."""


class QueueClosedError(QueueError, RuntimeError):
    """The ``Queue`` was closed and can no longer be used."""


class StorageError(QueueError, RuntimeError):
    """The database could not be created, opened, read or written.

    The same ``Queue`` works again once the cause is gone.

    Attributes:
        path: The database file, or ``None`` if it is unknown.
    """

    def __init__(
        self, message: str = "", *, path: str | None = None, hint: str | None = None
    ) -> None:
        """Store the path as an attribute."""
        super().__init__(message, hint=hint)
        self.path = path


class SchemaVersionError(StorageError):
    """The database was written by a newer taskito. It is left unchanged."""


class ConfigurationError(TaskitoError, ValueError):
    """A setting has a value that cannot work."""


class CronError(ConfigurationError):
    """A cron expression is malformed, or can never fire."""


class NoJobContextError(TaskitoError, RuntimeError):
    """``current_job`` was used where no job runs."""


class CircuitBreakerOpenError(TaskitoError):
    """For tasks to raise; taskito never does: a job behind an open breaker stays pending."""


class RateLimitExceededError(TaskitoError):
    """For tasks to raise; taskito never does: a job over its rate stays pending."""


class Retry(TaskitoError):  # noqa: N818 - a documented name
    """Raised by a task to have its job tried again, whatever its retry filters say.

    It spends an attempt: with none left the job is dead-lettered.

    Args:
        delay: Seconds until the next attempt, exactly; negative counts as 0. ``None`` means
            what the task's settings say.
        reason: For the job's errors.

    Attributes:
        delay: As given.
        delay_ms: The same in milliseconds, zero or more, or ``None``.
        reason: As given.

    Example:
        >>> raise Retry(delay=30, reason="the service asked to wait")
        Traceback (most recent call last):
        taskito.exceptions.Retry: the service asked to wait
    """

    def __init__(self, delay: Seconds | None = None, reason: str | None = None) -> None:
        """Check the arguments and keep them."""
        super().__init__(_reason(reason) or "retry requested by task")
        self.delay = delay
        self.delay_ms = None if delay is None else max(0, milliseconds("delay", delay))
        self.reason = reason


class Snooze(TaskitoError):  # noqa: N818 - a documented name
    """Raised by a task to be run again later, as if this attempt had not been.

    The job is pending again with its ``retry_count`` unchanged and no error recorded. A job
    may be snoozed any number of times.

    Args:
        seconds: How long from now it is due; negative counts as 0.
        reason: For logs and hooks.

    Attributes:
        seconds: As given.
        delay_ms: The same in milliseconds, zero or more.
        reason: As given.
    """

    def __init__(self, seconds: Seconds, reason: str | None = None) -> None:
        """Check the arguments and keep them."""
        super().__init__(_reason(reason) or "snoozed by task")
        self.seconds = seconds
        self.delay_ms = max(0, milliseconds("seconds", seconds))
        self.reason = reason


class Cancel(TaskitoError):  # noqa: N818 - a documented name
    """Raised by a task to end its job ``cancelled``, with everything that depends on it.

    Args:
        reason: Becomes the job's error; ``None`` means ``cancelled by task``.

    Attributes:
        reason: As given.
    """

    def __init__(self, reason: str | None = None) -> None:
        """Check the argument and keep it."""
        super().__init__(_reason(reason) or "cancelled by task")
        self.reason = reason


def _reason(value: str | None) -> str | None:
    return None if value is None else string("reason", value)

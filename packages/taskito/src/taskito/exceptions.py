"""Every exception taskito raises on its own account.

Indent is inheritance; in parentheses the builtins each also inherits::

    TaskitoError (Exception)
    ├─ TaskFailedError (RuntimeError)
    │  └─ MaxRetriesExceededError
    ├─ ResultTimeout (TimeoutError)
    ├─ TaskCancelledError (RuntimeError)
    ├─ TaskTimeoutError (TimeoutError)
    ├─ SerializationError (TypeError)
    │  └─ PayloadTooLargeError (ValueError)
    ├─ QueueError
    │  ├─ JobNotFoundError (KeyError, RuntimeError, ValueError)
    │  ├─ QueueClosedError (RuntimeError)
    │  └─ StorageError (RuntimeError)
    │     └─ SchemaVersionError
    └─ ConfigurationError (ValueError)

Bad arguments raise plain ``TypeError`` and ``ValueError``.
"""

from typing import Any

__all__ = [
    "ConfigurationError",
    "JobNotFoundError",
    "MaxRetriesExceededError",
    "PayloadTooLargeError",
    "QueueClosedError",
    "QueueError",
    "ResultTimeout",
    "SchemaVersionError",
    "SerializationError",
    "StorageError",
    "TaskCancelledError",
    "TaskFailedError",
    "TaskTimeoutError",
    "TaskitoError",
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
    """The job was cancelled, so it has no result."""


class TaskTimeoutError(TaskitoError, TimeoutError):
    """An attempt ran longer than its ``timeout``.

    Nothing raises it: it names the failure in the job's errors, and ``retry_on`` and
    ``dont_retry_on`` know a timeout by it.
    """


class SerializationError(TaskitoError, TypeError):
    """Arguments or a result could not be turned into bytes, or back; see ``__cause__``."""


class PayloadTooLargeError(SerializationError, ValueError):
    """Serialized arguments or a serialized result exceed ``max_payload_bytes``."""


class QueueError(TaskitoError):
    """Base of errors about a queue and its database."""


class JobNotFoundError(QueueError, KeyError, RuntimeError, ValueError):
    """No job or dead letter has this id."""


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

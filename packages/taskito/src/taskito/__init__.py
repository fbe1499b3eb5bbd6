"""A durable task queue for Python that needs no broker.

Importing this package touches no file and loads neither the engine nor cloudpickle.

Example:
    >>> from taskito import Queue
    >>> queue = Queue(":memory:")
    >>> @queue.task(name="add")
    ... def add(a: int, b: int) -> int:
    ...     return a + b
    >>> job = add.delay(1, 2)
"""

import logging
from typing import TYPE_CHECKING, Any

from taskito._version import __version__
from taskito.canvas import Signature, chain, chord, chunks, group, starmap
from taskito.check import CheckIssue
from taskito.context import JobContext, current_job
from taskito.exceptions import (
    Cancel,
    CircuitBreakerOpenError,
    ConfigurationError,
    CronError,
    DependencyError,
    DependencyFailedError,
    JobNotFoundError,
    LockNotAcquiredError,
    MaxRetriesExceededError,
    NoJobContextError,
    PayloadTooLargeError,
    QueueClosedError,
    QueueError,
    RateLimitExceededError,
    ResultTimeout,
    Retry,
    ScheduleNotFoundError,
    SchemaVersionError,
    SerializationError,
    SignatureError,
    Snooze,
    SoftTimeoutError,
    StorageError,
    TaskCancelledError,
    TaskFailedError,
    TaskitoError,
    TaskNotRegisteredError,
    TaskTimeoutError,
    WorkerLostError,
)
from taskito.job import JobResult
from taskito.listing import JobPage
from taskito.middleware import TaskMiddleware
from taskito.queue import Queue
from taskito.serializers import (
    CloudpickleSerializer,
    JsonSerializer,
    OrjsonSerializer,
    Serializer,
    SignedSerializer,
)
from taskito.task import AsyncTask, BoundTask, Task, TaskWrapper
from taskito.why import Reason, Why

if TYPE_CHECKING:
    from taskito.testing import TestMode, TestResult, TestResults

__all__ = [  # noqa: RUF022 - grouped by concept
    "__version__",
    # work
    "Queue",
    "Task",
    "TaskWrapper",
    "AsyncTask",
    "BoundTask",
    "JobResult",
    "JobPage",
    "CheckIssue",
    "Why",
    "Reason",
    # workflows
    "Signature",
    "chain",
    "group",
    "chord",
    "chunks",
    "starmap",
    # inside a task, and around it
    "current_job",
    "JobContext",
    "TaskMiddleware",
    # bytes
    "Serializer",
    "CloudpickleSerializer",
    "JsonSerializer",
    "OrjsonSerializer",
    "SignedSerializer",
    # tests
    "TestMode",
    "TestResult",
    "TestResults",
    # how a task may end its attempt
    "Retry",
    "Snooze",
    "Cancel",
    # what can go wrong
    "TaskitoError",
    "TaskFailedError",
    "MaxRetriesExceededError",
    "ResultTimeout",
    "TaskCancelledError",
    "DependencyFailedError",
    "TaskTimeoutError",
    "SoftTimeoutError",
    "WorkerLostError",
    "SerializationError",
    "PayloadTooLargeError",
    "SignatureError",
    "QueueError",
    "JobNotFoundError",
    "DependencyError",
    "TaskNotRegisteredError",
    "ScheduleNotFoundError",
    "LockNotAcquiredError",
    "QueueClosedError",
    "StorageError",
    "SchemaVersionError",
    "ConfigurationError",
    "CronError",
    "NoJobContextError",
    "CircuitBreakerOpenError",
    "RateLimitExceededError",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load what only tests of applications need when it is asked for."""
    if name not in {"TestMode", "TestResult", "TestResults"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from taskito import testing  # noqa: PLC0415 - a tenth of the import

    return getattr(testing, name)


def __dir__() -> list[str]:
    """List the public names, those not loaded yet as well."""
    return sorted({*globals(), *__all__})

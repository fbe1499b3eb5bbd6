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

from taskito._version import __version__
from taskito.exceptions import (
    ConfigurationError,
    JobNotFoundError,
    MaxRetriesExceededError,
    PayloadTooLargeError,
    QueueClosedError,
    QueueError,
    ResultTimeout,
    SchemaVersionError,
    SerializationError,
    StorageError,
    TaskCancelledError,
    TaskFailedError,
    TaskitoError,
    TaskTimeoutError,
)
from taskito.job import JobResult
from taskito.queue import Queue
from taskito.serializers import CloudpickleSerializer, JsonSerializer, Serializer
from taskito.task import BoundTask, Task, TaskWrapper

__all__ = [  # noqa: RUF022 - grouped by concept
    "__version__",
    # work
    "Queue",
    "Task",
    "TaskWrapper",
    "BoundTask",
    "JobResult",
    # bytes
    "Serializer",
    "CloudpickleSerializer",
    "JsonSerializer",
    # what can go wrong
    "TaskitoError",
    "TaskFailedError",
    "MaxRetriesExceededError",
    "ResultTimeout",
    "TaskCancelledError",
    "TaskTimeoutError",
    "SerializationError",
    "PayloadTooLargeError",
    "QueueError",
    "JobNotFoundError",
    "QueueClosedError",
    "StorageError",
    "SchemaVersionError",
    "ConfigurationError",
]

"""Engine errors become the public ones here, and nowhere else."""

from taskito._core import EngineError
from taskito.exceptions import (
    CronError,
    DependencyError,
    JobNotFoundError,
    QueueClosedError,
    ScheduleNotFoundError,
    SchemaVersionError,
    StorageError,
    TaskitoError,
)


class TooBroadError(StorageError):
    """A question took longer than ``limit_reads`` lets the thread wait; the dashboard sets that."""


_PLAIN: dict[str, type[TaskitoError]] = {
    "closed": QueueClosedError,
    "cron": CronError,
    "missing_dependency": DependencyError,
    "no_schedule": ScheduleNotFoundError,
    "not_found": JobNotFoundError,
}


def public_error(error: EngineError) -> Exception:
    """Return the documented exception that says what ``error`` says."""
    message = str(error)
    if plain := _PLAIN.get(error.kind):
        return plain(message, hint=error.hint)
    if error.kind == "newer_schema":
        return SchemaVersionError(message, path=error.path, hint=error.hint)
    if error.kind == "invalid":
        return ValueError(f"{message}\nhint: {error.hint}" if error.hint else message)
    if error.kind == "too_broad":
        return TooBroadError(message, path=error.path, hint=error.hint)
    return StorageError(message, path=error.path, hint=error.hint)

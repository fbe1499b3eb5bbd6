"""Engine errors become the public ones here, and nowhere else."""

from taskito._core import EngineError
from taskito.exceptions import (
    CronError,
    DependencyError,
    JobNotFoundError,
    QueueClosedError,
    SchemaVersionError,
    StorageError,
)


def public_error(error: EngineError) -> Exception:
    """Return the documented exception that says what ``error`` says."""
    message = str(error)
    if error.kind == "newer_schema":
        return SchemaVersionError(message, path=error.path, hint=error.hint)
    if error.kind == "closed":
        return QueueClosedError(message, hint=error.hint)
    if error.kind == "not_found":
        return JobNotFoundError(message, hint=error.hint)
    if error.kind == "cron":
        return CronError(message, hint=error.hint)
    if error.kind == "missing_dependency":
        return DependencyError(message, hint=error.hint)
    if error.kind == "invalid":
        return ValueError(f"{message}\nhint: {error.hint}" if error.hint else message)
    return StorageError(message, path=error.path, hint=error.hint)

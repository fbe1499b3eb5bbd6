"""The compiled engine of taskito. Internal: use the ``taskito`` package instead.

Everything here comes from the native module, whose stub is the contract.
"""

from typing import TYPE_CHECKING

from taskito_core._native import (
    SCHEMA_VERSION,
    SQLITE_VERSION,
    AttemptRow,
    BreakerRow,
    Cause,
    Claim,
    Clock,
    DeadRow,
    Engine,
    EngineError,
    Event,
    Failures,
    GroupRow,
    Hold,
    JobRow,
    JobSpec,
    Limits,
    Links,
    Lock,
    Outcome,
    Plan,
    QueueRow,
    RetryPolicy,
    ScheduleRow,
    Store,
    Timetable,
    Timing,
    WorkerRow,
    __version__,
)

if TYPE_CHECKING:
    from taskito_core._native import Arrow as Arrow
    from taskito_core._native import ErrorKind as ErrorKind
    from taskito_core._native import EventKind as EventKind
    from taskito_core._native import Status as Status

__all__ = [
    "SCHEMA_VERSION",
    "SQLITE_VERSION",
    "AttemptRow",
    "BreakerRow",
    "Cause",
    "Claim",
    "Clock",
    "DeadRow",
    "Engine",
    "EngineError",
    "Event",
    "Failures",
    "GroupRow",
    "Hold",
    "JobRow",
    "JobSpec",
    "Limits",
    "Links",
    "Lock",
    "Outcome",
    "Plan",
    "QueueRow",
    "RetryPolicy",
    "ScheduleRow",
    "Store",
    "Timetable",
    "Timing",
    "WorkerRow",
    "__version__",
]

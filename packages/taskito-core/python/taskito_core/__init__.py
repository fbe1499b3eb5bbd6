"""The compiled engine of taskito. Internal: use the ``taskito`` package instead.

Everything here comes from the native module, whose stub is the contract.
"""

from typing import TYPE_CHECKING

from taskito_core._native import (
    SCHEMA_VERSION,
    SQLITE_VERSION,
    AttemptRow,
    AuditRow,
    BreakerRow,
    Bulk,
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
    Lookout,
    MemberRow,
    OperationRow,
    Outcome,
    Plan,
    QueueRow,
    RetryPolicy,
    Rollup,
    ScheduleRow,
    Store,
    Timetable,
    Timing,
    WorkerRow,
    WorkflowRow,
    __version__,
    limit_reads,
)

if TYPE_CHECKING:
    from taskito_core._native import Arrow as Arrow
    from taskito_core._native import ErrorKind as ErrorKind
    from taskito_core._native import EventKind as EventKind
    from taskito_core._native import Status as Status
    from taskito_core._native import Verb as Verb

__all__ = [
    "SCHEMA_VERSION",
    "SQLITE_VERSION",
    "AttemptRow",
    "AuditRow",
    "BreakerRow",
    "Bulk",
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
    "Lookout",
    "MemberRow",
    "OperationRow",
    "Outcome",
    "Plan",
    "QueueRow",
    "RetryPolicy",
    "Rollup",
    "ScheduleRow",
    "Store",
    "Timetable",
    "Timing",
    "WorkerRow",
    "WorkflowRow",
    "__version__",
    "limit_reads",
]

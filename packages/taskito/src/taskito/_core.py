"""The one door to the compiled engine.

Importing this module loads ``taskito_core`` and checks that it is of our version, so
it is imported where the engine is first used and never by ``import taskito``.
"""

import taskito_core
from taskito._version import __version__

if taskito_core.__version__ != __version__:
    message = (
        f"taskito {__version__} needs taskito-core {__version__}, "
        f"found taskito-core {taskito_core.__version__}\n"
        f"hint: pip install taskito=={__version__} taskito-core=={__version__}"
    )
    raise ImportError(message, name="taskito_core")

from taskito_core import (
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
)

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
]

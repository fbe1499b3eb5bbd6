"""Log records about a job: they carry its id, task and queue, and logging them never raises."""

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskito.context import JobContext

_logger = logging.getLogger("taskito")


def is_logged(level: int) -> bool:
    """Return whether anybody hears what is logged at a level: to be asked before dear words."""
    return _logger.isEnabledFor(level)


def log_about(
    context: "JobContext",
    level: int,
    message: str,
    *args: object,
    error: BaseException | None = None,
) -> None:
    """Log something about the job of ``context``."""
    with suppress(BaseException):  # code of the application runs here: filters, handlers
        about = {
            "job_id": context.id,
            "task_name": context.task_name,
            "queue": context.queue_name,
        }
        _logger.log(level, message, *args, exc_info=error, extra=about)

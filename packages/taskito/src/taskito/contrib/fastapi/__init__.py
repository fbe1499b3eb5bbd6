"""FastAPI: routes for jobs and queues, a lifespan, and the Queue as a dependency.

Needs the extra ``fastapi``.

```python
from fastapi import FastAPI
from taskito import Queue
from taskito.contrib.fastapi import TaskitoRouter, taskito_lifespan

queue = Queue("jobs.db")
app = FastAPI(lifespan=taskito_lifespan(queue))
app.include_router(TaskitoRouter(queue), prefix="/tasks")
```
"""

from taskito.contrib._extras import missing

try:
    from taskito.contrib.fastapi._lifespan import QueueDep, get_queue, taskito_lifespan
    from taskito.contrib.fastapi._models import (
        CancelResponse,
        DeadLetterResponse,
        DeletedResponse,
        HealthResponse,
        JobErrorResponse,
        JobLogResponse,
        JobRef,
        JobResponse,
        JobResultResponse,
        Problem,
        QueueResponse,
        ReasonResponse,
        RetryResponse,
        StatsResponse,
        WhyResponse,
    )
    from taskito.contrib.fastapi._router import TaskitoRouter
except ModuleNotFoundError as error:
    package = (error.name or "").partition(".")[0]
    if package not in {"fastapi", "pydantic", "starlette"}:
        raise
    raise missing("taskito.contrib.fastapi", package, "fastapi") from error

__all__ = [  # noqa: RUF022 - grouped by concept
    # the application
    "TaskitoRouter",
    "taskito_lifespan",
    "get_queue",
    "QueueDep",
    # answers
    "JobRef",
    "CancelResponse",
    "DeadLetterResponse",
    "DeletedResponse",
    "HealthResponse",
    "JobErrorResponse",
    "JobLogResponse",
    "JobResponse",
    "JobResultResponse",
    "Problem",
    "QueueResponse",
    "ReasonResponse",
    "RetryResponse",
    "StatsResponse",
    "WhyResponse",
]

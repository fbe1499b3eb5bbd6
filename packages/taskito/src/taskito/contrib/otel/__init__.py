"""OpenTelemetry: spans and metrics of the jobs that a process enqueues and runs.

Needs the extra ``otel``, which is the API alone; what becomes of the spans is decided by the
SDK that the application sets up. Importing this module works without.

```python
from taskito import Queue
from taskito.contrib.otel import OpenTelemetryMiddleware

queue = Queue("jobs.db", middleware=[OpenTelemetryMiddleware()])
```
"""

from taskito.contrib.otel._instrumentor import TaskitoInstrumentor
from taskito.contrib.otel._middleware import OpenTelemetryMiddleware

__all__ = ["OpenTelemetryMiddleware", "TaskitoInstrumentor"]

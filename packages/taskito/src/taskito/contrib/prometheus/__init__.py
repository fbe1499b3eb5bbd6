"""Prometheus: counts and times of the jobs a process runs, and gauges of its queues.

Needs the extra ``prometheus``. Importing this module works without.

```python
from taskito import Queue
from taskito.contrib.prometheus import (
    PrometheusMiddleware,
    PrometheusStatsCollector,
    start_metrics_server,
)

queue = Queue("jobs.db", middleware=[PrometheusMiddleware()])
PrometheusStatsCollector(queue).start()
start_metrics_server(9090)
queue.run_worker()
```
"""

from taskito.contrib.prometheus._collector import PrometheusStatsCollector
from taskito.contrib.prometheus._middleware import PrometheusMiddleware
from taskito.contrib.prometheus._server import MetricsServer, start_metrics_server

__all__ = [
    "MetricsServer",
    "PrometheusMiddleware",
    "PrometheusStatsCollector",
    "start_metrics_server",
]

"""``/metrics``: what the database says, in the text format of Prometheus."""

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from taskito_dashboard.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from taskito_dashboard.source import Source


def exposition(source: "Source") -> Response:
    """Return all counts; nothing is kept between calls.

    Raises:
        Refused: With 501, if ``prometheus_client`` is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry  # noqa: PLC0415
        from prometheus_client import exposition as text  # noqa: PLC0415
    except ModuleNotFoundError:
        raise Refused(
            501,
            "metrics need the package prometheus-client, which is not installed",
            "pip install 'taskito[prometheus]'",
        ) from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(source))
    return Response(text.generate_latest(registry), content_type=text.CONTENT_TYPE_LATEST)


class _Collector:
    def __init__(self, source: "Source") -> None:
        self._source = source

    def describe(self) -> list["Metric"]:
        return []

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        now = self._source.now
        jobs = GaugeMetricFamily("taskito_jobs", "Jobs in the database", labels=["queue", "status"])
        depth = GaugeMetricFamily("taskito_queue_depth", "Pending jobs", labels=["queue"])
        oldest = GaugeMetricFamily(
            "taskito_queue_oldest_due_seconds",
            "How long the oldest due job waits",
            labels=["queue"],
        )
        running = GaugeMetricFamily("taskito_running", "Running jobs", labels=["queue"])
        paused = GaugeMetricFamily("taskito_queue_paused", "1 while it is paused", labels=["queue"])
        for queue in self._source.queue.list_queues():
            name = [queue["name"]]
            for status in ("pending", "running", "completed", "dead", "cancelled"):
                jobs.add_metric([*name, status], queue[status])
            due = queue["oldest_due_at"]
            depth.add_metric(name, queue["pending"])
            running.add_metric(name, queue["running"])
            oldest.add_metric(name, 0 if due is None else max(0, now - due) / 1000)
            paused.add_metric(name, int(queue["paused"]))
        yield from (jobs, depth, oldest, running, paused)
        yield from self._workers()

    def _workers(self) -> "Iterator[Metric]":
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        found = self._source.queue.workers()
        workers = GaugeMetricFamily("taskito_workers", "Workers", labels=["status"])
        for status in ("active", "draining", "stale"):
            workers.add_metric([status], sum(row["status"] == status for row in found))
        yield workers
        slots = sum(row["concurrency"] for row in found if row["status"] == "active")
        yield GaugeMetricFamily("taskito_slots", "Jobs that workers can run at once", value=slots)

"""Gauges of the queues in a database, read when somebody asks for them."""

import logging
import time
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from taskito._checks import Seconds, duration
from taskito.contrib.prometheus._client import registry_for
from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import GaugeMetricFamily

    from taskito.queue import Queue

_PORTION = 10_000
_logger = logging.getLogger("taskito")


class PrometheusStatsCollector:
    """Shows what waits and runs in the database of a Queue, whoever runs it.

    ======================================== ================================================
    ``NAMESPACE_queue_depth{queue}``          pending jobs, those not due yet included
    ``NAMESPACE_queue_oldest_due_seconds{queue}`` how long the oldest job that is due waits; 0
                                             if none is
    ``NAMESPACE_running{queue}``              running jobs
    ``NAMESPACE_dlq_size``                    dead letters
    ``NAMESPACE_workers{status}``             workers that are ``active``, ``draining``, ``stale``
    ======================================== ================================================

    The database is read while a scrape is answered, at most once in ``interval`` seconds; no
    thread runs. If it cannot be read, that is logged, and the scrape goes without these.

    Example:
        >>> from prometheus_client import CollectorRegistry
        >>> from taskito import Queue
        >>> from taskito.contrib.prometheus import PrometheusStatsCollector
        >>> queue, registry = Queue(":memory:"), CollectorRegistry()
        >>> job = queue.enqueue("anything")
        >>> PrometheusStatsCollector(queue, registry=registry).start()
        >>> registry.get_sample_value("taskito_queue_depth", {"queue": "default"})
        1.0
    """

    def __init__(
        self,
        queue: "Queue",
        interval: Seconds = 10,
        *,
        namespace: str = "taskito",
        registry: "CollectorRegistry | None" = None,
    ) -> None:
        """Prepare to show a queue; show nothing yet.

        Args:
            queue: Whose database.
            interval: Seconds for which what was read is shown again; 0 reads at each scrape.
            namespace: What the names begin with.
            registry: Where; ``None`` is the default registry of ``prometheus_client``.

        Raises:
            ImportError: If the extra ``prometheus`` is not installed.
            ValueError: For an interval below 0.
        """
        self._registry = registry_for("PrometheusStatsCollector", registry)
        self._queue = queue
        self._seconds = duration("interval", interval) / 1000
        self._namespace = namespace
        self._lock = Lock()
        self._is_started = False
        self._read_at: float | None = None
        self._known: list[GaugeMetricFamily] = []

    def start(self) -> None:
        """Show the gauges from now on; without effect if they are shown.

        Raises:
            ValueError: If another collector shows gauges of these names.
        """
        with self._lock:
            if self._is_started:
                return
            try:
                self._registry.register(self)
            except ValueError as error:
                message = f"gauges of the namespace {self._namespace!r} are registered already"
                hint = "give each database a namespace or a registry of its own"
                raise ValueError(f"{message}\nhint: {hint}") from error
            self._is_started = True

    def stop(self) -> None:
        """Show them no more; without effect if they are not shown."""
        with self._lock:
            if self._is_started:
                self._registry.unregister(self)
                self._is_started = False
                self._read_at = None

    def describe(self) -> "list[GaugeMetricFamily]":
        """Return the gauges without values; the registry asks before it takes them."""
        return list(self._gauges().values())

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        """Return the gauges; the registry asks when it is scraped."""
        with self._lock:
            now = time.monotonic()
            if self._read_at is None or now - self._read_at >= self._seconds:
                try:
                    self._known = self._read()
                except TaskitoError as error:
                    _logger.warning("the gauges of %r cannot be read: %s", self._queue, error)
                    self._known = []
                self._read_at = now
            return iter(self._known)

    def _read(self) -> "list[GaugeMetricFamily]":
        gauges = self._gauges()
        now = time.time() * 1000
        for row in self._queue.list_queues():
            due_at = row["oldest_due_at"]
            waited = 0 if due_at is None else max(0, now - due_at) / 1000
            gauges["queue_depth"].add_metric([row["name"]], row["pending"])
            gauges["queue_oldest_due_seconds"].add_metric([row["name"]], waited)
            gauges["running"].add_metric([row["name"]], row["running"])
        gauges["dlq_size"].add_metric([], self._dead_letters())
        found = Counter(row["status"] for row in self._queue.workers())
        for status in ("active", "draining", "stale"):
            gauges["workers"].add_metric([status], found[status])
        return list(gauges.values())

    def _dead_letters(self) -> int:
        """Count dead letters. Not all dead jobs have one: they may be purged."""
        total, after = 0, None
        while True:
            with self._queue._database as store:  # noqa: SLF001 - of our own package
                letters = store.oldest_letters(after=after, limit=_PORTION)
            total += len(letters)
            if len(letters) < _PORTION:
                return total
            after = letters[-1][0]

    def _gauges(self) -> "dict[str, GaugeMetricFamily]":
        from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415 - an extra

        about: dict[str, tuple[str, list[str]]] = {
            "queue_depth": ("Pending jobs", ["queue"]),
            "queue_oldest_due_seconds": ("How long the oldest due job waits", ["queue"]),
            "running": ("Running jobs", ["queue"]),
            "dlq_size": ("Dead letters", []),
            "workers": ("Workers by status", ["status"]),
        }
        return {
            name: GaugeMetricFamily(f"{self._namespace}_{name}", text, labels=labels)
            for name, (text, labels) in about.items()
        }

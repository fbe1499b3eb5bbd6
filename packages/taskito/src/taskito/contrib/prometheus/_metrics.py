"""What is measured of jobs: one set of metrics for each registry and namespace."""

from collections.abc import Sequence
from threading import Lock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)


class JobMetrics:
    """The metrics of jobs under one namespace.

    Attributes:
        jobs: Jobs that ended, by task and status.
        durations: Run times of attempts, by task.
        retries: Retries that were stored, by task.
        active: Attempts that run now.
    """

    def __init__(self, registry: CollectorRegistry, namespace: str) -> None:
        """Register them.

        Raises:
            ValueError: If the namespace is no valid name, or something else is registered
                under one of the names.
        """
        self.jobs = Counter(
            "jobs",
            "Jobs that ended: complete, dead or cancelled while running",
            ("task", "status"),
            namespace=namespace,
            registry=None,
        )
        self.durations = Histogram(
            "job_duration_seconds",
            "Run time of attempts",
            ("task",),
            namespace=namespace,
            registry=None,
            buckets=_BUCKETS,
        )
        self.retries = Counter(
            "retries",
            "Retries that were stored",
            ("task",),
            namespace=namespace,
            registry=None,
        )
        self.active = Gauge(
            "active_jobs",
            "Attempts that run now",
            namespace=namespace,
            registry=None,
            multiprocess_mode="livesum",
        )
        _register(registry, (self.jobs, self.durations, self.retries, self.active))


def _register(registry: CollectorRegistry, metrics: Sequence[Collector]) -> None:
    """Register all of them or none."""
    done: list[Collector] = []
    try:
        for metric in metrics:
            registry.register(metric)
            done.append(metric)
    except ValueError:
        for metric in done:
            registry.unregister(metric)
        raise


# A registry refuses the same names twice, and middleware may be made any number of times.
_known: "WeakKeyDictionary[CollectorRegistry, dict[str, JobMetrics]]" = WeakKeyDictionary()
_lock = Lock()


def job_metrics(registry: CollectorRegistry, namespace: str) -> JobMetrics:
    """Return the metrics of a namespace, registered once."""
    with _lock:
        found = _known.setdefault(registry, {})
        if namespace not in found:
            found[namespace] = JobMetrics(registry, namespace)
        return found[namespace]

"""The middleware: which event of a job counts as what."""

import time
from typing import TYPE_CHECKING, Any

from taskito.contrib.prometheus._client import registry_for
from taskito.middleware import TaskMiddleware

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from taskito.context import JobContext


class PrometheusMiddleware(TaskMiddleware):
    """Counts and times the jobs that the workers of this process run.

    ======================================= =================================================
    ``NAMESPACE_jobs_total{task,status}``   jobs that ended ``complete``, ``dead`` or, while
                                            they ran, ``cancelled``
    ``NAMESPACE_job_duration_seconds{task}`` histogram of the run times of all attempts
    ``NAMESPACE_retries_total{task}``       retries that were stored
    ``NAMESPACE_active_jobs``               attempts that run now
    ======================================= =================================================

    Any number of them may share a namespace, also for one job, which is counted once.

    Example:
        >>> from prometheus_client import CollectorRegistry
        >>> from taskito import Queue
        >>> from taskito.contrib.prometheus import PrometheusMiddleware
        >>> registry = CollectorRegistry()
        >>> queue = Queue(":memory:", middleware=[PrometheusMiddleware(registry=registry)])
    """

    def __init__(
        self, *, namespace: str = "taskito", registry: "CollectorRegistry | None" = None
    ) -> None:
        """Register the metrics, unless another one has.

        Args:
            namespace: What their names begin with.
            registry: Where; ``None`` is the default registry of ``prometheus_client``.

        Raises:
            ImportError: If the extra ``prometheus`` is not installed.
            ValueError: If the namespace is no valid name, or something else is registered
                under one of the names.
        """
        where = registry_for("PrometheusMiddleware", registry)
        from taskito.contrib.prometheus._metrics import job_metrics  # noqa: PLC0415 - an extra

        self._metrics = job_metrics(where, namespace)
        self._mark = f"_prometheus_{id(self._metrics)}"

    def before(self, ctx: "JobContext") -> None:
        """Count an attempt that runs."""
        if (attempt := self._attempt(ctx)) is not None:
            attempt.began = time.perf_counter()
            self._metrics.active.inc()

    def on_success(self, ctx: "JobContext", result: Any) -> None:
        """Count a job that is complete."""
        del result
        self._count(ctx, "complete")

    def after(self, ctx: "JobContext", result: Any, error: BaseException | None) -> None:
        """Time the attempt."""
        del result, error
        attempt = self._attempt(ctx)
        if attempt is not None and attempt.began is not None:
            seconds = time.perf_counter() - attempt.began
            self._metrics.durations.labels(ctx.task_name).observe(seconds)
            self._leave(attempt)

    def on_retry(self, ctx: "JobContext", error: BaseException, retry_count: int) -> None:
        """Count a retry."""
        del error, retry_count
        if self._attempt(ctx) is not None:
            self._metrics.retries.labels(ctx.task_name).inc()

    def on_dead_letter(self, ctx: "JobContext", error: BaseException) -> None:
        """Count a job that is dead, also one whose worker died."""
        del error
        self._count(ctx, "dead")

    def on_cancel(self, ctx: "JobContext") -> None:
        """Count a running job that was cancelled."""
        self._count(ctx, "cancelled")

    def _taskito_over(self, ctx: "JobContext") -> None:
        if (attempt := self._attempt(ctx)) is not None:
            self._leave(attempt)

    def _count(self, ctx: "JobContext", status: str) -> None:
        if self._attempt(ctx) is not None:
            self._metrics.jobs.labels(ctx.task_name, status).inc()

    def _leave(self, attempt: "_Attempt") -> None:
        if attempt.began is not None:
            attempt.began = None
            self._metrics.active.dec()

    def _attempt(self, ctx: "JobContext") -> "_Attempt | None":
        """Return an attempt, unless another middleware counts it for the same metrics."""
        attempt: _Attempt | None = getattr(ctx, self._mark, None)
        if attempt is None:
            attempt = _Attempt(self)
            setattr(ctx, self._mark, attempt)
        return attempt if attempt.owner is self else None


class _Attempt:
    """One attempt, as long as it is counted."""

    __slots__ = ("began", "owner")

    def __init__(self, owner: PrometheusMiddleware) -> None:
        self.owner = owner
        self.began: float | None = None

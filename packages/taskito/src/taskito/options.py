"""What a task and a call may set: as people write it, and checked in the engine's units."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from reprlib import repr as short_repr
from typing import Any, TypeAlias, TypedDict, TypeVar, cast

from taskito._checks import (
    Seconds,
    count,
    duration,
    header_text,
    int32,
    metadata_text,
    milliseconds,
    parsed_headers,
    string,
    unknown_option,
)
from taskito._limits import BreakerOptions, breaker, concurrency, rate
from taskito.job import JobResult
from taskito.middleware import TaskMiddleware, checked_middleware

T = TypeVar("T")

Dependencies: TypeAlias = str | JobResult[Any] | Iterable[str | JobResult[Any]]
"""Jobs that must be complete first: a handle or an id, or several."""


class TaskTuning(TypedDict, total=False):
    """The options of ``@queue.task(...)`` besides names; ``None`` means the Queue's default."""

    max_retries: int | None
    timeout: Seconds | None
    priority: int | None
    retry_backoff: Seconds | None
    max_retry_delay: Seconds | None
    retry_delays: Iterable[Seconds] | None
    soft_timeout: Seconds | None
    middleware: Iterable[TaskMiddleware] | None
    rate_limit: str | None
    max_concurrent: int | None
    circuit_breaker: Mapping[str, object] | None
    retry_on: Iterable[type[BaseException]] | None
    dont_retry_on: Iterable[type[BaseException]] | None


class TaskSettings(TaskTuning, total=False):
    """All options of ``@queue.task(...)``."""

    name: str | None
    queue: str | None


class CallOptions(TypedDict, total=False):
    """The options of one call; ``None`` means the task's own setting."""

    priority: int | None
    delay: Seconds | None
    queue: str | None
    max_retries: int | None
    timeout: Seconds | None
    unique_key: str | None
    metadata: str | Mapping[str, object] | None
    depends_on: Dependencies | None
    expires: Seconds | None
    result_ttl: Seconds | None
    idempotency_key: str | None
    limit_key: str | None
    headers: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Settings of one task, with the Queue's defaults filled in.

    Attributes:
        max_retries: Retries after the first attempt.
        timeout_ms: Limit of one attempt, stored with the job; 0 means none.
        priority: Higher runs first.
        queue: Where its jobs wait.
        retry_backoff_ms: Base of the delay before a retry.
        max_retry_delay_ms: Cap of the exponential part of that delay.
        retry_delays_ms: The delays themselves, the last one for all further retries.
        soft_timeout_ms: What ``current_job.check_timeout()`` goes by; 0 means no limit.
        middleware: Told of this task's jobs after the queue-wide ones.
        rate_limit: How fast its jobs start; ``None`` means as fast as they can.
        max_concurrent: How many of them run at once; ``None`` means any number.
        circuit_breaker: When it stops starting because it keeps failing.
        retry_on: The only exceptions that are retried; ``None`` means all.
        dont_retry_on: Exceptions that are never retried; wins over ``retry_on``.
    """

    max_retries: int = 3
    timeout_ms: int = 300_000
    priority: int = 0
    queue: str = "default"
    retry_backoff_ms: int = 1000
    max_retry_delay_ms: int = 300_000
    retry_delays_ms: tuple[int, ...] | None = None
    soft_timeout_ms: int = 0
    middleware: tuple[TaskMiddleware, ...] = ()
    rate_limit: str | None = None
    max_concurrent: int | None = None
    circuit_breaker: BreakerOptions | None = None
    retry_on: tuple[type[BaseException], ...] | None = None
    dont_retry_on: tuple[type[BaseException], ...] = ()

    def changed(self, given: TaskSettings) -> "TaskOptions":
        """Return these options with the given ones, checked, put over them."""
        changes: dict[str, Any] = {
            "max_retries": _if_given(count, "max_retries", given.get("max_retries")),
            "timeout_ms": _if_given(duration, "timeout", given.get("timeout")),
            "priority": _if_given(int32, "priority", given.get("priority")),
            "queue": _if_given(string, "queue", given.get("queue")) or None,
            "retry_backoff_ms": _if_given(duration, "retry_backoff", given.get("retry_backoff")),
            "max_retry_delay_ms": _if_given(
                duration, "max_retry_delay", given.get("max_retry_delay")
            ),
            "retry_delays_ms": _if_given(_delays, "retry_delays", given.get("retry_delays")),
            "soft_timeout_ms": _if_given(duration, "soft_timeout", given.get("soft_timeout")),
            "middleware": _if_given(checked_middleware, "middleware", given.get("middleware")),
            "rate_limit": _if_given(rate, "rate_limit", given.get("rate_limit")),
            "max_concurrent": _if_given(concurrency, "max_concurrent", given.get("max_concurrent")),
            "circuit_breaker": _if_given(breaker, "circuit_breaker", given.get("circuit_breaker")),
            "retry_on": _if_given(_classes, "retry_on", given.get("retry_on")),
            "dont_retry_on": _if_given(_classes, "dont_retry_on", given.get("dont_retry_on")),
        }
        return replace(self, **{name: v for name, v in changes.items() if v is not None})

    def retries(self, error: BaseException) -> bool:
        """Return whether an attempt that raised ``error`` may be made again."""
        if isinstance(error, self.dont_retry_on):
            return False
        return self.retry_on is None or isinstance(error, self.retry_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """Checked settings of one call; ``None`` leaves it to the task."""

    priority: int | None = None
    delay_ms: int | None = None
    queue: str | None = None
    max_retries: int | None = None
    timeout_ms: int | None = None
    unique_key: str | None = None
    metadata: str | None = None
    depends_on: tuple[str, ...] | None = None
    expires_ms: int | None = None
    result_ttl_ms: int | None = None
    idempotency_key: str | None = None
    limit_key: str | None = None
    headers: str | None = None

    @staticmethod
    def of(given: CallOptions) -> "JobOptions":
        """Return the options of one call, checked; :data:`NO_OPTIONS` if none is given."""
        if all(value is None for value in given.values()):
            return NO_OPTIONS
        return JobOptions(
            priority=_if_given(int32, "priority", given.get("priority")),
            delay_ms=_if_given(milliseconds, "delay", given.get("delay")),
            queue=_if_given(string, "queue", given.get("queue")) or None,
            max_retries=_if_given(count, "max_retries", given.get("max_retries")),
            timeout_ms=_if_given(duration, "timeout", given.get("timeout")),
            unique_key=_if_given(string, "unique_key", given.get("unique_key")),
            metadata=_if_given(metadata_text, "metadata", given.get("metadata")),
            depends_on=_if_given(_job_ids, "depends_on", given.get("depends_on")),
            expires_ms=_if_given(milliseconds, "expires", given.get("expires")),
            result_ttl_ms=_if_given(duration, "result_ttl", given.get("result_ttl")),
            idempotency_key=_if_given(string, "idempotency_key", given.get("idempotency_key")),
            limit_key=_if_given(string, "limit_key", given.get("limit_key")),
            headers=_if_given(header_text, "headers", given.get("headers")),
        )

    @staticmethod
    def of_mapping(given: object, subject: str) -> "JobOptions":
        """Return the options of a mapping whose names are not known to be valid.

        Raises:
            TypeError: For an unknown name; the message lists the valid ones.
        """
        if not isinstance(given, Mapping):
            message = f"options must be a mapping, got {given!r}"
            raise TypeError(message)
        options = cast("Mapping[str, object]", given)
        for name in options:
            if name not in CallOptions.__annotations__:
                raise unknown_option(name, CallOptions.__annotations__, subject)
        return JobOptions.of(cast("CallOptions", dict(options)))

    def merged(self, later: "JobOptions") -> "JobOptions":
        """Return these settings with those that ``later`` gives put over them."""
        if later is NO_OPTIONS:
            return self
        pairs = ((field.name, getattr(later, field.name)) for field in fields(later))
        return replace(self, **{name: value for name, value in pairs if value is not None})

    def over(self, settings: TaskOptions) -> "JobOptions":
        """Return these settings, and where they give none those of the task."""
        return JobOptions(
            priority=settings.priority,
            queue=settings.queue,
            max_retries=settings.max_retries,
            timeout_ms=settings.timeout_ms,
        ).merged(self)

    def as_written(self) -> dict[str, Any]:
        """Return what is set under the names and in the units of :class:`CallOptions`."""
        written: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            if field.name == "headers":
                written["headers"] = parsed_headers(value)
            elif field.name.endswith("_ms"):
                written[field.name[:-3]] = value / 1000
            else:
                written[field.name] = value
        return written


NO_OPTIONS = JobOptions()
"""The call sets nothing."""


def _if_given(check: Callable[[str, object], T], name: str, value: object) -> T | None:
    return None if value is None else check(name, value)


def _job_ids(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (_job_id(name, value),)
    jobs = cast("Iterable[object]", value)
    return tuple(_job_id(f"an entry of {name}", job) for job in jobs)


def _job_id(name: str, value: object) -> str:
    if isinstance(value, JobResult):
        return value.id
    if not isinstance(value, str):
        message = f"{name} must be a job or its id, got {short_repr(value)}"
        raise TypeError(message)
    return value


def _delays(name: str, value: object) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        message = f"{name} must be a sequence of seconds, got {value!r}"
        raise TypeError(message)
    entries = cast("Iterable[object]", value)
    delays = tuple(duration(f"an entry of {name}", entry) for entry in entries)
    if not delays:
        message = f"{name} must have at least one entry, got {value!r}"
        raise ValueError(f"{message}\nhint: leave it out for delays that grow by themselves")
    return delays


def _classes(name: str, value: object) -> tuple[type[BaseException], ...]:
    if isinstance(value, type) or not isinstance(value, Iterable):
        message = f"{name} must be a sequence of exception classes, got {value!r}"
        raise TypeError(f"{message}\nhint: write {name}=(ValueError,) for a single class")
    classes = tuple(cast("Iterable[object]", value))
    for item in classes:
        if not (isinstance(item, type) and issubclass(item, BaseException)):
            message = f"{name} must hold exception classes only, got {item!r}"
            raise TypeError(message)
    return cast("tuple[type[BaseException], ...]", classes)

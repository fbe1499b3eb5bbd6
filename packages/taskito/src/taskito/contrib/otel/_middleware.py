"""The middleware: which call of the library becomes which part of a span."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from taskito.contrib._extras import missing
from taskito.exceptions import ConfigurationError
from taskito.middleware import TaskMiddleware

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from taskito._sending import SendCall, Sending
    from taskito.context import JobContext

SpanNames: TypeAlias = Literal["taskito", "messaging"]
Propagation: TypeAlias = Literal["link", "parent"]


class OpenTelemetryMiddleware(TaskMiddleware):
    """Makes a span of every attempt and of every call that stores jobs, and measures them.

    The span of an attempt is the current one around its function, also of an ``async def``:
    spans that the function starts are its children. The context of the call that stored a
    job travels in its headers as W3C ``traceparent`` and ``tracestate``, to whatever
    process runs it.

    Give it to ``Queue(middleware=[...])`` or to single tasks. An attempt has one span,
    however often it is given.

    Example:
        >>> from taskito import Queue
        >>> from taskito.contrib.otel import OpenTelemetryMiddleware
        >>> queue = Queue(":memory:", middleware=[OpenTelemetryMiddleware()])
    """

    def __init__(
        self,
        tracer_name: str = "taskito",
        *,
        span_names: SpanNames = "taskito",
        propagation: Propagation = "link",
        tracer_provider: "TracerProvider | None" = None,
        meter_provider: "MeterProvider | None" = None,
    ) -> None:
        """Describe the spans.

        Args:
            tracer_name: The instrumentation scope of spans and metrics.
            span_names: ``"taskito"``: ``taskito.enqueue.TASK`` and ``taskito.execute.TASK``.
                ``"messaging"``: ``send QUEUE`` and ``process QUEUE``, as the semantic
                conventions for messaging have it.
            propagation: ``"link"``: an attempt begins a trace of its own that links to the
                span of the call. ``"parent"``: it belongs to the trace of the call.
            tracer_provider: Where spans go; ``None`` is the global one, also if that is set
                later.
            meter_provider: Likewise for metrics.

        Raises:
            ImportError: If the extra ``otel`` is not installed.
            ConfigurationError: For another value of ``span_names`` or ``propagation``.
        """
        _check("span_names", span_names, ("taskito", "messaging"))
        _check("propagation", propagation, ("link", "parent"))
        try:
            from taskito.contrib.otel._telemetry import Telemetry  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "opentelemetry":
                raise
            raise missing("OpenTelemetryMiddleware", "opentelemetry-api", "otel") from error
        self._telemetry = Telemetry(
            tracer_name,
            is_messaging=span_names == "messaging",
            is_parent=propagation == "parent",
            tracer_provider=tracer_provider,
            meter_provider=meter_provider,
        )

    def on_enqueue(
        self,
        task_name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: dict[str, Any],
    ) -> None:
        """Put the context of the call into the headers of the job."""
        del task_name, args, kwargs
        self._telemetry.inject(options)

    def before(self, ctx: "JobContext") -> None:
        """Begin the span of an attempt and make it the current one."""
        self._telemetry.begin(ctx)

    def after(self, ctx: "JobContext", result: Any, error: BaseException | None) -> None:
        """Say how the attempt ended."""
        del result
        self._telemetry.end(ctx, error)

    def on_retry(self, ctx: "JobContext", error: BaseException, retry_count: int) -> None:
        """Add the event ``retry`` to the span of the attempt that failed."""
        self._telemetry.retry(ctx, error, retry_count)

    def _taskito_sending(self, call: "SendCall") -> "Sending":
        return self._telemetry.sending(call)

    def _taskito_over(self, ctx: "JobContext") -> None:
        self._telemetry.over(ctx)


def _check(name: str, value: str, allowed: tuple[str, str]) -> None:
    if value not in allowed:
        message = f"{name} must be {allowed[0]!r} or {allowed[1]!r}, got {value!r}"
        raise ConfigurationError(message)

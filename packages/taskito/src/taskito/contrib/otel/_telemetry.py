"""Spans and metrics of jobs, after the semantic conventions for messaging systems."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from taskito._sending import SendCall, Sent
from taskito._version import __version__
from taskito.context import Details, JobContext, details_of
from taskito.contrib.otel import _conventions as conventions
from taskito.contrib.otel._metrics import Instruments
from taskito.exceptions import Snooze, TaskitoError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_W3C = TraceContextTextMapPropagator()
_STATE = "_otel_attempt"  # the attribute of a context that holds its attempt


@dataclass(slots=True)
class _Attempt:
    """One attempt and its span.

    Attributes:
        owner: What began it; others that hear of the attempt leave it alone.
        span: Its span.
        tokens: Undo what made it the current one: the context of OpenTelemetry, and ours.
        began: When, by the clock of ``time.perf_counter``.
        ended_ns: When it ended, if its span waits for what follows the commit.
    """

    owner: "Telemetry"
    span: Span
    began: float
    tokens: "tuple[Token[Context], Token[_Attempt | None], Token[Telemetry | None]] | None" = None
    ended_ns: int | None = None


# Which attempt's span was made the current one here. A timeout ends attempts from other
# threads, where nothing may be detached.
_HERE: ContextVar[_Attempt | None] = ContextVar("taskito_otel_attempt", default=None)
_SENDER: ContextVar["Telemetry | None"] = ContextVar("taskito_otel_sender", default=None)


class Telemetry:
    """Makes the spans of one middleware."""

    def __init__(
        self,
        tracer_name: str,
        *,
        is_messaging: bool,
        is_parent: bool,
        tracer_provider: "TracerProvider | None",
        meter_provider: "MeterProvider | None",
    ) -> None:
        """Name spans, and connect attempts to the calls that sent them."""
        self._tracer = trace.get_tracer(tracer_name, __version__, tracer_provider)
        self._instruments = Instruments(tracer_name, meter_provider)
        self._is_messaging = is_messaging
        self._is_parent = is_parent

    # Producer

    @contextmanager
    def sending(self, call: SendCall) -> Generator[Callable[[Sequence[Sent]], None]]:
        """Surround a call that stores jobs with a span; what it gives is told the jobs."""
        if _SENDER.get() is not None:
            yield lambda _: None  # another one makes the span
            return
        name = f"taskito.enqueue.{call.task_name or 'workflow'}"
        if self._is_messaging:
            name = conventions.named("send", call.queue)
        span = self._tracer.start_span(
            name, kind=SpanKind.PRODUCER, attributes=conventions.send_attributes(call)
        )
        facts = conventions.measured("send", call.queue, call.task_name)
        here = _SENDER.set(self)
        began = time.perf_counter()
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield lambda sent: facts.update(self._sent(span, call, sent))
        except BaseException as error:
            facts.update(_failed(span, error))
            raise
        finally:
            _SENDER.reset(here)
            self._instruments.operation_duration.record(time.perf_counter() - began, facts)
            span.end()

    def _sent(self, span: Span, call: SendCall, sent: Sequence[Sent]) -> dict[str, str]:
        """Put on a span what became of a call, and return what metrics know of it."""
        queues = {each.queue for each in sent}
        queue = queues.pop() if len(queues) == 1 else None
        if self._is_messaging and queue != call.queue:  # a hook has changed it
            span.update_name(conventions.named("send", queue))
        span.set_attributes(conventions.sent_attributes(call, sent, queue))
        span.set_status(Status(StatusCode.OK))
        facts = conventions.measured("send", queue, call.task_name)
        new = sum(not each.deduplicated for each in sent)
        if new:
            self._instruments.sent_messages.add(new, facts)
        return facts

    def inject(self, options: dict[str, Any]) -> None:
        """Put the context of the present call into the headers of a job."""
        if _SENDER.get() not in (self, None):
            return
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        if carrier:
            given: dict[str, str] = options.get("headers") or {}
            others = {name: text for name, text in given.items() if name not in _W3C.fields}
            options["headers"] = {**others, **carrier}

    # Worker

    def begin(self, ctx: JobContext) -> None:
        """Begin the span of an attempt and make it the current one."""
        if getattr(ctx, _STATE, None) is not None:
            return  # another one has begun it
        details = _details(ctx)
        present = otel_context.get_current()
        nowhere = trace.set_span_in_context(trace.INVALID_SPAN, present)
        origin = nowhere if details.headers is None else _W3C.extract(ctx.headers, nowhere)
        sender = trace.get_current_span(origin).get_span_context()
        is_linked = sender.is_valid and not self._is_parent
        name = f"taskito.execute.{ctx.task_name}"
        if self._is_messaging:
            name = conventions.named("process", ctx.queue_name)
        span = self._tracer.start_span(
            name,
            context=origin if self._is_parent else nowhere,
            kind=SpanKind.CONSUMER,
            attributes=conventions.process_attributes(ctx, details),
            links=[Link(sender)] if is_linked else [],
        )
        attempt = _Attempt(owner=self, span=span, began=time.perf_counter())
        current = otel_context.attach(trace.set_span_in_context(span, present))
        attempt.tokens = current, _HERE.set(attempt), _SENDER.set(None)
        setattr(ctx, _STATE, attempt)
        self._instruments.consumed_messages.add(1, _measured(ctx))

    def end(self, ctx: JobContext, error: BaseException | None) -> None:
        """Say how an attempt ended. If a retry may follow, its span waits for that."""
        attempt = self._attempt(ctx)
        if attempt is None:
            return
        seconds = time.perf_counter() - attempt.began
        if _HERE.get() is attempt and attempt.tokens is not None:
            current, here, sender = attempt.tokens
            otel_context.detach(current)
            _HERE.reset(here)
            _SENDER.reset(sender)
        facts = _measured(ctx)
        if error is None or isinstance(error, Snooze):
            attempt.span.set_status(Status(StatusCode.OK))
            attempt.span.end()
        else:
            facts.update(_failed(attempt.span, error))
            attempt.ended_ns = time.time_ns()
        self._instruments.process_duration.record(seconds, facts)

    def retry(self, ctx: JobContext, error: BaseException, retry_count: int) -> None:
        """Note on the span of the attempt that it will be made again."""
        attempt = self._attempt(ctx)
        if attempt is not None:
            facts: dict[str, int | str] = {
                "taskito.retry_count": retry_count,
                "taskito.error": _text(error),
            }
            attempt.span.add_event("retry", facts, attempt.ended_ns)

    def over(self, ctx: JobContext) -> None:
        """End the span of an attempt that failed, or was taken away unfinished."""
        attempt = self._attempt(ctx)
        if attempt is not None and attempt.span.is_recording():
            attempt.span.end(attempt.ended_ns)

    def _attempt(self, ctx: JobContext) -> _Attempt | None:
        attempt: _Attempt | None = getattr(ctx, _STATE, None)
        return attempt if attempt is not None and attempt.owner is self else None


def _details(ctx: JobContext) -> Details:
    try:
        return details_of(ctx)
    except TaskitoError:  # the database cannot be read: a span without them
        return Details()


def _measured(ctx: JobContext) -> dict[str, str]:
    return conventions.measured("process", ctx.queue_name, ctx.task_name)


def _failed(span: Span, error: BaseException) -> dict[str, str]:
    """Say on a span that it failed, and return what metrics are told of it."""
    with suppress(Exception):  # code of the application: __str__
        span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, _text(error)))
    facts = {conventions.ERROR_TYPE: conventions.error_type(error)}
    span.set_attributes(facts)
    return facts


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - code of the application
        return type(error).__name__

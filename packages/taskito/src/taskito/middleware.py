"""Middleware: one object that is told about every attempt of the tasks it is put on."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskito._sending import SendCall, Sending, Sent
    from taskito.context import JobContext

__all__ = ["TaskMiddleware"]


class TaskMiddleware:
    """Base of middleware: override what you need, the rest does nothing.

    Give instances to ``Queue(middleware=[...])`` for all tasks, or to
    ``@queue.task(middleware=[...])`` for one; the former are called first. The methods are
    plain functions and run in the thread of the job, for ``async def`` tasks on their event
    loop; those after the commit run in a thread of their own. One instance serves all
    threads: keep what belongs to an attempt on ``ctx``, whose attributes are free to set.

    What a method raises is logged and changes nothing. If :meth:`before` raises, the
    instance hears no more of that attempt. Subclasses need not call ``super().__init__()``.

    Example:
        >>> import time
        >>> class Stopwatch(TaskMiddleware):
        ...     def before(self, ctx):
        ...         ctx.began = time.monotonic()
        ...
        ...     def after(self, ctx, result, error):
        ...         print(f"{ctx.task_name} took {time.monotonic() - ctx.began:.3f} s")
        >>> from taskito import Queue
        >>> queue = Queue(":memory:", middleware=[Stopwatch()])
    """

    def on_enqueue(
        self,
        task_name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: dict[str, Any],
    ) -> None:
        """Called in the producer for every job, before its arguments are serialized.

        Args:
            task_name: Name of the task.
            args: Positional arguments.
            kwargs: The other arguments.
            options: What the job will be stored with, under the names of
                :meth:`taskito.Queue.enqueue`. ``priority``, ``queue``, ``max_retries`` and
                ``timeout`` are always there. Changes apply, unless this raises or leaves
                a value that cannot be.
        """

    def before(self, ctx: "JobContext") -> None:
        """Called before the function of every attempt."""

    def on_success(self, ctx: "JobContext", result: Any) -> None:
        """Called when the function has returned ``result``."""

    def on_failure(self, ctx: "JobContext", error: BaseException) -> None:
        """Called when the attempt has raised anything but ``Snooze``, or timed out."""

    def after(self, ctx: "JobContext", result: Any, error: BaseException | None) -> None:
        """Called at the end of every attempt that was not lost or handed back.

        It is the last call before the outcome is stored. ``error`` is ``None`` after success.
        """

    def on_timeout(self, ctx: "JobContext") -> None:
        """Called when it is stored that the attempt ran over its ``timeout``."""

    def on_retry(self, ctx: "JobContext", error: BaseException, retry_count: int) -> None:
        """Called when a retry is stored; ``retry_count`` is its number, from 1."""

    def on_dead_letter(self, ctx: "JobContext", error: BaseException) -> None:
        """Called when the job is stored as a dead letter: no attempt will follow."""

    def on_cancel(self, ctx: "JobContext") -> None:
        """Called when it is stored that the running job ended ``cancelled``."""

    # For middleware of this package; not part of the interface, and named so that nobody's
    # own methods are taken for them.

    def _taskito_sending(self, _call: "SendCall") -> "Sending":
        """Surround a call that stores jobs, :meth:`on_enqueue` included."""
        return nullcontext(_ignore)

    def _taskito_over(self, ctx: "JobContext") -> None:
        """Called last for an attempt that failed, was handed back, or does not count."""


def _ignore(_sent: "Sequence[Sent]") -> None:
    """Hear of what was stored."""


def checked_middleware(name: str, value: object) -> tuple[TaskMiddleware, ...]:
    """Return middleware as a tuple.

    Raises:
        TypeError: If something is no instance of :class:`TaskMiddleware`, or a method of
            it is a coroutine function.
    """
    if isinstance(value, TaskMiddleware) or not isinstance(value, Iterable):
        message = f"{name} must be a sequence of TaskMiddleware, got {value!r}"
        raise TypeError(f"{message}\nhint: write {name}=[...], also for a single one")
    found = tuple(cast("Iterable[object]", value))
    for item in found:
        if not isinstance(item, TaskMiddleware):
            message = f"{name} must hold instances of TaskMiddleware, got {item!r}"
            hint = f"write {item.__name__}()" if isinstance(item, type) else "make it a subclass"
            raise TypeError(f"{message}\nhint: {hint}")
        for method in vars(TaskMiddleware):
            if iscoroutinefunction(getattr(item, method)):
                raise not_plain(f"{type(item).__qualname__}.{method}")
    return cast("tuple[TaskMiddleware, ...]", found)


def not_plain(subject: str) -> TypeError:
    """Return the error for a hook that is a coroutine function."""
    message = f"{subject} is an 'async def' function, and hooks are plain functions"
    hint = "for async tasks they run on the event loop: start work there with create_task"
    return TypeError(f"{message}\nhint: {hint}")

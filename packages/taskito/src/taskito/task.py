"""Registered functions, and the calls that store jobs for them."""

import functools
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from taskito._binding import Binding
from taskito._checks import Seconds, arguments, keywords, listed
from taskito._explained import explains_options
from taskito._twins import twin
from taskito.options import NO_OPTIONS, CallOptions, Dependencies, JobOptions, TaskOptions

if TYPE_CHECKING:
    from typing import Unpack

    from taskito._core import JobSpec
    from taskito._producer import Producer
    from taskito.canvas import Signature
    from taskito.job import JobResult

__all__ = ["AsyncTask", "BoundTask", "Task", "TaskWrapper"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """What was registered under a name: the function and its settings.

    Attributes:
        name: The name.
        function: What a worker calls.
        is_async: Whether calling it gives a coroutine.
        options: The settings.
    """

    name: str
    function: Callable[..., Any]
    is_async: bool
    options: TaskOptions


class BoundTask(Generic[P, R]):
    """A task with options for the calls to come, from :meth:`TaskWrapper.options`.

    Attributes:
        name: The registered name.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> soon = add.options(delay=60, priority=5)
        >>> soon.delay(1, 2).priority
        5
    """

    def __init__(
        self,
        definition: TaskDefinition,
        producer: "Producer",
        binding: Binding,
        *,
        origin: "BoundTask[P, R] | None" = None,
        call: JobOptions = NO_OPTIONS,
    ) -> None:
        """Bind a task to options; only the library does."""
        self.name = definition.name
        self.definition = definition
        self._producer = producer
        self._binding = binding
        self._origin = origin or self
        self._call = call
        self._cached_spec: JobSpec | None = None

    def delay(self, /, *args: P.args, **kwargs: P.kwargs) -> "JobResult[R]":
        """Store a job that calls the function with these arguments.

        Returns once the job is stored, as durably as the Queue's ``durability`` says.

        Raises:
            TypeError: If the arguments do not fit the function. Nothing is stored.
            SerializationError: If they cannot be serialized. Nothing is stored.
            PayloadTooLargeError: If they take more than ``max_payload_bytes``.
            StorageError: If the database cannot be written.
        """
        self._binding.check(args, kwargs)
        return self._submitted(args, kwargs)

    def map(self, iterable: Iterable[Iterable[object]]) -> "list[JobResult[R]]":
        """Store one job for every item, all in one transaction or none.

        Args:
            iterable: Each item is the positional arguments of one job.

        Returns:
            The jobs in the order of the items; ``[]`` if there are none.
        """
        calls = [(arguments(item), _NO_KEYWORDS) for item in listed("iterable", iterable)]
        for args, kwargs in calls:
            self._binding.check(args, kwargs)
        return self._producer.enqueue_many(self.name, self.definition.options, self._call, calls)

    adelay = twin(delay)
    amap = twin(map)  # noqa: A003 - our own map

    def options(self, **options: "Unpack[CallOptions]") -> "BoundTask[P, R]":
        """Return this task with options for its calls; the original is unchanged.

        A later ``options`` goes over an earlier one; ``None`` sets nothing.

        Args:
            **options: ``priority`` (higher first), ``delay`` (seconds until it is due),
                ``queue``, ``max_retries``, ``timeout`` (seconds one attempt may
                take; 0 means no limit), ``unique_key`` (at most one unfinished job holds
                it), ``metadata`` (a ``str``, or a mapping stored as JSON), ``depends_on`` (jobs,
                or their ids, that must be complete before it starts), ``expires``
                (seconds after which no attempt starts any more; 0 or less means never),
                ``result_ttl`` (seconds for which the job is kept after its end),
                ``idempotency_key`` (at most one job of this task ever has it),
                ``limit_key`` (the limits of the task count the jobs with this key apart),
                ``headers`` (``str`` to ``str``, at most 8 KiB).

        Raises:
            TypeError: For an unknown option; the message names the nearest.
        """
        call = self._call.merged(JobOptions.of_mapping(options, f"a call of {self.name!r}"))
        return BoundTask(
            self.definition, self._producer, self._binding, origin=self._origin, call=call
        )

    def s(self, /, *args: Any, **kwargs: Any) -> "Signature[R]":
        """Return a step of a canvas: a call of this task that is not made yet.

        What comes before it in the canvas puts its result in front of ``args``.
        """
        return self._signature(args, kwargs, immutable=False)

    def si(self, /, *args: Any, **kwargs: Any) -> "Signature[R]":
        """Return a step of a canvas that takes these arguments alone."""
        return self._signature(args, kwargs, immutable=True)

    def __repr__(self) -> str:
        """Show the name."""
        return f"<{type(self).__name__} {self.name!r}>"

    def _signature(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, immutable: bool
    ) -> "Signature[R]":
        from taskito.canvas import Signature  # noqa: PLC0415 - it needs this module

        return Signature(self._origin, args, kwargs, self._call.as_written(), immutable)

    def _submitted(self, args: tuple[object, ...], kwargs: dict[str, Any]) -> "JobResult[R]":
        spec, hooks = self._cached_spec, self._producer.hooks
        if spec is None or hooks.on_enqueue:
            options = self.definition.options
            if hooks.listens(options.middleware):
                return self._producer.enqueue(self.name, options, self._call, args, kwargs)
            spec = self._cached_spec = self._producer.spec(self.name, options, self._call)
        return self._producer.submit(self.name, spec, args, kwargs)


class TaskWrapper(BoundTask[P, R]):
    """A registered function, as returned by :meth:`taskito.Queue.task`.

    Calling it runs the function here and now; :meth:`delay` stores a job for a worker.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> add(1, 2)
        3
        >>> add.delay(1, 2).status
        'pending'
    """

    def __init__(self, definition: TaskDefinition, producer: "Producer") -> None:
        """Wrap a function; only the library does."""
        binding = Binding(definition.name, definition.function)
        super().__init__(definition, producer, binding)
        functools.update_wrapper(self, definition.function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function: no queue, no worker."""
        return cast("R", self.definition.function(*args, **kwargs))

    @explains_options
    def apply_async(  # noqa: PLR0913 - the documented order
        self,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
        priority: int | None = None,
        delay: Seconds | None = None,
        queue: str | None = None,
        max_retries: int | None = None,
        timeout: Seconds | None = None,
        unique_key: str | None = None,
        metadata: str | Mapping[str, object] | None = None,
        depends_on: Dependencies | None = None,
        expires: Seconds | None = None,
        result_ttl: Seconds | None = None,
        *,
        idempotency_key: str | None = None,
        limit_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "JobResult[R]":
        """Store a job with options of its own; see :meth:`options` and :meth:`delay`.

        Args:
            args: Positional arguments of the function.
            kwargs: Its other arguments.
            priority: Higher runs first.
            delay: Seconds until it is due; negative counts as 0.
            queue: Where it waits; falsy means the task's queue.
            max_retries: Retries after the first attempt.
            timeout: Seconds one attempt may take; 0 means no limit.
            unique_key: At most one unfinished job holds it; that job is returned.
            metadata: Stored verbatim; a mapping as compact JSON.
            depends_on: Jobs, or their ids, that must be complete before it starts.
            expires: Seconds after which no attempt starts any more; the job is cancelled then.
            result_ttl: Seconds for which the job is kept after its end; ``None`` means the
                Queue's.
            idempotency_key: At most one job of this task has it; that job is returned.
            limit_key: The limits of the task count the jobs with this key apart.
            headers: Travel with the job, at most 8 KiB.
        """
        positional, named = arguments(args), keywords(kwargs)
        self._binding.check(positional, named)
        call = JobOptions.of(
            {
                "priority": priority,
                "delay": delay,
                "queue": queue,
                "max_retries": max_retries,
                "timeout": timeout,
                "unique_key": unique_key,
                "metadata": metadata,
                "depends_on": depends_on,
                "expires": expires,
                "result_ttl": result_ttl,
                "idempotency_key": idempotency_key,
                "limit_key": limit_key,
                "headers": headers,
            }
        )
        if call is NO_OPTIONS:
            return self._submitted(positional, named)
        options = self.definition.options
        return self._producer.enqueue(self.name, options, call, positional, named)

    aapply_async = twin(apply_async)


class AsyncTask(TaskWrapper[P, R]):
    """A registered ``async def`` function, as returned by :meth:`taskito.Queue.task`.

    Calling it gives its coroutine; a worker runs its jobs on an event loop, many at once.
    ``R`` is what awaiting it gives, and what :meth:`~taskito.JobResult.result` returns.

    Example:
        >>> import asyncio
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="fetch")
        ... async def fetch(number: int) -> str:
        ...     await asyncio.sleep(0)
        ...     return f"page {number}"
        >>> asyncio.run(fetch(3))
        'page 3'
        >>> fetch.delay(4).status
        'pending'
    """

    def __call__(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Call the function here and now: no queue, no worker."""
        return cast("Coroutine[Any, Any, R]", self.definition.function(*args, **kwargs))


Task = TaskWrapper

_NO_KEYWORDS: dict[str, Any] = {}


def default_name(function: Callable[..., object]) -> str:
    """Return ``module.qualname``, with a module name that a worker can know.

    ``__main__`` is replaced by the name the program can be imported by: that of
    ``python -m name``, else the stem of the file.
    """
    module = function.__module__
    if module == "__main__":
        main = sys.modules["__main__"]
        spec = main.__spec__
        file = getattr(main, "__file__", None)
        if spec is not None:
            module = spec.name
        elif file:
            from pathlib import Path  # noqa: PLC0415 - slow to load, rarely needed

            module = Path(file).stem
    return f"{module}.{function.__qualname__}"


def checked_function(function: object) -> Callable[..., Any]:
    """Return ``function`` if it can be a task.

    Raises:
        TypeError: If it cannot be called, or gives an asynchronous generator.
    """
    if not callable(function):
        message = f"a task must be a function, got {function!r}"
        raise TypeError(message)
    if isasyncgenfunction(function):
        message = f"{default_name(function)} is an asynchronous generator, which cannot be a task"
        hint = "return a list instead of yielding, or enqueue a job for each item"
        raise TypeError(f"{message}\nhint: {hint}")
    return function


def is_coroutine_function(function: Callable[..., object]) -> bool:
    """Return whether calling this gives a coroutine: ``async def``, also as ``__call__``."""
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)


def same_source(one: Callable[..., object], other: Callable[..., object]) -> bool:
    """Return whether two functions come from the same lines, as after a reload."""
    if one is other:
        return True
    first, second = getattr(one, "__code__", None), getattr(other, "__code__", None)
    if first is None or second is None:
        return False
    return (first.co_filename, first.co_firstlineno, first.co_qualname) == (
        second.co_filename,
        second.co_firstlineno,
        second.co_qualname,
    )

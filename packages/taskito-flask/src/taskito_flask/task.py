"""A task that belongs to the extension and finds its queue when it is called."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Unpack

if TYPE_CHECKING:
    from taskito import JobResult, TaskWrapper
    from taskito.options import CallOptions, TaskSettings

P = ParamSpec("P")
R = TypeVar("R")


class FlaskTask(Generic[P, R]):
    """A function declared with ``@taskito.task``.

    Calling it runs the function here and now. ``delay`` and ``apply_async`` store a job
    in the queue of the current application.

    Attributes:
        function: the undecorated function.
        options: what the decorator was given, as for ``Queue.task``.
    """

    def __init__(
        self,
        function: Callable[P, R],
        options: "TaskSettings",
        resolve: "Callable[[FlaskTask[P, R]], TaskWrapper[P, R]]",
    ) -> None:
        self.function = function
        self.options = options
        self._resolve = resolve
        functools.update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<FlaskTask {self.function.__qualname__!r}>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function in the caller, without a queue and in the caller's context."""
        return self.function(*args, **kwargs)

    @property
    def bound(self) -> "TaskWrapper[P, R]":
        """The same task on the queue of the current application, with all its methods.

        Raises:
            RuntimeError: no application can be told; the message says what to do.
        """
        return self._resolve(self)

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> "JobResult[R]":
        """Store a job with these arguments in the queue of the current application."""
        return self.bound.delay(*args, **kwargs)

    def apply_async(
        self,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: "Unpack[CallOptions]",
    ) -> "JobResult[R]":
        """Like ``delay``, with the options of ``TaskWrapper.apply_async``."""
        return self.bound.apply_async(args, kwargs, **options)

"""Tasks, schedules and hooks that are declared before there is a queue.

For integrations with frameworks whose applications are made late, and perhaps several times.
"""

import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, cast, overload

from taskito._checks import Seconds
from taskito._hooks import Hook, Hook3, Hook4, Hook5, Hooks
from taskito._producer import Producer
from taskito.options import TaskSettings, TaskTuning
from taskito.queue import Queue, TaskDecorator
from taskito.schedules import CatchUp
from taskito.task import AsyncTask, TaskWrapper

if TYPE_CHECKING:
    from taskito._plan import Step
    from taskito.job import JobResult
    from taskito.options import JobOptions, TaskOptions
    from taskito.surroundings import Surroundings

__all__ = ["Declarations"]

P = ParamSpec("P")
R = TypeVar("R")
H = TypeVar("H", bound=Hook)


class Declarations:
    """What a program declares once, for every queue that it is bound to.

    The decorators are those of :class:`taskito.Queue` and check what they are given at once.
    The tasks they return are those of a Queue, canvas included; a call of one goes to the
    queue that counts at that moment.

    Args:
        current: Returns the queue that counts now, or raises what the caller shall see.

    Example:
        >>> from taskito import Queue
        >>> shops = {"paris": Queue(":memory:"), "rome": Queue(":memory:")}
        >>> here = "paris"
        >>> declared = Declarations(lambda: shops[here])
        >>> @declared.task(name="greet")
        ... def greet(name: str) -> str:
        ...     return f"hello {name}"
        >>> for shop in shops.values():
        ...     declared.bind(shop)
        >>> job = greet.delay("ann")
        >>> [shop.stats()["pending"] for shop in shops.values()]
        [1, 0]
    """

    def __init__(self, current: Callable[[], Queue]) -> None:
        # Never opened: it checks declarations, and is where their tasks are registered first.
        self._draft = Queue(":memory:")
        self._draft._producer = CurrentProducer(current)  # noqa: SLF001 - of our own package
        self._declared: list[Callable[[Queue], object]] = []
        self._bound: weakref.WeakSet[Queue] = weakref.WeakSet()

    def bind(self, queue: Queue, *, surroundings: "Surroundings | None" = None) -> None:
        """Register everything with ``queue``: what was declared, and what will be.

        Opens nothing. Options that a declaration leaves out are those of the queue.

        Args:
            queue: Held weakly.
            surroundings: What attempts and hooks of this queue run in.
        """
        if surroundings is not None:
            queue._hooks.surround(surroundings)  # noqa: SLF001 - of our own package
        for register in self._declared:
            register(queue)
        self._bound.add(queue)

    @overload
    def task(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> TaskWrapper[P, R]: ...
    @overload
    def task(
        self, task_name: str | None = None, /, **options: Unpack[TaskSettings]
    ) -> TaskDecorator: ...
    def task(
        self, target: Callable[..., Any] | str | None = None, /, **options: Unpack[TaskSettings]
    ) -> TaskWrapper[..., Any] | TaskDecorator:
        """Declare a task, as :meth:`taskito.Queue.task` registers one."""
        if callable(target):
            function = target
            task: TaskWrapper[..., Any] = self._draft.task(function)
            self._declare(lambda queue: queue.task(function))
            return task
        name, kept = target, _kept(options)
        draft = self._draft.task(name, **kept)

        def decorator(function: Callable[..., Any], /) -> Any:
            task = draft(function)
            self._declare(lambda queue: queue.task(name, **kept)(function))
            return task

        return decorator

    def periodic(  # noqa: PLR0913 - the documented order
        self,
        cron: str | None = None,
        name: str | None = None,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] | None = None,
        queue: str = "default",
        timezone: str = "UTC",
        catch_up: CatchUp = "one",
        *,
        every: Seconds | None = None,
        **task_options: Unpack[TaskTuning],
    ) -> TaskDecorator:
        """Declare a schedule, as :meth:`taskito.Queue.periodic` registers one."""
        kept = _kept(task_options)
        args = tuple(args) if isinstance(args, Iterator) else args

        def scheduling(owner: Queue) -> TaskDecorator:
            return owner.periodic(
                *(cron, name, args, kwargs, queue, timezone, catch_up), every=every, **kept
            )

        draft = scheduling(self._draft)

        def decorator(target: Callable[..., Any], /) -> Any:
            task: TaskWrapper[..., Any] = draft(target)
            if isinstance(target, TaskWrapper):
                self._declare(lambda queue: scheduling(queue)(_registered(queue, task)))
            else:
                self._declare(lambda queue: scheduling(queue)(target))
            return task

        return decorator

    def on_enqueue(self, hook: Hook4, /) -> Hook4:
        """Declare a hook; see :meth:`taskito.Queue.on_enqueue`."""
        return self._hook("on_enqueue", hook)

    def before_task(self, hook: Hook3, /) -> Hook3:
        """Declare a hook; see :meth:`taskito.Queue.before_task`."""
        return self._hook("before_task", hook)

    def on_success(self, hook: Hook4, /) -> Hook4:
        """Declare a hook; see :meth:`taskito.Queue.on_success`."""
        return self._hook("on_success", hook)

    def on_failure(self, hook: Hook4, /) -> Hook4:
        """Declare a hook; see :meth:`taskito.Queue.on_failure`."""
        return self._hook("on_failure", hook)

    def after_task(self, hook: Hook5, /) -> Hook5:
        """Declare a hook; see :meth:`taskito.Queue.after_task`."""
        return self._hook("after_task", hook)

    def on_timeout(self, hook: Hook3, /) -> Hook3:
        """Declare a hook; see :meth:`taskito.Queue.on_timeout`."""
        return self._hook("on_timeout", hook)

    def on_retry(self, hook: Hook5, /) -> Hook5:
        """Declare a hook; see :meth:`taskito.Queue.on_retry`."""
        return self._hook("on_retry", hook)

    def on_dead_letter(self, hook: Hook4, /) -> Hook4:
        """Declare a hook; see :meth:`taskito.Queue.on_dead_letter`."""
        return self._hook("on_dead_letter", hook)

    def on_cancel(self, hook: Hook3, /) -> Hook3:
        """Declare a hook; see :meth:`taskito.Queue.on_cancel`."""
        return self._hook("on_cancel", hook)

    def _hook(self, event: str, hook: H) -> H:
        self._draft._hooks.add(event, hook)  # noqa: SLF001 - of our own package
        self._declare(lambda queue: queue._hooks.add(event, hook))  # noqa: SLF001 - likewise
        return hook

    def _declare(self, register: Callable[[Queue], object]) -> None:
        self._declared.append(register)
        for queue in tuple(self._bound):
            register(queue)


class CurrentHooks(Hooks):
    """Claims to listen to everything: tasks keep nothing that they worked out for one queue."""

    __slots__ = ()

    def renew(self) -> None:
        """Make every plan old, and go on listening."""
        super().renew()
        self.on_enqueue = True


class CurrentProducer(Producer):
    """Passes every call on to the queue that counts at that moment.

    It goes by the settings that the task has there.
    """

    __slots__ = ("_current",)

    def __init__(self, current: Callable[[], Queue]) -> None:
        """Ask ``current`` at every call."""
        self._current = current
        self.hooks = CurrentHooks(())

    def here(self) -> Producer:
        """Return the producer of the queue that counts now."""
        return self._current()._producer  # noqa: SLF001 - of our own package

    def enqueue(
        self,
        task: str,
        settings: "TaskOptions",
        call: "JobOptions",
        args: tuple[object, ...],
        kwargs: dict[str, Any],
    ) -> "JobResult[Any]":
        """Do it there."""
        return self.here().enqueue(task, self._settings(task, settings), call, args, kwargs)

    def enqueue_many(
        self,
        task: str,
        settings: "TaskOptions",
        options: "JobOptions | Sequence[JobOptions]",
        calls: Sequence[tuple[tuple[object, ...], dict[str, Any]]],
    ) -> "list[JobResult[Any]]":
        """Do it there."""
        return self.here().enqueue_many(task, self._settings(task, settings), options, calls)

    def submit_workflow(self, steps: "Sequence[Step]") -> "list[JobResult[Any]]":
        """Do it there, with the tasks as they are registered there."""
        queue = self._current()
        there = [replace(step, task=_registered(queue, step.task)) for step in steps]
        return queue._producer.submit_workflow(there)  # noqa: SLF001 - of our own package

    def _settings(self, task: str, own: "TaskOptions") -> "TaskOptions":
        found = self._current()._tasks.get(task)  # noqa: SLF001 - of our own package
        return own if found is None else found.definition.options


def _registered(queue: Queue, task: Any) -> Any:
    """Return a task as ``queue`` knows it, else as it is."""
    return queue._tasks.get(task.name, task)  # noqa: SLF001 - of our own package


def _kept(options: Any) -> Any:
    """Return options that can be used more than once."""
    given = cast("dict[str, object]", options)
    return {
        name: tuple(cast("Iterator[object]", value)) if isinstance(value, Iterator) else value
        for name, value in given.items()
    }

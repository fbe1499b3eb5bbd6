"""Hooks and middleware: what is registered, and in which order it is called."""

import logging
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from taskito._everywhere import EVERYWHERE
from taskito._joblog import log_about
from taskito.exceptions import Snooze
from taskito.middleware import TaskMiddleware, not_plain
from taskito.options import JobOptions
from taskito.surroundings import NOTHING, Surroundings, Visit

if TYPE_CHECKING:
    from taskito.context import JobContext

Hook: TypeAlias = Callable[..., object]
Hook3 = TypeVar("Hook3", bound=Callable[[str, Any, Any], object])
Hook4 = TypeVar("Hook4", bound=Callable[[str, Any, Any, Any], object])
Hook5 = TypeVar("Hook5", bound=Callable[[str, Any, Any, Any, Any], object])
F = TypeVar("F", bound=Hook)

# The decorators of a Queue, and the method of a middleware that hears of the same event.
_METHODS = {
    "on_enqueue": "on_enqueue",
    "before_task": "before",
    "on_success": "on_success",
    "on_failure": "on_failure",
    "after_task": "after",
    "on_timeout": "on_timeout",
    "on_retry": "on_retry",
    "on_dead_letter": "on_dead_letter",
    "on_cancel": "on_cancel",
    "over": "_taskito_over",
}
_logger = logging.getLogger("taskito")


class Hooks:
    """Everything that listens to the jobs of one Queue.

    Attributes:
        version: Another object after every registration, so that plans know their age.
        on_enqueue: Whether anything listens to every enqueue.
        surroundings: What attempts and hooks run in.
    """

    __slots__ = (
        "__weakref__",
        "_functions",
        "_middleware",
        "on_enqueue",
        "surroundings",
        "version",
    )

    def __init__(self, middleware: tuple[TaskMiddleware, ...]) -> None:
        """Listen with the queue-wide middleware."""
        self._middleware = middleware
        self._functions: dict[str, list[Hook]] = {event: [] for event in _METHODS}
        self.surroundings = NOTHING
        self.renew()
        EVERYWHERE.join(self)

    def surround(self, surroundings: Surroundings) -> None:
        """Run attempts and hooks in these surroundings from now on."""
        self.surroundings = surroundings
        self.renew()

    def add(self, event: str, hook: F) -> F:
        """Register what a decorator of the Queue was put on.

        Raises:
            TypeError: If it is not a plain function.
        """
        if not callable(hook):
            message = f"{event} must be put on a function, got {hook!r}"
            raise TypeError(f"{message}\nhint: write @queue.{event} without parentheses")
        if iscoroutinefunction(hook):
            raise not_plain(f"the {event} hook {_name(hook)}")
        self._functions[event].append(hook)
        self.renew()
        return hook

    def renew(self) -> None:
        """Make every plan old: something else is to be called from now on."""
        self.version = object()
        self.on_enqueue = bool(self._functions["on_enqueue"]) or _any_overrides(
            EVERYWHERE.middleware + self._middleware, "on_enqueue"
        )

    def plan(self, own: tuple[TaskMiddleware, ...]) -> "HookPlan":
        """Return what to call for a task with middleware of its own."""
        middleware = EVERYWHERE.middleware + self._middleware + own
        return HookPlan(
            {
                event: tuple(
                    (place, getattr(listener, method))
                    for place, listener in enumerate(middleware)
                    if _overrides(listener, method)
                )
                for event, method in _METHODS.items()
            },
            {event: tuple(hooks) for event, hooks in self._functions.items()},
            self.surroundings,
        )

    def listens(self, own: tuple[TaskMiddleware, ...]) -> bool:
        """Return whether enqueuing a task with middleware of its own is listened to."""
        return self.on_enqueue or (bool(own) and _any_overrides(own, "on_enqueue"))

    def senders(self, own: tuple[TaskMiddleware, ...]) -> list[TaskMiddleware]:
        """Return the middleware that surrounds a call which stores jobs."""
        middleware = EVERYWHERE.middleware + self._middleware + own
        return [listener for listener in middleware if _overrides(listener, "_taskito_sending")]

    def enqueuing(
        self,
        task: str,
        own: tuple[TaskMiddleware, ...],
        call: JobOptions,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> JobOptions:
        """Tell the listeners of a job to come and return its options as they leave them."""
        with Visit(self.surroundings.of_call):
            for hook in self.plan(own).all_of("on_enqueue"):
                options = call.as_written()
                try:
                    hook(task, args, dict(kwargs), options)
                    call = JobOptions.of_mapping(options, f"a job of {task!r}, from {_name(hook)}")
                except Exception:
                    _logger.exception(
                        "on_enqueue hook %s raised for a job of %s; its changes are dropped",
                        _name(hook),
                        task,
                        extra={"task_name": task, "queue": call.queue},
                    )
        return call


class HookPlan:
    """What to call for the attempts of one task, found out once.

    Attributes:
        methods: Of the middleware, by event, each with the place of its middleware.
        functions: The hooks by event.
        surroundings: What they and the function run in.
        is_silent: Whether there is nothing around the function in a worker.
    """

    __slots__ = ("functions", "is_silent", "methods", "surroundings")

    def __init__(
        self,
        methods: Mapping[str, tuple[tuple[int, Hook], ...]],
        functions: Mapping[str, tuple[Hook, ...]],
        surroundings: Surroundings,
    ) -> None:
        """Keep them."""
        self.methods = methods
        self.functions = functions
        self.surroundings = surroundings
        self.is_silent = surroundings is NOTHING and not any(
            self.hears(event) for event in _METHODS if event != "on_enqueue"
        )

    def hears(self, event: str) -> bool:
        """Return whether anything listens to an event."""
        return bool(self.methods[event] or self.functions[event])

    def all_of(self, event: str) -> list[Hook]:
        """Return all that listens to an event, middleware first."""
        return [*(method for _, method in self.methods[event]), *self.functions[event]]


class AttemptHooks:
    """Calls the hooks and middleware around one attempt, in their documented order.

    What they raise is logged, whatever it is, and the others are still called.
    """

    __slots__ = ("_call", "_context", "_muted", "_plan")

    def __init__(self, plan: HookPlan, context: "JobContext") -> None:
        """Listen to the attempt of ``context``."""
        self._plan = plan
        self._context = context
        self._call: tuple[object, ...] = (context.task_name, (), {})
        self._muted: set[int] = set()

    def hear(self, *events: str) -> bool:
        """Return whether anything listens to one of the events."""
        return any(map(self._plan.hears, events))

    def learn(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        """Take the arguments of the attempt.

        Hooks see a copy of ``kwargs``: what the function gets is not theirs to change.
        """
        self._call = (self._context.task_name, args, dict(kwargs))

    def started(self) -> None:
        """Tell that the function is about to be called."""
        for place, method in self._plan.methods["before_task"]:
            if not self._told("before", method, self._context):
                self._muted.add(place)
        self._tell_functions("before_task")

    def returned(self, result: object) -> None:
        """Tell that the function returned, and what it returned can be stored."""
        self._tell_functions("on_success", result)
        self._tell_functions("after_task", result, None)
        self._tell_methods("on_success", result)
        self._tell_methods("after_task", result, None)

    def raised(self, error: BaseException) -> None:
        """Tell that the attempt failed, timed out, or ended by a control exception."""
        failed = not isinstance(error, Snooze)
        if failed:
            self._tell_functions("on_failure", error)
        self._tell_functions("after_task", None, error)
        if failed:
            self._tell_methods("on_failure", error)
        self._tell_methods("after_task", None, error)

    def given_up(self, error: BaseException) -> None:
        """Tell that the attempt failed while its function, elsewhere, may still go on."""
        with self._surroundings():
            self.raised(error)

    def committed(self, event: str, *facts: object) -> None:
        """Tell one of the events that follow the commit."""
        if self._plan.hears(event):
            with self._surroundings():
                self._tell_methods(event, *facts)
                self._tell_functions(event, *facts)

    def _surroundings(self) -> Visit:
        return Visit(self._plan.surroundings.of_attempt, self._context)

    def over(self) -> None:
        """Tell that no call follows for an attempt that failed or does not count."""
        self._tell_methods("over")

    def _tell_functions(self, event: str, *facts: object) -> None:
        for hook in self._plan.functions[event]:
            self._told(event, hook, *self._call, *facts)

    def _tell_methods(self, event: str, *facts: object) -> None:
        for place, method in self._plan.methods[event]:
            if place not in self._muted:
                self._told(_METHODS[event], method, self._context, *facts)

    def _told(self, event: str, hook: Hook, *facts: object) -> bool:
        try:
            hook(*facts)
        except BaseException as error:  # noqa: BLE001 - no hook changes what becomes of a job
            log_about(
                self._context,
                logging.ERROR,
                "%s hook %s raised in job %s of %s",
                event,
                _name(hook),
                self._context.id,
                self._context.task_name,
                error=error,
            )
            return False
        return True


def _overrides(listener: TaskMiddleware, method: str) -> bool:
    own = getattr(listener, method)
    return getattr(own, "__func__", own) is not getattr(TaskMiddleware, method)


def _any_overrides(middleware: tuple[TaskMiddleware, ...], method: str) -> bool:
    return any(_overrides(listener, method) for listener in middleware)


def _name(hook: Hook) -> str:
    module = getattr(hook, "__module__", None)
    return f"{module}.{hook.__qualname__}" if hasattr(hook, "__qualname__") else repr(hook)

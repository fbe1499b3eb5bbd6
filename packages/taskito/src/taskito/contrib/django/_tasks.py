"""Tasks of the backend as a worker calls them."""

import inspect
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from taskito.context import ACTIVE
from taskito.contrib.django._interface import (
    AnyContext,
    AnyTask,
    TaskContext,
    normalize_json,
)
from taskito.contrib.django._json import mark_result

if TYPE_CHECKING:
    from taskito.middleware import TaskMiddleware
    from taskito.queue import Queue

RESULT = "task_result"
"""The attribute of a job's context that has the ``TaskResult`` of the attempt."""


class Runnable:
    """Calls the function of a task with its context, if it takes one; the result becomes JSON.

    Attributes:
        task: The task as it was declared.
    """

    def __init__(self, task: AnyTask) -> None:
        """Look like the function, without the parameter that the caller does not give."""
        self.task = task
        self.__name__ = task.func.__name__
        self.__qualname__ = task.func.__qualname__
        self.__module__ = task.func.__module__
        self.__doc__ = task.func.__doc__
        signature = inspect.signature(task.func)
        parameters = list(signature.parameters.values())
        given = parameters[1:] if task.takes_context else parameters
        self.__signature__ = signature.replace(parameters=given)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run one attempt."""
        return _json(self.task.func(*self._first(), *args, **kwargs))

    def _first(self) -> tuple[AnyContext, ...]:
        if not self.task.takes_context:
            return ()
        result = vars(ACTIVE.get()).get(RESULT)
        if result is None:
            message = f"there is no task context for {self.task.module_path!r}"
            hint = "enqueue it with task.enqueue(); if you did, the log says what went wrong"
            raise RuntimeError(f"{message}\nhint: {hint}")
        return (TaskContext(task_result=result),)


class AsyncRunnable(Runnable):
    """The same for an ``async def`` function."""

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run one attempt on the event loop of the worker."""
        return _json(await self.task.func(*self._first(), *args, **kwargs))


def register(queue: "Queue", task: AnyTask, middleware: "TaskMiddleware") -> None:
    """Let workers of ``queue`` run a task, under its ``module_path``."""
    known = registered(queue, task.module_path)
    if known is not None and known.func is task.func:
        return
    kind = AsyncRunnable if inspect.iscoroutinefunction(task.func) else Runnable
    declare = queue.task(task.module_path, queue=task.queue_name, middleware=[middleware])
    declare(kind(task))


def registered(queue: "Queue", name: str) -> AnyTask | None:
    """Return the task of the backend that is registered under a name."""
    found = queue._tasks.get(name)  # noqa: SLF001 - of our own package
    function = None if found is None else found.definition.function
    return function.task if isinstance(function, Runnable) else None


def imported(queue: "Queue", name: str) -> AnyTask | None:
    """Return the task of that name, importing the module that declares it if need be."""
    module = name
    while (task := registered(queue, name)) is None and "." in module:
        module = module.rpartition(".")[0]
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            # A class on the way to the function is no module; a missing dependency is an error.
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
        else:
            return registered(queue, name)
    return task


def restored(task: AnyTask, **changes: object) -> AnyTask:
    """Return a task with other settings, without asking whether those are still allowed."""
    copy: AnyTask = object.__new__(type(task))
    for field in fields(task):
        object.__setattr__(copy, field.name, changes.get(field.name, getattr(task, field.name)))
    return copy


def _json(value: object) -> object:
    normal: object = normalize_json(value)
    mark_result(normal)
    return normal

"""The extension: declarations at import time, one queue per application."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, Unpack, cast, overload

from flask import Flask, current_app, has_app_context

from taskito import Queue, TaskWrapper
from taskito.options import TaskSettings
from taskito_flask.context import in_app_context
from taskito_flask.task import FlaskTask

P = ParamSpec("P")
R = TypeVar("R")

SETTINGS = {
    "TASKITO_WORKERS": "workers",
    "TASKITO_DEFAULT_RETRY": "default_retry",
    "TASKITO_DEFAULT_TIMEOUT": "default_timeout",
    "TASKITO_DEFAULT_PRIORITY": "default_priority",
    "TASKITO_DRAIN_TIMEOUT": "drain_timeout",
}
"""Application setting -> parameter of ``Queue``; those absent keep the queue's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """What one application has: ``app.extensions["taskito"]``.

    Attributes:
        queue: the application's own queue.
        tasks: each declared task as it is registered with that queue.
    """

    queue: Queue
    tasks: dict[FlaskTask[..., Any], TaskWrapper[..., Any]] = field(default_factory=dict)


class Taskito:
    """Background tasks for Flask applications.

    Tasks are declared once, at import time; each application that is initialised gets a
    queue of its own with all of them. Nothing is opened or started by either.

    Args:
        app: initialised at once, as by ``init_app``.

    Example:
        ```python
        taskito = Taskito()


        @taskito.task(max_retries=5)
        def send_welcome(user_id: int) -> None: ...


        app = Flask(__name__)
        taskito.init_app(app)
        ```
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._declared: list[FlaskTask[..., Any]] = []
        # Weak: the extension outlives applications that a test makes and drops.
        self._apps: weakref.WeakSet[Flask] = weakref.WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give an application its queue, from its ``TASKITO_`` settings.

        ``TASKITO_DB_PATH`` defaults to ``taskito.db`` in the instance folder. No file is
        created and no thread started.

        Raises:
            RuntimeError: the application has a queue already.
            TypeError: a declared task has an option that ``Queue.task`` does not know.
        """
        if "taskito" in app.extensions:
            raise RuntimeError(
                f"application {app.name!r} already has a taskito queue\n"
                "hint: call init_app once per application; Taskito(app) has called it"
            )
        default = Path(app.instance_path) / "taskito.db"
        given: dict[str, Any] = {
            parameter: app.config[name]
            for name, parameter in SETTINGS.items()
            if name in app.config
        }
        state = AppState(queue=Queue(app.config.get("TASKITO_DB_PATH", default), **given))
        for task in self._declared:
            _register(task, app, state)
        app.extensions["taskito"] = state
        self._apps.add(app)

    @overload
    def task(self, name: Callable[P, R], /) -> FlaskTask[P, R]: ...
    @overload
    def task(
        self, name: str | None = None, /, **options: Unpack[TaskSettings]
    ) -> Callable[[Callable[P, R]], FlaskTask[P, R]]: ...
    def task(
        self, name: Callable[P, R] | str | None = None, /, **options: Unpack[TaskSettings]
    ) -> FlaskTask[P, R] | Callable[[Callable[P, R]], FlaskTask[P, R]]:
        """Declare a task: ``@taskito.task``, or with the options of ``Queue.task``.

        Works before any application exists; the options are checked by ``init_app``.
        """
        if callable(name):
            return self._declare(name, {})
        if name is not None:
            options["name"] = name
        return lambda function: self._declare(function, options)

    @property
    def queue(self) -> Queue:
        """The queue of the current application, else of the only one initialised.

        Raises:
            RuntimeError: neither exists; the message says what to do.
        """
        return self._state().queue

    def _declare(self, function: Callable[P, R], options: TaskSettings) -> FlaskTask[P, R]:
        task = FlaskTask(function, options, self._resolve)
        self._declared.append(task)
        for app in self._apps:
            _register(task, app, app.extensions["taskito"])
        return task

    def _resolve(self, task: FlaskTask[P, R]) -> TaskWrapper[P, R]:
        return cast("TaskWrapper[P, R]", self._state().tasks[task])

    def _state(self) -> AppState:
        if has_app_context():
            app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way
            if app not in self._apps:
                raise RuntimeError(
                    f"application {app.name!r} has no queue of this extension\n"
                    "hint: call init_app(app) where the application is created"
                )
            return cast("AppState", app.extensions["taskito"])
        apps = list(self._apps)
        if len(apps) == 1:
            return cast("AppState", apps[0].extensions["taskito"])
        if not apps:
            raise RuntimeError(
                "Taskito is not bound to an application\n"
                "hint: call init_app(app) where the application is created"
            )
        raise RuntimeError(
            f"{len(apps)} applications are initialised and none of them is current\n"
            "hint: say which one: with app.app_context(): ..."
        )


def _register(task: FlaskTask[..., Any], app: Flask, state: AppState) -> None:
    register = state.queue.task(**task.options)
    state.tasks[task] = register(in_app_context(app, task.function))

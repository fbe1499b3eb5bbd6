"""The extension: declarations at import time, one queue per application."""

import gc
import weakref

from flask import Flask
from werkzeug.utils import import_string
from werkzeug.wrappers import Response

from taskito import Queue
from taskito.declarations import Declarations
from taskito_flask.context import AppSurroundings, current_application
from taskito_flask.dashboard import Authorize, mount_dashboard
from taskito_flask.settings import dashboard_settings, queue_settings
from taskito_flask.state import AppState, not_initialised, state_of


class Taskito(Declarations):
    """Background tasks for Flask applications.

    Tasks, schedules and hooks are declared once, at import time, with the decorators of
    :class:`taskito.Queue`. Each application that is initialised gets a queue of its own
    with all of them. Nothing is opened or started by either.

    A call of a task, and every other call, goes to the queue of the current application;
    without a context to that of the only application that was initialised.

    Args:
        app: Initialised at once, as by :meth:`init_app`.
        cli_group: Another name for ``flask taskito`` on the applications of this extension.

    Example:
        ```python
        taskito = Taskito()


        @taskito.task(max_retries=5)
        def send_welcome(user_id: int) -> None: ...


        app = Flask(__name__)
        taskito.init_app(app)
        ```
    """

    def __init__(self, app: Flask | None = None, *, cli_group: str = "taskito") -> None:
        super().__init__(lambda: self.queue)
        self._cli_group = cli_group
        # Weak: the extension outlives applications that a test makes and drops.
        self._apps: weakref.WeakSet[Flask] = weakref.WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give an application its queue, from its ``TASKITO_`` settings of now.

        ``TASKITO_DB_PATH`` defaults to ``taskito.db`` in the instance folder. No file is
        opened or created and no thread started.

        Raises:
            RuntimeError: If the application has a queue already.
            ConfigurationError: For a setting that cannot work.
            ImportError: If ``TASKITO_DASHBOARD`` is set without ``taskito-dashboard``.
        """
        if "taskito" in app.extensions:
            raise RuntimeError(
                f"application {app.name!r} already has a taskito queue\n"
                "hint: call init_app once per application; Taskito(app) has called it"
            )
        queue = Queue(**queue_settings(app))
        page = dashboard_settings(app)
        self.bind(queue, surroundings=AppSurroundings(app))
        app.extensions["taskito"] = AppState(queue=queue)
        self._apps.add(app)
        if self._cli_group != "taskito":  # as the entry point is called
            from taskito_flask.cli import taskito_command  # noqa: PLC0415 - rarely needed

            app.cli.add_command(taskito_command(self._cli_group))
        if page is not None:
            self._mount(app, **page)

    @property
    def queue(self) -> Queue:
        """The queue of the current application, else of the only one initialised.

        Raises:
            RuntimeError: If neither exists; the message says what to do.
        """
        app = current_application()
        if app is None:
            return state_of(self._only_app()).queue
        if app not in self._apps:
            raise not_initialised(app)
        return state_of(app).queue

    def mount_dashboard(
        self, app: Flask, url_prefix: str = "/taskito", *, authorize: Authorize | None = None
    ) -> None:
        """Serve the page of ``taskito-dashboard``; see :func:`taskito_flask.mount_dashboard`."""
        mount_dashboard(app, url_prefix, authorize=authorize)

    def _mount(
        self, app: Flask, *, url_prefix: str = "/taskito", authorize: str | None = None
    ) -> None:
        if authorize is None:
            mount_dashboard(app, url_prefix)
            return
        name = authorize

        def decide() -> bool | Response | None:
            # Imported late: the module may need the one that makes the application.
            verdict: bool | Response | None = import_string(name)()
            return verdict

        mount_dashboard(app, url_prefix, authorize=decide)

    def _only_app(self) -> Flask:
        if len(self._apps) > 1:
            gc.collect()  # applications that nobody holds, as after a test, do not count
        apps = list(self._apps)
        if len(apps) == 1:
            return apps[0]
        if not apps:
            raise RuntimeError(
                "Taskito is not bound to an application\n"
                "hint: call init_app(app) where the application is created"
            )
        raise RuntimeError(
            f"{len(apps)} applications are initialised and none of them is current\n"
            "hint: say which one: with app.app_context(): ..."
        )

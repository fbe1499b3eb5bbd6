"""What one application has: its queue."""

from dataclasses import dataclass
from typing import cast

from flask import Flask

from taskito import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """What one application has: ``app.extensions["taskito"]``.

    Attributes:
        queue: The application's own queue.
    """

    queue: Queue


def state_of(app: Flask) -> AppState:
    """Return what ``init_app`` has given to an application.

    Raises:
        RuntimeError: If it has not been called.
    """
    state = app.extensions.get("taskito")
    if state is None:
        raise not_initialised(app)
    return cast("AppState", state)


def not_initialised(app: Flask) -> RuntimeError:
    """Return the error for an application that the extension does not know."""
    return RuntimeError(
        f"application {app.name!r} has no queue of this extension\n"
        "hint: call init_app(app) where the application is created"
    )

"""The application context around attempts and hooks."""

from contextlib import AbstractContextManager, nullcontext

from flask import Flask, current_app, has_app_context


def current_application() -> Flask | None:
    """Return the application of the current context, or ``None`` outside of any."""
    if not has_app_context():
        return None
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 - Flask's documented way


class AppSurroundings:
    """Contexts of one application: ``flask.g`` and teardown functions belong to a job."""

    def __init__(self, app: Flask) -> None:
        """Give contexts of ``app``."""
        self._app = app

    def of_attempt(self) -> AbstractContextManager[object]:
        """Return a context of its own for an attempt."""
        return self._app.app_context()

    def of_call(self) -> AbstractContextManager[object]:
        """Return nothing if the caller is in a context of the application, else a new one.

        Test mode must not leave the context of the test: what a teardown function ends,
        such as a database session, is still in use there.
        """
        if current_application() is self._app:
            return nullcontext()
        return self._app.app_context()

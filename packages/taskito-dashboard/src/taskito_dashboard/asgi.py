"""The dashboard inside FastAPI, Starlette and other ASGI applications."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from taskito import Queue

THREADS = 8
"""So many requests are answered at once, unless somebody says otherwise."""


def create_asgi_app(
    queue: "Queue", *, token: str | None = None, read_only: bool = False, threads: int = THREADS
) -> Any:
    """The dashboard of one queue as an ASGI application.

    Mount it under any prefix. It answers in threads, so it never blocks the event loop, and it
    needs no lifespan: that of a mounted application is not run. Where there are users,
    ``Dashboard(queue, authorize=...).asgi`` is the same.

    Args:
        queue: what to show. Arguments and results are decoded with its serializer.
        token: as for :func:`~taskito_dashboard.create_app`.
        read_only: answer whatever would change something with 403.
        threads: how many requests are answered at once.

    Raises:
        ImportError: If ``a2wsgi`` is not installed.
        ConfigurationError: The token is empty or cannot be sent in a header.

    Example:
        ```python
        from fastapi import FastAPI

        from taskito import Queue
        from taskito_dashboard.asgi import create_asgi_app

        app = FastAPI()
        app.mount("/admin/jobs", create_asgi_app(Queue("jobs.db")))
        ```
    """
    from taskito_dashboard.entry import create_app  # noqa: PLC0415 - it needs this module

    return adapted(create_app(queue, token=token, read_only=read_only), threads)


def adapted(app: "WSGIApplication", threads: int = THREADS) -> Any:
    """Return a WSGI application as an ASGI one.

    Raises:
        ImportError: If ``a2wsgi`` is not installed.
    """
    try:
        from a2wsgi import WSGIMiddleware  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "a2wsgi":
            raise
        raise ImportError(
            "the dashboard in an ASGI application needs a2wsgi, which is not installed\n"
            "hint: pip install 'taskito-dashboard[asgi]'"
        ) from None
    # a2wsgi has names of its own for the same types.
    made: Any = app
    return WSGIMiddleware(made, workers=threads)
